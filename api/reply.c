/* reply: owns the form of every answer: problem documents, tags, retry hints. */
#include "reply.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "jsonput.h"
#include "text.h"

#define REPLY_PROBLEM "application/problem+json; charset=utf-8"

enum { PROBLEM_MAX = 16 * 1024, FRESH_ID_LEN = 32 };

enum status reply_constant(struct request *r, enum status st, const char *content_type,
                           const char *data, size_t len)
{
    r->reply.http = status_http(st);
    r->reply.content_type = content_type;
    r->reply.constant = (struct slice){data, len};
    r->reply.is_static = true;
    return st;
}

enum status reply_bytes(struct request *r, enum status st, const char *content_type,
                        const char *data, size_t len)
{
    reply_constant(r, st, content_type, data, len);
    r->reply.is_static = false;
    return st;
}

enum status reply_body(struct request *r, enum status st, const char *content_type,
                       struct body *body)
{
    if (!body)
        return reply_problem(r, STATUS_OVERLOADED, "Sem memória para a resposta.");
    r->reply.http = status_http(st);
    r->reply.content_type = content_type;
    r->reply.body = body_ref(body);
    return st;
}

enum status reply_buf(struct request *r, enum status st, const char *content_type,
                      const struct buf *b)
{
    struct body *body = buf_failed(b) ? NULL : body_new(b->data, b->len);
    st = reply_body(r, st, content_type, body);
    body_unref(body);
    return st;
}

static void forget_body(struct request *r)
{
    struct stream *s = r->reply.stream;
    body_unref(r->reply.body);
    r->reply.body = NULL;
    r->reply.stream = NULL;
    if (s)
        stream_drop(s);
}

enum status reply_stream(struct request *r, enum status st, const char *content_type,
                         struct stream *s, uint64_t length)
{
    r->reply.http = status_http(st);
    r->reply.content_type = content_type;
    r->reply.stream = s;
    stream_adopt(s, r, length);
    return st;
}

void reply_header(struct request *r, const char *name, const char *value)
{
    struct reply_header *h = arena_alloc(&r->arena, sizeof *h);
    if (!h)
        return; /* without memory an answer still has its body */
    *h = (struct reply_header){name, value, r->reply.more};
    r->reply.more = h;
}

/* Weak comparison over a list, as If-None-Match wants it; our own tags have no commas. */
static bool tag_matches(struct slice list, const char *etag)
{
    size_t n = strlen(etag);
    if (!list.data)
        return false;
    if (list.len == 1 && list.data[0] == '*')
        return true;
    const char *found = memmem(list.data, list.len, etag, n);
    return found != NULL;
}

enum status reply_tagged(struct request *r, struct body *body, struct slice if_none_match)
{
    if (!body)
        return reply_body(r, STATUS_OK, REPLY_JSON, NULL);
    memcpy(r->reply.etag, body_tag(body), sizeof r->reply.etag);
    if (tag_matches(if_none_match, r->reply.etag))
        return reply_constant(r, STATUS_NOT_MODIFIED, NULL, "", 0);
    return reply_body(r, STATUS_OK, REPLY_JSON, body);
}

static void put_member(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, ",\"%s\":", name);
    jsonput_string(b, value, strlen(value));
}

/* `instance` is a URI reference (RFC 9457 section 3.1.5): what a path cannot hold (RFC 3986 section
 * 3.3) is escaped, which also bounds its length to three times the path's. The query is left out:
 * it may hold what nobody should log. */
