/* buf: a growable byte buffer that is born with a cap.
 *
 * Appending past the cap or without memory marks the buffer failed and changes nothing more;
 * callers append freely and look at buf_failed once. */
#ifndef ALICERCE_BUF_H
#define ALICERCE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* not NUL-terminated; NULL while empty */
    size_t len;
    size_t size; /* allocated */
    size_t cap;  /* most that it may ever hold */
    bool failed;
};

/* An empty buffer that will hold at most `cap` bytes. Allocates nothing. */
static inline struct buf buf_init(size_t cap)
{
    return (struct buf){.cap = cap};
}
/* An empty buffer over the caller's memory: it does not grow and is not released. */
static inline struct buf buf_over(char *memory, size_t size)
{
    return (struct buf){.data = memory, .size = size, .cap = size};
}
/* Frees the memory; the cap stays and the buffer can be used again. */
void buf_release(struct buf *b);
/* Empties it and keeps the memory. Clears the failure too. */
static inline void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}
static inline bool buf_failed(const struct buf *b)
{
    return b->failed;
}

/* Room for `n` more bytes: where to write them, or NULL (failed). Follow by buf_advance. */
char *buf_reserve(struct buf *b, size_t n);
static inline void buf_advance(struct buf *b, size_t n)
{
    b->len += n;
}
void buf_add(struct buf *b, const void *data, size_t n);
void buf_str(struct buf *b, const char *s); /* without its NUL */
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t v);   /* decimal */
void buf_uint(struct buf *b, uint64_t v); /* decimal */
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
/* For string literals. */
#define buf_lit(b, s) buf_add((b), "" s, sizeof(s) - 1)

#endif
