/* router: owns the matching of targets (RFC 9112 section 3.2) and the checks that need no handler.
 */
#include "router.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client_address.h"
#include "ev.h"
#include "loop.h"
#include "multipart.h"
#include "rate.h"
#include "reply.h"
#include "text.h"

/* ---- target ---- */

/* The absolute form, "http://host/path", is what a proxy gets; every server must take it. */
static char *skip_authority(char *target)
{
    char *rest = target;
    if (*target == '/')
        return target;
    if (strncasecmp(target, "http://", 7) == 0)
        rest = target + 7;
    else if (strncasecmp(target, "https://", 8) == 0)
        rest = target + 8;
    if (rest == target)
        return target;
    return rest + strcspn(rest, "/?");
}

void router_path(struct request *r)
{
    char *path = skip_authority(r->target);
    size_t n = strcspn(path, "?");
    r->query = path[n] == '?' ? path + n + 1 : NULL;
    r->path = n || path == r->target ? path : "/"; /* "http://host" means its root */
    r->path_len = n || path == r->target ? n : 1;
}

/* An escaped character is the same path (RFC 3986 section 6.2.2.2), but an escaped slash is none.
 */
static enum status decode_path(struct request *r)
{
    for (size_t i = 0; i < r->path_len; i++)
        if (r->path[i] <= ' ' || (unsigned char)r->path[i] >= 0x7f)
            return STATUS_BAD_REQUEST;
    if (r->path_len == 0 || *r->path != '/')
        return STATUS_BAD_REQUEST;
    if (!memchr(r->path, '%', r->path_len))
        return STATUS_OK;
    char *copy = arena_copy(&r->arena, r->path, r->path_len);
    size_t len;
    if (!copy)
        return STATUS_HEADERS_TOO_LARGE;
    if (strcasestr(copy, "%2f"))
        return STATUS_NOT_FOUND;
    if (!text_percent_decode(copy, r->path_len, false, &len) || !text_utf8(copy, len, NULL))
        return STATUS_BAD_REQUEST;
    r->path = copy;
    r->path_len = len;
    return STATUS_OK;
}

/* ---- matching ---- */

/* The parts of a route's path, in the order of the table: what stands before a "{…}" (all of it
 * where there is none) and what stands behind ("/cancelar"). */
static struct pattern {
    size_t fixed, rest_len;
    const char *rest; /* NULL: no "{…}" */
} * patterns;

__attribute__((constructor)) static void measure(void)
{
    patterns = calloc(n_routes, sizeof *patterns);
    if (!patterns)
        abort();
    for (unsigned i = 0; i < n_routes; i++) {
        const char *path = routes[i].path, *end = strchr(path, '}');
        patterns[i] = (struct pattern){.fixed = strcspn(path, "{"),
                                       .rest = end ? end + 1 : NULL,
                                       .rest_len = end ? strlen(end + 1) : 0};
    }
}

__attribute__((destructor)) static void forget(void)
{
    free(patterns);
}

/* Does this row's path take the request's? A "{…}" segment takes one that is not empty. */
static bool path_matches(unsigned row, struct request *r)
{
    const struct pattern *p = &patterns[row];
    size_t ends = p->fixed + p->rest_len;
    if (p->rest ? r->path_len <= ends : r->path_len != ends)
        return false;
    if (memcmp(routes[row].path, r->path, p->fixed) != 0)
        return false;
    if (!p->rest)
        return true;
    if (memcmp(p->rest, r->path + r->path_len - p->rest_len, p->rest_len) != 0)
        return false;
    r->path_param = (struct slice){r->path + p->fixed, r->path_len - ends};
    return !memchr(r->path_param.data, '/', r->path_param.len);
}

