/* status: the one vocabulary of outcomes that both pipes speak.
 *
 * The API turns a status into an HTTP answer, the worker into acknowledge, retry or dead letter.
 * One row per status: name, HTTP status, retryable by the same caller later?, title on the wire,
 * and the detail where nothing closer is known. Both are Portuguese: they are shown to users (RFC
 * 9457 "title", "detail"). */
#ifndef ALICERCE_STATUS_H
#define ALICERCE_STATUS_H

#include <stdbool.h>

#define STATUS_MAP(X)                                                                              \
    X(OK, 200, false, "OK", "")                                                                    \
    X(CREATED, 201, false, "Criado", "")                                                           \
    X(ACCEPTED, 202, false, "Aceito", "")                                                          \
    X(NO_CONTENT, 204, false, "Sem conteúdo", "")                                                  \
    X(PARTIAL, 206, false, "Parte do conteúdo", "")                                                \
    X(NOT_MODIFIED, 304, false, "Não modificado", "")                                              \
    X(BAD_REQUEST, 400, false, "Requisição inválida", "A requisição está malformada.")             \
    X(UNAUTHORIZED, 401, false, "Não autorizado", "Falta um token que valha.")                     \
    X(FORBIDDEN, 403, false, "Proibido", "Isto não é permitido.")                                  \
    X(NOT_FOUND, 404, false, "Não encontrado", "Não há nada neste endereço.")                      \
    X(METHOD_NOT_ALLOWED, 405, false, "Método não permitido",                                      \
      "Os métodos deste endereço estão em Allow.")                                                 \
    X(REQUEST_TIMEOUT, 408, true, "O corpo da requisição não chegou a tempo",                      \
      "O corpo não chegou dentro do prazo.")                                                       \
    X(CONFLICT, 409, false, "Conflito", "Não combina com o que está guardado.")                    \
    X(GONE, 410, false, "Não existe mais", "O que havia aqui foi removido.")                       \
    X(PRECONDITION_FAILED, 412, false, "Pré-condição falhou",                                      \
      "O que está guardado não é mais o que foi lido.")                                            \
    X(TOO_LARGE, 413, false, "Corpo grande demais", "O corpo passa do limite.")                    \
    X(URI_TOO_LONG, 414, false, "Endereço longo demais", "O endereço passa do limite.")            \
    X(UNSUPPORTED_MEDIA, 415, false, "Tipo de conteúdo não suportado",                             \
      "O corpo não é de um tipo aceito.")                                                          \
    X(RANGE_UNSATISFIABLE, 416, false, "Intervalo fora do conteúdo",                               \
      "O intervalo não cabe no conteúdo.")                                                         \
    X(INVALID, 422, false, "Campos inválidos", "Um campo não passou na verificação.")              \
    X(TOO_MANY, 429, true, "Requisições demais", "Espere um pouco e tente de novo.")               \
    X(HEADERS_TOO_LARGE, 431, false, "Cabeçalhos grandes demais",                                  \
      "Os cabeçalhos passam do limite.")                                                           \
    X(INTERNAL, 500, false, "Erro interno", "Algo falhou dentro do servidor.")                     \
    X(DATABASE_AWAY, 503, true, "Banco de dados indisponível", "O banco de dados não respondeu.")  \
    X(CACHE_AWAY, 503, true, "Cache indisponível", "O Redis não respondeu.")                       \
    X(OVERLOADED, 503, true, "Sobrecarga",                                                         \
      "Pedidos demais ao mesmo tempo; tente de novo em instantes.")                                \
    X(DEADLINE, 503, true, "Prazo da requisição esgotado", "O servidor não respondeu a tempo.")    \
    X(LOCKED, 503, true, "Bloqueado por outra operação",                                           \
      "Outra operação segura o que isto precisa; tente de novo.")                                  \
    X(OUTCOME_UNKNOWN, 503, true, "Resultado desconhecido",                                        \
      "O que foi pedido pode ou não ter sido feito.")                                              \
    X(STOPPING, 503, true, "Servidor em encerramento",                                             \
      "Este servidor está parando; tente de novo.")                                                \
    X(NOT_CONFIGURED, 503, false, "Recurso não configurado", "Falta configurar este recurso.")     \
    X(STORAGE_AWAY, 503, true, "Armazenamento indisponível", "O armazenamento não respondeu.")     \
    X(STORAGE_FULL, 507, false, "Sem espaço para o arquivo", "Não há mais espaço.")                \
    X(PENDING, 0, false, "Em andamento", "")

enum status {
#define X(name, http, retry, title, detail) STATUS_##name,
    STATUS_MAP(X)
#undef X
        STATUS_COUNT
};

/* HTTP status code (RFC 9110 section 15); 0 for STATUS_PENDING. */
unsigned status_http(enum status s);
/* "DATABASE_AWAY": for logs and metrics. Static. */
const char *status_name(enum status s);
/* Title for a problem document. Static. */
const char *status_title(enum status s);
/* Detail for a problem document whose maker knows none; "" for what is no problem. Static. */
const char *status_detail(enum status s);
/* May the same request succeed when it is simply sent again later? */
bool status_retryable(enum status s);

#endif
