/* body: the bytes of an answer, shared by every request of a batch that asked for the same, with
 * libmicrohttpd's response for those that want no header of their own. Reference counted by one
 * thread. */
#ifndef ALICERCE_BODY_H
#define ALICERCE_BODY_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Response;

/* A response that many requests are answered with; kept by answer.c. */
struct body_response {
    struct MHD_Response *response; /* NULL: not made yet */
    char *id, *date;               /* the values of these headers, rewritten for each of them */
    const char *content_type;
    bool tagged, secret; /* it has the ETag; it has no-store */
};

struct body {
    unsigned refs;
    size_t len;
    struct body_response shared;
    char etag[40]; /* strong, quoted; "" until body_tag */
    char data[];
};

/* A copy of `len` bytes with one reference, or NULL. */
struct body *body_new(const void *data, size_t len);
struct body *body_ref(struct body *b);
void body_unref(struct body *b); /* NULL is fine */
/* For the last user of its bytes: what body_unref does, when there is a shared response, once
 * libmicrohttpd has let go of that. */
void body_free(void *b);
/* Fills in the ETag from the bytes (first half of SHA-256) and returns it. */
const char *body_tag(struct body *b);

#endif
