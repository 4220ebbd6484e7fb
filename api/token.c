/* token: owns the form of a token and all that is asked of one. libjwt makes and compares the
 * signature; it takes the algorithm from the token and looks at no time, so everything else is done
 * here, and before it sees the bytes (libjwt 1.10 to 2.1). */
#include "token.h"

#include <jansson.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { KEYS_MAX = 2 };

struct token_keys {
    unsigned n;
    struct {
        unsigned char *secret;
        int len;
    } key[KEYS_MAX];
};

static const char NOT_VALID[] = "O token não é válido.";

/* ---- keys ---- */

static bool add_key(struct token_keys *keys, const char *secret, size_t len)
{
    unsigned char *copy = malloc(len + 1);
    if (!copy)
        return false;
    memcpy(copy, secret, len);
    copy[len] = 0;
    keys->key[keys->n].secret = copy;
    keys->key[keys->n++].len = (int)len;
    return true;
}

struct token_keys *token_keys_new(const char *secrets)
{
    struct token_keys *keys = calloc(1, sizeof *keys);
    while (keys && *secrets && keys->n < KEYS_MAX) {
        size_t n = strcspn(secrets, ",");
        if (n == 0 || !add_key(keys, secrets, n)) {
            token_keys_free(keys);
            return NULL;
        }
        secrets += n + (secrets[n] == ',');
    }
    return keys;
}

void token_keys_free(struct token_keys *keys)
{
    if (!keys)
        return;
    for (unsigned i = 0; i < keys->n; i++) {
        explicit_bzero(keys->key[i].secret, (size_t)keys->key[i].len);
        free(keys->key[i].secret);
    }
    free(keys);
}

/* ---- making ---- */

static bool put_claims(jwt_t *jwt, const struct token_claims *c)
{
    char sub[24];
    snprintf(sub, sizeof sub, "%lld", (long long)c->sub);
    return jwt_add_grant(jwt, "sub", sub) == 0 &&
           jwt_add_grant(jwt, "papel", account_role_name(c->papel)) == 0 &&
           jwt_add_grant(jwt, "jti", c->jti) == 0 &&
           jwt_add_grant_int(jwt, "iat", (long)c->iat) == 0 &&
           jwt_add_grant_int(jwt, "exp", (long)c->exp) == 0 &&
           jwt_add_grant_int(jwt, "ini", (long)c->ini) == 0 &&
           jwt_add_grant_int(jwt, "desde", (long)c->desde) == 0;
}

char *token_make(const struct token_keys *keys, const struct token_claims *claims)
{
    jwt_t *jwt = NULL;
    char *token = NULL;
    if (keys->n == 0 || jwt_new(&jwt) != 0)
        return NULL;
    if (put_claims(jwt, claims) &&
        jwt_set_alg(jwt, JWT_ALG_HS256, keys->key[0].secret, keys->key[0].len) == 0)
        token = jwt_encode_str(jwt);
    jwt_free(jwt);
    return token;
}

/* ---- checking: the form ---- */

/* Three parts of unpadded base64url, none empty. Only the first two are told. */
static bool split(const char *token, size_t len, size_t ret_dot[2])
{
    unsigned dots = 0;
    for (size_t i = 0; i < len; i++) {
        char c = token[i];
        if (c == '.') {
            if (dots == 2 || i == 0 || token[i - 1] == '.')
                return false;
            ret_dot[dots++] = i;
        } else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_')) {
            return false;
        }
    }
    return dots == 2 && ret_dot[1] + 1 < len;
}

