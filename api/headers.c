/* headers: owns the table of header names that the API reads. */
#include "headers.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#include "text.h"

static const struct {
    const char *name;
    size_t len;
} names[HEADER_COUNT] = {
#define NAME(s)                                                                                    \
    {                                                                                              \
        s, sizeof s - 1                                                                            \
    }
    [HEADER_HOST] = NAME("Host"),
    [HEADER_CONTENT_LENGTH] = NAME("Content-Length"),
    [HEADER_TRANSFER_ENCODING] = NAME("Transfer-Encoding"),
    [HEADER_CONTENT_TYPE] = NAME("Content-Type"),
    [HEADER_CONTENT_ENCODING] = NAME("Content-Encoding"),
    [HEADER_IF_MATCH] = NAME("If-Match"),
    [HEADER_RANGE] = NAME("Range"),
    [HEADER_IF_RANGE] = NAME("If-Range"),
    [HEADER_AUTHORIZATION] = NAME("Authorization"),
    [HEADER_FORWARDED_FOR] = NAME("X-Forwarded-For"),
    [HEADER_IF_NONE_MATCH] = NAME("If-None-Match"),
    [HEADER_IDEMPOTENCY_KEY] = NAME("Idempotency-Key"),
    [HEADER_REQUEST_ID] = NAME("X-Request-Id"),
    [HEADER_SIGNATURE] = NAME("X-Hub-Signature-256"),
    [HEADER_TRACEPARENT] = NAME("traceparent"),
    [HEADER_USER_AGENT] = NAME("User-Agent"),
    [HEADER_ORIGIN] = NAME("Origin"),
    [HEADER_LAST_EVENT_ID] = NAME("Last-Event-ID"),
#undef NAME
};

struct reading {
    struct request *r;
    const char *line; /* where the next line must begin; NULL when that cannot be told */
    const char *why;
    unsigned n; /* headers so far */
};

static enum header find(const char *name, size_t len)
{
    for (unsigned i = 0; i < HEADER_COUNT; i++)
        if (names[i].len == len && strncasecmp(names[i].name, name, len) == 0)
            return (enum header)i;
    return HEADER_COUNT;
}

/* All of these count once; a second one is an attack or a broken client, whichever the header. But
 * proxies may each add a line of X-Forwarded-For: the last one is the nearest proxy's. */
static void keep(struct reading *reading, enum header h, const char *value, size_t len)
{
    struct slice *slot = &reading->r->headers[h];
    if (slot->data && h != HEADER_FORWARDED_FOR)
        reading->why = h == HEADER_HOST             ? "Cabeçalho Host repetido."
                       : h == HEADER_CONTENT_LENGTH ? "Cabeçalho Content-Length repetido."
                                                    : "Cabeçalho repetido.";
    while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--; /* white space around a value is not part of it (RFC 9112 section 5.1) */
    *slot = (struct slice){value ? value : "", len};
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct reading *reading = cls;
    reading->n++;
    if (reading->line && name != reading->line)
        reading->why = "Linha de cabeçalho malformada (NUL, LF sem CR ou continuação).";
    if (!text_http_token(name, name_len))
        reading->why = "Nome de cabeçalho inválido.";
    enum header h = find(name, name_len);
    if (h < HEADER_COUNT)
        keep(reading, h, value, value_len);
    if (reading->line)
        reading->line = value + value_len + 2; /* CR LF, both made NUL by then */
    return reading->why ? MHD_NO : MHD_YES;
}

static const char *check_framing(const struct request *r, const char *version)
{
    const struct slice *te = &r->headers[HEADER_TRANSFER_ENCODING];
    bool http11 = strcmp(version, "HTTP/1.1") == 0;
    if (http11 && !r->headers[HEADER_HOST].data)
        return "Falta o cabeçalho Host.";
    if (!te->data)
        return NULL;
    if (r->headers[HEADER_CONTENT_LENGTH].data)
        return "Content-Length e Transfer-Encoding juntos.";
    if (!http11 || te->len != 7 || strncasecmp(te->data, "chunked", 7) != 0)
        return "Transfer-Encoding não suportado: só chunked.";
    return NULL;
}

/* libmicrohttpd before 1.0 makes strings of the lines in place, so that an unseen NUL, a bare LF or
 * a folded line shows as a gap between one line and the next. From 1.0 on it refuses them itself.
 */
static bool in_place(void)
{
    return MHD_VERSION < 0x01000000;
}

/* As they came, the request line included; 0 when the library does not tell. */
static size_t bytes_of(const struct request *r)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return size ? size->header_size : 0;
}

enum status headers_read(struct request *r, const char *method, const char *version,
                         const char **ret_why, size_t *ret_size)
{
    enum { NODE = 64 }; /* libmicrohttpd keeps one in the pool for each header */
    size_t bytes = bytes_of(r);
    struct reading reading = {.r = r, .line = in_place() ? version + strlen(version) + 2 : NULL};
    if (reading.line && version != r->target_end + 1)
        reading.why = "Linha de requisição malformada (NUL ou espaço no endereço).";
    MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, on_header, &reading);
    if (!reading.why && reading.line && bytes && reading.line + 2 != method + bytes)
        reading.why = "Linha de cabeçalho malformada (NUL, LF sem CR ou continuação).";
    if (!reading.why)
        reading.why = check_framing(r, version);
    *ret_why = reading.why;
    if (reading.why) /* the walk may have ended early */
        reading.n =
            (unsigned)MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, NULL, NULL);
    *ret_size = bytes + (size_t)reading.n * NODE;
    return reading.why ? STATUS_BAD_REQUEST : STATUS_OK;
}
