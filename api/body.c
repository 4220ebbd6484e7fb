/* body: owns nothing but its rules. */
#include "body.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "hmac.h"
#include "text.h"

struct body *body_new(const void *data, size_t len)
{
    struct body *b = malloc(sizeof *b + len);
    if (!b)
        return NULL;
    b->refs = 1;
    b->len = len;
    b->shared = (struct body_response){0};
    b->etag[0] = 0;
    if (len)
        memcpy(b->data, data, len);
    return b;
}

struct body *body_ref(struct body *b)
{
    b->refs++;
    return b;
}

void body_unref(struct body *b)
{
    if (!b || --b->refs)
        return;
    if (b->shared.response)
        MHD_destroy_response(b->shared.response); /* calls body_free, now or when it was sent */
    else
        body_free(b);
}

void body_free(void *b)
{
    free(b);
}

const char *body_tag(struct body *b)
{
    if (!*b->etag) {
        uint8_t digest[SHA256_LEN];
        sha256(b->data, b->len, digest);
        b->etag[0] = '"';
        text_hex(digest, 16, b->etag + 1);
        memcpy(b->etag + 33, "\"", 2);
    }
    return b->etag;
}
