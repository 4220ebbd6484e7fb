/* multipart: a multipart/form-data body (RFC 7578, RFC 2046 section 5.1.1) with exactly one part,
 * read as it comes.
 *
 * Bounded: nothing is kept but a part's head (MULTIPART_HEAD_MAX) and so much of the body as may be
 * the beginning of the delimiter. What is odd is refused, never guessed at. One thread. */
#ifndef ALICERCE_MULTIPART_H
#define ALICERCE_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

enum {
    MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 */
    MULTIPART_HEAD_MAX = 4096,
    MULTIPART_NAME_MAX = 800, /* bytes of the file's name, as it came */
    MULTIPART_TYPE_MAX = 200,
    MULTIPART_FRAME_MAX = 2 * MULTIPART_HEAD_MAX /* of a body, beside the part's own bytes */
};

enum multipart_state {
    MULTIPART_START, /* before the first delimiter */
    MULTIPART_HEAD,
    MULTIPART_BODY,
    MULTIPART_TAIL, /* behind a delimiter: the end is to follow */
    MULTIPART_END,
    MULTIPART_BAD
};

struct multipart {
    enum multipart_state state;
    const char *why;                            /* when it is BAD: static, Portuguese */
    char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF -- and the boundary */
    size_t delimiter_len;
    char held[MULTIPART_HEAD_MAX]; /* the head, or what may be a delimiter */
    size_t n_held;
    size_t n_frame;                    /* bytes before and behind the part */
    bool found;                        /* the part's head was read */
    char name[MULTIPART_NAME_MAX + 1]; /* of the file, "" without one */
    char type[MULTIPART_TYPE_MAX + 1]; /* "" without one */
};

/* From the Content-Type header of the request. false: it is not multipart/form-data with a sane
 * boundary. */
bool multipart_init(struct multipart *m, const char *content_type, size_t len);
/* Reads on; bytes of the part are given to `body`, whose false makes it stop and return false with
 * the state as it is. false with state BAD: refused. */
bool multipart_feed(struct multipart *m, const char *data, size_t len,
                    bool (*body)(void *ctx, const char *data, size_t len), void *ctx);

#define MULTIPART_FIELD "arquivo"

#endif
