export default {
  title: 'A API',
  text: 'Tudo o que a API atende, com exemplos. “Try it out” chama esta instalação de verdade.',
  download: 'openapi.json',
  loading: 'Carregando a referência…',
  english: 'Os botões da referência são em inglês.',
};
