/* bucket: objects of an S3-compatible store, by libcurl and its AWS signatures.
 *
 * Everything but bucket_new and bucket_stop blocks, within bounds: for the threads of offload
 * alone, any number of them. Keys are of letters, digits and '/'. Nothing is believed that was not
 * asked for: an answer of another length, another place or another version of the object is a
 * failure. What may be done again is, twice at most and within the bound of the call. While the
 * store does not answer at all, one call every BUCKET_AWAY_MS asks for it and all others fail at
 * once, so that nobody queues behind a server that hangs.
 *
 * Amazon S3 API Reference: PutObject, GetObject, DeleteObject; libcurl: CURLOPT_AWS_SIGV4(3). */
#ifndef ALICERCE_BUCKET_H
#define ALICERCE_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hmac.h"
#include "status.h"

struct bucket;

enum {
    BUCKET_WHY = 160, /* why it failed, in English, for the log: no secrets */
    BUCKET_TAG = 96,  /* an ETag with its quotes and the NUL: S3's have 34 or a few more */
    BUCKET_AWAY_MS = 2000,
    BUCKET_PUT_MS = 60000,    /* no PUT takes longer; below the front's and the daemon's patience */
    BUCKET_PUT_BYTES_MS = 512 /* a slower PUT is given up: bytes a millisecond */
};

struct bucket_options {
    const char *url; /* as config has checked it; kept until bucket_free, as the others */
    const char *region, *access_key, *secret_key;
    int64_t timeout_ms; /* of each call, but for the time that a PUT's bytes take */
};

/* Before any thread is started (curl_global_init(3)). NULL without memory. */
struct bucket *bucket_new(const struct bucket_options *o);
/* From within_ms on calls under way end, within a second, and later ones fail at once: for the end
 * of the process. From any thread. */
void bucket_stop(struct bucket *b, int64_t within_ms);
/* When no call is under way. NULL is fine. */
void bucket_free(struct bucket *b);

/* Does it answer, as far as is known? From any thread. */
bool bucket_there(const struct bucket *b);
/* The longest that a PUT of so many bytes takes, with all its attempts. */
int64_t bucket_put_ms(const struct bucket *b, int64_t size);

/* Stores the first `size` bytes of fd under the key. The store compares them with the digest,
 * which is part of the signature. STATUS_OK: whole and there; STORAGE_FULL; STORAGE_AWAY: it may be
 * there or not. */
enum status bucket_put(struct bucket *b, const char *key, int fd, int64_t size,
                       const uint8_t sha256[SHA256_LEN], char why[static BUCKET_WHY]);

struct bucket_part {
    int64_t first, size;  /* where it begins, and what the whole object has */
    size_t len;           /* of the part, at least 1 */
    char tag[BUCKET_TAG]; /* "": not known yet; afterwards every part must have the same */
};

/* Reads all of the part into out. STATUS_OK; GONE: there is no such object; STORAGE_AWAY. */
enum status bucket_get(struct bucket *b, const char *key, struct bucket_part *part, void *out,
                       char why[static BUCKET_WHY]);
/* STATUS_OK when it is not there any more. */
enum status bucket_remove(struct bucket *b, const char *key, char why[static BUCKET_WHY]);

#endif
