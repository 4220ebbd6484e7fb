/* hmac: owns the two hashed pads of a key. OpenSSL's low-level SHA-256 is used because its state is
 * a plain struct: a copy of it stands for the 64 bytes of pad already hashed, where EVP would
 * allocate and look the algorithm up for every message. */
#define OPENSSL_API_COMPAT 0x10100000L /* those calls, deprecated since 3.0, without warnings */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hmac.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SHA256_LEN == SHA256_DIGEST_LENGTH, "one length of a SHA-256");

struct hmac_key {
    SHA256_CTX inner, outer; /* after key ^ ipad, after key ^ opad */
};

static void hash_pad(SHA256_CTX *ctx, const uint8_t key[SHA256_CBLOCK], uint8_t pad)
{
    uint8_t block[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ pad;
    SHA256_Init(ctx);
    SHA256_Update(ctx, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

struct hmac_key *hmac_key_new(const void *secret, size_t len)
{
    uint8_t block[SHA256_CBLOCK] = {0};
    struct hmac_key *k = malloc(sizeof *k);
    if (!k)
        return NULL;
    if (len > sizeof block) /* RFC 2104 section 2: a longer key is hashed first */
        sha256(secret, len, block);
    else if (len > 0)
        memcpy(block, secret, len);
    hash_pad(&k->inner, block, 0x36);
    hash_pad(&k->outer, block, 0x5c);
    OPENSSL_cleanse(block, sizeof block);
    return k;
}

void hmac_key_free(struct hmac_key *k)
{
    if (!k)
        return;
    OPENSSL_cleanse(k, sizeof *k);
    free(k);
}

void hmac_sha256(const struct hmac_key *k, const void *data, size_t len, uint8_t out[SHA256_LEN])
{
    SHA256_CTX ctx = k->inner;
    uint8_t inner[SHA256_LEN];
    SHA256_Update(&ctx, data, len);
    SHA256_Final(inner, &ctx);
    ctx = k->outer;
    SHA256_Update(&ctx, inner, sizeof inner);
    SHA256_Final(out, &ctx);
    OPENSSL_cleanse(&ctx, sizeof ctx);
}

void sha256(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, data, len);
    SHA256_Final(out, &ctx);
}

struct sha256 {
    SHA256_CTX ctx;
};

struct sha256 *sha256_begin(void)
{
    struct sha256 *s = malloc(sizeof *s);
    if (s)
        SHA256_Init(&s->ctx);
    return s;
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
    SHA256_Update(&s->ctx, data, len);
}

void sha256_end(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    SHA256_Final(out, &s->ctx);
}

void sha256_free(struct sha256 *s)
{
    free(s);
}