static json_t *object_of(const char *coded, size_t len)
{
    uint8_t text[TOKEN_MAX];
    size_t n;
    if (!text_unbase64url(coded, len, text, sizeof text, &n))
        return NULL;
    json_t *value = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

/* {"alg":"HS256","typ":"JWT"} and nothing else; typ may be left out. */
static bool header_ok(const char *coded, size_t len)
{
    json_auto_t *header = object_of(coded, len);
    const char *alg = json_string_value(json_object_get(header, "alg"));
    json_t *typ = json_object_get(header, "typ");
    const char *type = json_string_value(typ);
    return alg && strcmp(alg, "HS256") == 0 && (!typ || (type && strcmp(type, "JWT") == 0)) &&
           json_object_size(header) == (typ ? 2 : 1);
}

/* ---- checking: the signature ---- */

static bool signed_with(const char *token, const unsigned char *secret, int len)
{
    jwt_t *jwt = NULL;
    bool good = jwt_decode(&jwt, token, secret, len) == 0 && jwt_get_alg(jwt) == JWT_ALG_HS256;
    jwt_free(jwt);
    return good;
}

static bool signature_ok(const struct token_keys *keys, const char *token, size_t len)
{
    char copy[TOKEN_MAX + 1];
    bool good = false;
    memcpy(copy, token, len);
    copy[len] = 0;
    for (unsigned i = 0; i < keys->n && !good; i++)
        good = signed_with(copy, keys->key[i].secret, keys->key[i].len);
    return good;
}

/* ---- checking: the claims ---- */

/* An integer of the object, 0 to NUMBER_MAX; `otherwise` when it is not there. -1: it is no such.
 */
static int64_t number(const json_t *claims, const char *name, int64_t otherwise)
{
    const int64_t NUMBER_MAX = 1LL << 53; /* so that sums of two are no trouble */
    const json_t *value = json_object_get(claims, name);
    int64_t n = json_integer_value(value);
    if (!value)
        return otherwise;
    return json_is_integer(value) && n >= 0 && n <= NUMBER_MAX ? n : -1;
}

static bool read_texts(const json_t *claims, struct token_claims *ret)
{
    const json_t *sub = json_object_get(claims, "sub"), *jti = json_object_get(claims, "jti"),
                 *papel = json_object_get(claims, "papel");
    if (!json_is_string(sub) || !json_is_string(jti) || !json_is_string(papel) ||
        !text_int(json_string_value(sub), json_string_length(sub), 1, INT64_MAX, &ret->sub) ||
        !text_token(json_string_value(jti), json_string_length(jti), TOKEN_JTI_MAX) ||
        !account_role_parse(json_string_value(papel), json_string_length(papel), &ret->papel))
        return false;
    strcpy(ret->jti, json_string_value(jti));
    return true;
}

static bool read_numbers(const json_t *claims, struct token_claims *ret)
{
    ret->iat = number(claims, "iat", -1);
    ret->exp = number(claims, "exp", -1);
    ret->nbf = number(claims, "nbf", 0);
    ret->ini = number(claims, "ini", ret->iat);
    ret->desde = number(claims, "desde", ret->iat);
    return ret->iat >= 0 && ret->exp >= 0 && ret->nbf >= 0 && ret->ini >= 0 && ret->desde >= 0;
}

/* No token of ours lives longer, so a longer one was made by somebody else who has the key. */
static bool lives_ok(const struct token_claims *c)
{
    return c->exp > c->iat && c->exp - c->iat <= TOKEN_LIFE_S && c->ini <= c->iat &&
           c->exp - c->ini <= TOKEN_SESSION_S + TOKEN_LEEWAY_S && c->nbf <= c->exp;
}

bool token_expired(int64_t exp, int64_t now_s)
{
    return exp + TOKEN_LEEWAY_S <= now_s;
}

enum status token_check_times(const struct token_claims *c, int64_t now_s, const char **ret_why)
{
    if (token_expired(c->exp, now_s)) {
        *ret_why = "O token expirou.";
        return STATUS_UNAUTHORIZED;
    }
    if (c->iat - TOKEN_LEEWAY_S > now_s || c->nbf - TOKEN_LEEWAY_S > now_s) {
        *ret_why = "O token ainda não vale.";
        return STATUS_UNAUTHORIZED;
    }
    return STATUS_OK;
}

enum status token_check(const struct token_keys *keys, const char *token, size_t len, int64_t now_s,
                        struct token_claims *ret, const char **ret_why)
{
    size_t dot[2];
    struct token_claims c = {0};
    *ret_why = NOT_VALID;
    if (len > TOKEN_MAX || !split(token, len, dot) || !header_ok(token, dot[0]) ||
        !signature_ok(keys, token, len))
        return STATUS_UNAUTHORIZED;
    json_auto_t *claims = object_of(token + dot[0] + 1, dot[1] - dot[0] - 1);
    if (!claims || !read_texts(claims, &c) || !read_numbers(claims, &c) || !lives_ok(&c))
        return STATUS_UNAUTHORIZED;
    enum status st = token_check_times(&c, now_s, ret_why);
    if (st == STATUS_OK)
        *ret = c;
    return st;
}
