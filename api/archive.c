/* archive: owns the cursors of the archive's pages: base64url of "kind.us.id". */
#include "archive.h"

#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "jsonput.h"
#include "redact.h"
#include "reply.h"
#include "store.h"
#include "text.h"

/* Years 0001 and 9999: what PostgreSQL and RFC 3339 both can say. */
#define PLACE_MIN (-62135596800000000LL)
#define PLACE_MAX 253402300799999999LL

/* ---- members ---- */

void archive_put_text(struct buf *b, const char *name, struct pg_text text)
{
    buf_printf(b, ",\"%s\":", name);
    if (text.data)
        jsonput_string(b, text.data, text.len);
    else
        buf_lit(b, "null");
}

void archive_put_time(struct buf *b, const char *name, int64_t us)
{
    buf_printf(b, ",\"%s\":", name);
    if (us == STORE_NO_TIME)
        buf_lit(b, "null");
    else
        jsonput_time(b, us);
}

void archive_put_int(struct buf *b, const char *name, int64_t n)
{
    buf_printf(b, ",\"%s\":%lld", name, (long long)n);
}

void archive_put_hidden(struct buf *b, const char *name, struct pg_text text)
{
    if (text.data)
        text = (struct pg_text){REDACT_MARK, sizeof REDACT_MARK - 1};
    archive_put_text(b, name, text);
}

static bool is_sqlstate(struct pg_text reason)
{
    static const char upper[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return reason.len > 5 && strspn(reason.data, upper) == 5 && reason.data[5] == ':';
}

void archive_put_reason(struct buf *b, const char *name, struct pg_text reason, bool hidden)
{
    char text[sizeof "XXXXX: " REDACT_MARK];
    if (hidden && reason.data && is_sqlstate(reason)) {
        int n = snprintf(text, sizeof text, "%.5s: " REDACT_MARK, reason.data);
        reason = (struct pg_text){text, (size_t)n};
    }
    archive_put_text(b, name, reason);
}

void archive_answer(struct request *r, const char *content_type, const struct buf *b)
{
    reply_buf(r, STATUS_OK, content_type, b);
    r->reply.secret = true;
}

bool archive_redacts(const struct request *r)
{
    return r->auth->claims.papel == ROLE_READER;
}

/* ---- cursors ---- */

void archive_put_cursor(struct buf *b, char kind, struct archive_place place)
{
    char plain[64], coded[96];
    int n = snprintf(plain, sizeof plain, "%c.%lld.%lld", kind, (long long)place.us,
                     (long long)place.id);
    jsonput_string(b, coded, text_base64url((const uint8_t *)plain, (size_t)n, coded));
}

void archive_end_rows(struct buf *b, char kind, struct archive_place next)
{
    buf_lit(b, "],\"proximo\":");
    if (next.id)
        archive_put_cursor(b, kind, next);
    else
        buf_lit(b, "null");
}

static bool decode(struct slice s, char kind, struct archive_place *ret)
{
    uint8_t plain[64];
    size_t n;
    if (!text_unbase64url(s.data, s.len, plain, sizeof plain, &n) || n < 5 ||
        plain[0] != (uint8_t)kind || plain[1] != '.')
        return false;
    const char *text = (const char *)plain + 2, *end = (const char *)plain + n;
    const char *dot = memchr(text, '.', (size_t)(end - text));
    return dot && text_int(text, (size_t)(dot - text), PLACE_MIN, PLACE_MAX, &ret->us) &&
           text_int(dot + 1, (size_t)(end - dot - 1), 1, INT64_MAX, &ret->id);
}

/* ---- parameters ---- */

enum status archive_read_page(struct request *r, char kind, int64_t *ret_limit,
                              struct archive_place *ret_place)
{
    struct slice limit = request_param(r, "limite"), cursor = request_param(r, "cursor");
    if (limit.data && !text_int(limit.data, limit.len, 1, ARCHIVE_LIMIT_MAX, ret_limit))
        return reply_field(r, STATUS_BAD_REQUEST, "limite", "deve ser um número de 1 a %d",
                           ARCHIVE_LIMIT_MAX);
    if (cursor.data && !decode(cursor, kind, ret_place))
        return reply_field(r, STATUS_BAD_REQUEST, "cursor",
                           "não é um cursor devolvido por esta rota com este filtro");
    return STATUS_OK;
}

/* RFC 3339, or a day alone, which begins at 0:00 UTC. */
static bool read_time(struct slice s, int64_t *ret_us)
{
    char whole[32];
    if (s.len != 10)
        return text_time_parse(s.data, s.len, ret_us);
    snprintf(whole, sizeof whole, "%.10sT00:00:00Z", s.data);
    return text_time_parse(whole, strlen(whole), ret_us);
}

enum status archive_read_times(struct request *r, int64_t *ret_desde_us, int64_t *ret_ate_us)
{
    struct slice desde = request_param(r, "desde"), ate = request_param(r, "ate");
    static const char want[] = "deve ser uma data (AAAA-MM-DD) ou hora (RFC 3339)";
    if (desde.data && !read_time(desde, ret_desde_us))
        return reply_field(r, STATUS_BAD_REQUEST, "desde", "%s", want);
    if (ate.data && !read_time(ate, ret_ate_us))
        return reply_field(r, STATUS_BAD_REQUEST, "ate", "%s", want);
    return STATUS_OK;
}

enum status archive_read_text(struct request *r, const char *name, size_t max, const char **ret)
{
    struct slice given = request_param(r, name);
    size_t chars;
    *ret = given.data;
    if (given.data && (!text_utf8(given.data, given.len, &chars) || chars == 0 || chars > max))
        return reply_field(r, STATUS_BAD_REQUEST, name, "deve ter de 1 a %zu caracteres", max);
    return STATUS_OK;
}

/* Otherwise a search would tell whether a telephone number has ever written. */
static bool names_nobody(const char *campo)
{
    const char *dot = campo ? strrchr(campo, '.') : NULL;
    const char *last = dot ? dot + 1 : campo;
    return last && redact_key(last, strlen(last));
}

enum status archive_read_field(struct request *r, const char **ret_campo, const char **ret_valor)
{
    enum status st = archive_read_text(r, "campo", ARCHIVE_TEXT_MAX, ret_campo);
    if (st == STATUS_OK)
        st = archive_read_text(r, "valor", ARCHIVE_TEXT_MAX, ret_valor);
    if (st != STATUS_OK)
        return st;
    if (*ret_campo && !*ret_valor)
        return reply_field(r, STATUS_BAD_REQUEST, "valor", "é obrigatório com campo");
    if (*ret_valor && archive_redacts(r) && !names_nobody(*ret_campo))
        return auth_refuse_role(r,
                                "O seu papel só procura em campos que não dizem de quem se trata.");
    return STATUS_OK;
}

enum status archive_read_id(struct request *r, int64_t *ret)
{
    if (text_int(r->path_param.data, r->path_param.len, 1, INT64_MAX, ret))
        return STATUS_OK;
    return reply_field(r, STATUS_BAD_REQUEST, "id", "deve ser um número inteiro positivo");
}
