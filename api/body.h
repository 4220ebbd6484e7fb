/* body: the bytes of an answer, shared by every request of a batch that asked for the same.
 * Reference counted by one thread. */
#ifndef ALICERCE_BODY_H
#define ALICERCE_BODY_H

#include <stddef.h>

struct body {
    unsigned refs;
    size_t len;
    char etag[40]; /* strong, quoted; "" until body_tag */
    char data[];
};

/* A copy of `len` bytes with one reference, or NULL. */
struct body *body_new(const void *data, size_t len);
struct body *body_ref(struct body *b);
void body_unref(struct body *b); /* NULL is fine */
/* Fills in the ETag from the bytes (first half of SHA-256) and returns it. */
const char *body_tag(struct body *b);

#endif
