/* hmac: HMAC-SHA256 (RFC 2104, FIPS 180-4) with the two pads hashed once per key.
 * The intake checks every delivery with it. */
#ifndef ALICERCE_HMAC_H
#define ALICERCE_HMAC_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_LEN = 32 };

struct hmac_key; /* secret, immutable after hmac_key_new: any thread may use it */

struct hmac_key *hmac_key_new(const void *secret, size_t len);
/* Clears the secret. NULL is fine. */
void hmac_key_free(struct hmac_key *k);
void hmac_sha256(const struct hmac_key *k, const void *data, size_t len, uint8_t out[SHA256_LEN]);
void sha256(const void *data, size_t len, uint8_t out[SHA256_LEN]);

/* The same of bytes that come piece by piece. One thread at a time. */
struct sha256;
struct sha256 *sha256_begin(void); /* NULL without memory */
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, uint8_t out[SHA256_LEN]);
void sha256_free(struct sha256 *s); /* NULL is fine */

#endif