static bool method_matches(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* The methods of all rows with this pattern, as Allow wants them. In the arena. */
static const char *allowed(struct request *r, const char *pattern)
{
    char *list = arena_alloc(&r->arena, 80); /* all methods that there are take 47 */
    if (!list)
        return "OPTIONS";
    *list = 0;
    for (unsigned i = 0; i < n_routes; i++)
        if (strcmp(routes[i].path, pattern) == 0) {
            strcat(list, routes[i].method);
            strcat(list, routes[i].method[0] == 'G' ? ", HEAD, " : ", ");
        }
    return strcat(list, "OPTIONS");
}

static enum status match(struct request *r, const char *method)
{
    const char *pattern = NULL;
    for (unsigned i = 0; i < n_routes; i++) {
        if (pattern ? strcmp(pattern, routes[i].path) != 0 : !path_matches(i, r))
            continue;
        pattern = routes[i].path;
        if (method_matches(&routes[i], method)) {
            r->route = &routes[i];
            return STATUS_OK;
        }
    }
    if (!pattern)
        return STATUS_NOT_FOUND;
    r->reply.allow = allowed(r, pattern);
    if (strcmp(method, "OPTIONS") == 0)
        return reply_constant(r, STATUS_NO_CONTENT, NULL, "", 0);
    return STATUS_METHOD_NOT_ALLOWED;
}

/* ---- query ---- */

struct slice request_param(const struct request *r, const char *name)
{
    for (unsigned i = 0; i < r->n_params; i++)
        if (strcmp(r->params[i].name.data, name) == 0)
            return r->params[i].value;
    return (struct slice){NULL, 0};
}

/* Decodes in place and ends it with a NUL over the separator. */
static bool decode(char *s, size_t len, struct slice *ret)
{
    size_t n;
    if (!text_percent_decode(s, len, true, &n) || !text_utf8(s, n, NULL))
        return false;
    s[n] = 0;
    *ret = (struct slice){s, n};
    return true;
}

static bool known(const struct route *route, const char *name)
{
    for (const char *const *p = route->params; p && *p; p++)
        if (strcmp(*p, name) == 0)
            return true;
    return !route->params;
}

static enum status add_param(struct request *r, char *pair, size_t len)
{
    struct param *p = &r->params[r->n_params];
    size_t name_len = strcspn(pair, "=");
    char *value = pair + name_len + (name_len < len);
    size_t value_len = (size_t)(pair + len - value);
    if (!decode(pair, name_len, &p->name))
        return reply_field(r, STATUS_BAD_REQUEST, "", "nome de parâmetro malformado");
    if (!known(r->route, p->name.data))
        return reply_field(r, STATUS_BAD_REQUEST, p->name.data, "parâmetro desconhecido");
    if (request_param(r, p->name.data).data)
        return reply_field(r, STATUS_BAD_REQUEST, p->name.data, "parâmetro repetido");
    if (!decode(value, value_len, &p->value))
        return reply_field(r, STATUS_BAD_REQUEST, p->name.data, "valor malformado");
    r->n_params++;
    return STATUS_OK;
}

static enum status read_query(struct request *r)
{
    char *next = r->query;
    if (!next)
        return STATUS_OK;
    r->params = arena_alloc(&r->arena, REQUEST_PARAMS_MAX * sizeof *r->params);
    if (!r->params)
        return STATUS_OVERLOADED;
    while (next && *next) {
        char *pair = next;
        size_t len = strcspn(pair, "&");
        next = pair[len] ? pair + len + 1 : NULL;
        pair[len] = 0;
        if (len == 0)
            continue;
        if (r->n_params == REQUEST_PARAMS_MAX)
            return reply_field(r, STATUS_BAD_REQUEST, "", "parâmetros demais");
        enum status st = add_param(r, pair, len);
        if (st != STATUS_OK)
            return st;
    }
    return STATUS_OK;
}

/* ---- body ---- */

static bool is_token(struct slice s, const char *token)
{
    return s.len == strlen(token) && strncasecmp(s.data, token, s.len) == 0;
}

/* application/json or +json, with charset=utf-8 at most (RFC 9110 section 8.3.1). */
static bool is_json(struct slice type)
{
    size_t n = 0;
    while (n < type.len && !strchr("; \t", type.data[n]))
        n++;
    bool json = is_token((struct slice){type.data, n}, "application/json") ||
                (n > 17 && strncasecmp(type.data, "application/", 12) == 0 &&
                 strncasecmp(type.data + n - 5, "+json", 5) == 0);
    const char *charset = memmem(type.data + n, type.len - n, "charset=", 8);
    if (!json || !charset)
        return json;
    charset += 8;
    return type.data + type.len - charset >= 5 &&
           strncasecmp(charset + (*charset == '"'), "utf-8", 5) == 0;
}

static enum status check_type(const struct request *r, const char **ret_why)
{
    struct slice coding = r->headers[HEADER_CONTENT_ENCODING],
                 type = r->headers[HEADER_CONTENT_TYPE];
    if (r->route->body != BODY_JSON)
        return STATUS_OK;
    if (coding.data && !is_token(coding, "identity")) {
        *ret_why = "Content-Encoding não é aceito: envie o corpo sem compressão.";
        return STATUS_UNSUPPORTED_MEDIA;
    }
    if (type.data && !is_json(type)) {
        *ret_why = "Content-Type deve ser application/json (UTF-8).";
        return STATUS_UNSUPPORTED_MEDIA;
    }
    return STATUS_OK;
}

/* ---- limit ---- */

/* Probes, metrics and Meta's calls are not limited: theirs are the addresses of the house. */
static enum status take_from_limit(struct request *r)
{
    struct rate *rate = r->loop->app->rate;
    if (!rate || r->path_len < 5 || memcmp(r->path, "/api/", 5) != 0)
        return STATUS_OK;
    struct cidr_address client = client_address(r);
    struct rate_answer a = rate_take(rate, &client, ev_clock_us());
    r->reply.rate_limit = a.limit;
    r->reply.rate_remaining = a.remaining;
    r->reply.rate_reset_s = a.reset_s;
    if (a.passes)
        return STATUS_OK;
    reply_problem(r, STATUS_TOO_MANY, "Pedidos demais deste endereço; espere um pouco.");
    r->reply.retry_after = a.reset_s;
    return STATUS_TOO_MANY;
}

/* ---- public ---- */

enum status router_find(struct request *r, const char *method, const char **ret_why)
{
    *ret_why = NULL;
    router_path(r);
    if (r->path_len == 1 && *r->path == '*' && strcmp(method, "OPTIONS") == 0) {
        r->reply.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        return reply_constant(r, STATUS_NO_CONTENT, NULL, "", 0);
    }
    enum status st = decode_path(r);
    if (st == STATUS_OK)
        st = take_from_limit(r);
    if (st == STATUS_OK)
        st = match(r, method);
    if (st == STATUS_OK)
        st = auth_check(r);
    if (st == STATUS_OK)
        st = read_query(r);
    if (st == STATUS_OK)
        st = check_type(r, ret_why);
    return st;
}

size_t router_body_max(const struct request *r)
{
    if (r->route && r->route->body == BODY_STREAM)
        return (size_t)r->loop->config->arquivo_max + MULTIPART_FRAME_MAX;
    return r->route && r->route->body_max ? r->route->body_max : BODY_MAX;
}

enum status router_dispatch(struct request *r)
{
    if (r->refused == STATUS_OK)
        return auth_dispatch(r);
    if (r->reply.http == 0)
        reply_problem(r, r->refused, r->refused_why);
    return r->refused;
}
