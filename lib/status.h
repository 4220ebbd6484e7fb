/* status: the one vocabulary of outcomes that both pipes speak.
 *
 * The API turns a status into an HTTP answer, the worker into acknowledge, retry or dead letter.
 * One row per status: name, HTTP status, retryable by the same caller later?, title on the wire.
 * Titles are Portuguese because they are shown to users (RFC 9457 "title"). */
#ifndef ALICERCE_STATUS_H
#define ALICERCE_STATUS_H

#include <stdbool.h>

#define STATUS_MAP(X)                                                                              \
    X(OK, 200, false, "OK")                                                                        \
    X(CREATED, 201, false, "Criado")                                                               \
    X(ACCEPTED, 202, false, "Aceito")                                                              \
    X(NO_CONTENT, 204, false, "Sem conteúdo")                                                      \
    X(PARTIAL, 206, false, "Parte do conteúdo")                                                    \
    X(NOT_MODIFIED, 304, false, "Não modificado")                                                  \
    X(BAD_REQUEST, 400, false, "Requisição inválida")                                              \
    X(UNAUTHORIZED, 401, false, "Não autorizado")                                                  \
    X(FORBIDDEN, 403, false, "Proibido")                                                           \
    X(NOT_FOUND, 404, false, "Não encontrado")                                                     \
    X(METHOD_NOT_ALLOWED, 405, false, "Método não permitido")                                      \
    X(REQUEST_TIMEOUT, 408, true, "O corpo da requisição não chegou a tempo")                      \
    X(CONFLICT, 409, false, "Conflito")                                                            \
    X(GONE, 410, false, "Não existe mais")                                                         \
    X(PRECONDITION_FAILED, 412, false, "Pré-condição falhou")                                      \
    X(TOO_LARGE, 413, false, "Corpo grande demais")                                                \
    X(URI_TOO_LONG, 414, false, "Endereço longo demais")                                           \
    X(UNSUPPORTED_MEDIA, 415, false, "Tipo de conteúdo não suportado")                             \
    X(RANGE_UNSATISFIABLE, 416, false, "Intervalo fora do conteúdo")                               \
    X(INVALID, 422, false, "Campos inválidos")                                                     \
    X(TOO_MANY, 429, true, "Requisições demais")                                                   \
    X(HEADERS_TOO_LARGE, 431, false, "Cabeçalhos grandes demais")                                  \
    X(INTERNAL, 500, false, "Erro interno")                                                        \
    X(DATABASE_AWAY, 503, true, "Banco de dados indisponível")                                     \
    X(CACHE_AWAY, 503, true, "Cache indisponível")                                                 \
    X(OVERLOADED, 503, true, "Sobrecarga")                                                         \
    X(DEADLINE, 503, true, "Prazo da requisição esgotado")                                         \
    X(OUTCOME_UNKNOWN, 503, true, "Resultado desconhecido")                                        \
    X(STOPPING, 503, true, "Servidor em encerramento")                                             \
    X(NOT_CONFIGURED, 503, false, "Recurso não configurado")                                       \
    X(STORAGE_AWAY, 503, true, "Armazenamento indisponível")                                       \
    X(STORAGE_FULL, 507, false, "Sem espaço para o arquivo")                                       \
    X(PENDING, 0, false, "Em andamento")

enum status {
#define X(name, http, retry, title) STATUS_##name,
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
/* May the same request succeed when it is simply sent again later? */
bool status_retryable(enum status s);

#endif
