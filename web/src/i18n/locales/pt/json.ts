export default {
  tree: 'Conteúdo em JSON',
  text: 'Conteúdo em texto',
  items_one: '{{count}} item',
  items_other: '{{count}} itens',
  more_one: 'Mais {{count}}',
  more_other: 'Mais {{count}}',
  moreText: 'Mostrar mais do texto',
  whole: 'mostrar os {{tamanho}} caracteres',
  openAll: 'Abrir tudo',
  closeAll: 'Fechar tudo',
  find: 'Procurar {{campo}} = {{valor}}',
};
