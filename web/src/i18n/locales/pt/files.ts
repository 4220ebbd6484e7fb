export default {
  title: 'Arquivos', send: 'Enviar arquivos', dropHint: 'ou arraste para cá, ou cole', clearEnded: 'Limpar os terminados',
  quota: '{{used}} de {{limit}} em uso', emptyTitle: 'Ainda não há arquivos',
  download: 'Baixar', downloadOne: 'Baixar {{nome}}', remove: 'Remover', removeOne: 'Remover {{nome}}', removed: 'Arquivo removido.',
  removeTitle: 'Remover este arquivo?', removeText: '“{{nome}}” some para todos e não dá para desfazer.', cancelOne: 'Cancelar o envio de {{nome}}',
  upload: { waiting: 'na fila', sending: 'enviando', done: 'enviado', failed: 'não foi enviado', cancelled: 'cancelado' },
  error: { '413': 'O arquivo é grande demais.', '415': 'Este tipo de arquivo não é aceito.', '507': 'O espaço para arquivos acabou.' },
};
