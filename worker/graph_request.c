/* graph_request: owns the query of a look-up, made once: only the id differs. */
#include "graph_request.h"

#include <stdint.h>
#include <string.h>

#include "hmac.h"
#include "text.h"

/* Fields of a lead; page and proof aside, everything that a row of leads has. */
#define FIELDS "id,created_time,ad_id,adset_id,form_id,is_organic,field_data"

/* RFC 3986 section 2.3: all but the unreserved characters. */
static void add_escaped(struct buf *b, const char *s)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (; *s; s++) {
        if (strchr(unreserved, *s)) {
            buf_char(b, *s);
            continue;
        }
        buf_char(b, '%');
        buf_char(b, digits[(unsigned char)*s >> 4]);
        buf_char(b, digits[*s & 15]);
    }
}

/* HMAC-SHA256 of the token under the first secret, in lower-case hex. */
static bool add_proof(struct buf *b, const char *token, const char *secrets)
{
    uint8_t proof[SHA256_LEN];
    char hex[2 * SHA256_LEN];
    struct hmac_key *key = hmac_key_new(secrets, strcspn(secrets, ","));
    if (!key)
        return false;
    hmac_sha256(key, token, strlen(token), proof);
    hmac_key_free(key);
    text_hex(proof, sizeof proof, hex);
    buf_lit(b, "&appsecret_proof=");
    buf_add(b, hex, sizeof hex);
    explicit_bzero(proof, sizeof proof);
    explicit_bzero(hex, sizeof hex);
    return true;
}

bool graph_request_init(struct graph_request *r, const char *url, const char *token,
                        const char *secrets)
{
    *r = (struct graph_request){buf_init(GRAPH_URL_MAX), buf_init(GRAPH_URL_MAX * 2)};
    buf_str(&r->base, url);
    buf_char(&r->base, '/');
    /* all at once: a buffer that grows leaves a copy behind */
    if (!buf_reserve(&r->query, sizeof FIELDS + 3 * strlen(token) + 256))
        return false;
    buf_lit(&r->query, "?fields=" FIELDS "&access_token=");
    add_escaped(&r->query, token);
    return (!secrets || add_proof(&r->query, token, secrets)) && !buf_failed(&r->base) &&
           !buf_failed(&r->query);
}

void graph_request_wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->size);
    buf_release(b);
}

void graph_request_release(struct graph_request *r)
{
    buf_release(&r->base);
    graph_request_wipe(&r->query);
}

bool graph_request_id(struct pg_text id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '_'))
            return false;
    }
    return id.len > 0 && id.len <= GRAPH_ID_MAX;
}

bool graph_request_url(const struct graph_request *r, struct pg_text id, struct buf *to)
{
    buf_reset(to);
    if (!buf_reserve(to, r->base.len + id.len + r->query.len + 1))
        return false;
    buf_add(to, r->base.data, r->base.len);
    buf_add(to, id.data, id.len);
    buf_add(to, r->query.data, r->query.len);
    buf_char(to, '\0');
    return !buf_failed(to);
}
