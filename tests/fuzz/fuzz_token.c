/* A token (token.c) from anywhere: what is believed says nothing that we do not give, and can be
 * made anew. The first byte chooses: as it came, or the rest as claims under our own header and
 * signature, so that the fuzzer gets past the signature. */
#include <stdlib.h>
#include <string.h>

#include "api/token.h"
#include "fuzz.h"
#include "hmac.h"
#include "text.h"

#define KEY "chave-de-teste-com-32-bytes-ou-mais"

enum { NOW = 1800000000 };

static void look_at(const struct token_keys *keys, const char *token, size_t len)
{
    struct token_claims c, again;
    const char *why;
    if (token_check(keys, token, len, NOW, &c, &why) != STATUS_OK) {
        MUST(why && *why);
        return;
    }
    MUST(len <= TOKEN_MAX && c.sub >= 1 && (unsigned)c.papel < ROLE_COUNT && *c.jti);
    MUST(c.exp > NOW - TOKEN_LEEWAY_S && c.iat <= NOW + TOKEN_LEEWAY_S);
    MUST(c.exp - c.iat <= TOKEN_LIFE_S && c.ini <= c.iat);
    char *made = token_make(keys, &c);
    MUST(made && token_check(keys, made, strlen(made), NOW, &again, &why) == STATUS_OK);
    MUST(again.sub == c.sub && again.exp == c.exp && strcmp(again.jti, c.jti) == 0);
    free(made);
}

static size_t sign(const uint8_t *claims, size_t size, char *token)
{
    static const char header[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
    uint8_t mac[SHA256_LEN];
    struct hmac_key *key = hmac_key_new(KEY, sizeof KEY - 1);
    size_t n = sizeof header - 1;
    memcpy(token, header, n);
    n += text_base64url(claims, size, token + n);
    hmac_sha256(key, token, n, mac);
    hmac_key_free(key);
    token[n++] = '.';
    return n + text_base64url(mac, sizeof mac, token + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char token[4096];
    if (size < 1 || size > 2048)
        return 0;
    struct token_keys *keys = token_keys_new(KEY);
    if (data[0] == '!')
        look_at(keys, token, sign(data + 1, size - 1, token));
    else
        look_at(keys, (const char *)data, size);
    token_keys_free(keys);
    return 0;
}