static void put_instance(struct buf *b, const char *path, size_t len)
{
    buf_lit(b, ",\"instance\":\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)path[i];
        bool escape = c == '%' && i + 2 < len && isxdigit((unsigned char)path[i + 1]) &&
                      isxdigit((unsigned char)path[i + 2]);
        if (escape || isalnum(c) || (c && strchr("/-._~!$&'()*+,;=:@", c)))
            buf_char(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
    buf_char(b, '"');
}

static void put_head(struct buf *b, const struct request *r, enum status st, const char *detail)
{
    buf_printf(b, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u", status_title(st),
               status_http(st));
    put_member(b, "detail", detail ? detail : status_detail(st));
    put_instance(b, r->path ? r->path : "/", r->path ? r->path_len : 1);
}

static enum status finish(struct request *r, enum status st, struct buf *b)
{
    buf_char(b, '}');
    forget_body(r);
    r->reply.more = NULL;
    struct body *body = buf_failed(b) ? NULL : body_new(b->data, b->len);
    buf_release(b);
    r->reply.http = status_http(st);
    r->reply.content_type = REPLY_PROBLEM;
    r->reply.body = body; /* without memory the status alone has to do */
    r->reply.constant = (struct slice){"", 0};
    r->reply.is_static = false;
    r->reply.etag[0] = 0;
    if (status_retryable(st))
        r->reply.retry_after = 1;
    return st;
}

enum status reply_problem(struct request *r, enum status st, const char *detail)
{
    struct buf b = buf_init(PROBLEM_MAX);
    put_head(&b, r, st, detail);
    return finish(r, st, &b);
}

enum status reply_fields(struct request *r, enum status st, const struct jsonget_error *errors,
                         unsigned n)
{
    struct buf b = buf_init(PROBLEM_MAX);
    char detail[sizeof errors->field + sizeof errors->message + 4];
    snprintf(detail, sizeof detail, "%s%s%s", errors[0].field, *errors[0].field ? ": " : "",
             errors[0].message);
    put_head(&b, r, st, detail);
    buf_lit(&b, ",\"erros\":[");
    for (unsigned i = 0; i < n; i++) {
        buf_str(&b, i ? ",{\"campo\":" : "{\"campo\":");
        jsonput_string(&b, errors[i].field, strlen(errors[i].field));
        put_member(&b, "mensagem", errors[i].message);
        buf_char(&b, '}');
    }
    buf_char(&b, ']');
    return finish(r, st, &b);
}

enum status reply_jsonget(struct request *r, enum status st, const struct jsonget *g)
{
    return g->n_errors ? reply_fields(r, st, g->errors, g->n_errors)
                       : reply_problem(r, STATUS_OVERLOADED, "Sem memória para ler o corpo.");
}

/* snprintf may have cut a character in two. */
static void trim_utf8(char *s)
{
    size_t n = strlen(s);
    while (n && !text_utf8(s, n, NULL))
        s[--n] = 0;
}

enum status reply_field(struct request *r, enum status st, const char *field, const char *fmt, ...)
{
    struct jsonget_error error;
    va_list args;
    va_start(args, fmt);
    snprintf(error.field, sizeof error.field, "%s", field);
    vsnprintf(error.message, sizeof error.message, fmt, args);
    va_end(args);
    trim_utf8(error.field);
    trim_utf8(error.message);
    return reply_fields(r, st, &error, 1);
}

void reply_reset(struct request *r)
{
    struct reply *reply = &r->reply;
    forget_body(r);
    *reply = (struct reply){.rate_limit = reply->rate_limit,
                            .rate_remaining = reply->rate_remaining,
                            .rate_reset_s = reply->rate_reset_s};
}

/* No request has it, so no loop counts it. Without randomness it is zeros: a sane token, too. */
static void fresh_id(char ret[FRESH_ID_LEN + 1])
{
    uint8_t bits[FRESH_ID_LEN / 2] = {0};
    ssize_t n = getrandom(bits, sizeof bits, GRND_NONBLOCK);
    (void)n;
    text_hex(bits, sizeof bits, ret);
    ret[FRESH_ID_LEN] = 0;
}

void reply_raw(int fd, enum status st, const char *id)
{
    char body[320], head[768], own[FRESH_ID_LEN + 1];
    if (!id)
        fresh_id(own);
    int n = snprintf(body, sizeof body,
                     "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\","
                     "\"instance\":\"/\"}",
                     status_title(st), status_http(st), status_detail(st));
    int m = snprintf(head, sizeof head,
                     "HTTP/1.1 %u Refused\r\nContent-Type: " REPLY_PROBLEM
                     "\r\nContent-Length: %d\r\nX-Request-Id: %s\r\nConnection: close\r\n\r\n%s",
                     status_http(st), n, id ? id : own, body);
    if (m > 0 && m < (int)sizeof head)
        send(fd, head, (size_t)m, MSG_DONTWAIT | MSG_NOSIGNAL);
}
