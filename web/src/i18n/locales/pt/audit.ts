export default {
  title: 'Auditoria', filters: 'Filtros da auditoria', when: 'Quando', who: 'Quem', what: 'O quê', target: 'Em quê', detail: 'Detalhe', address: 'Endereço',
  any: 'Qualquer ação', since: 'De (UTC)', until: 'Antes de (UTC)', none: 'Nenhum registro', clear: 'Limpar os filtros',
  action: {
    login: 'Entrou', logout: 'Saiu', senha_mudada: 'Mudou a senha', conta_criada: 'Criou uma conta', conta_mudada: 'Mudou uma conta', conta_removida: 'Removeu uma conta',
    post_criado: 'Publicou um post', post_mudado: 'Mudou um post', post_removido: 'Removeu um post', entrega_reenviada: 'Reenviou uma entrega', entregas_reenviadas: 'Reenviou entregas',
    reenvio_criado: 'Começou um reenvio', reenvio_cancelado: 'Cancelou um reenvio', fila_pausada: 'Pausou a fila', fila_retomada: 'Retomou a fila',
    evento_de_teste: 'Mandou um evento de teste', corpo_lido: 'Leu um corpo bruto', leads_exportados: 'Exportou leads', arquivo_enviado: 'Enviou um arquivo', arquivo_removido: 'Removeu um arquivo',
  },
};
