/* buf: owns the growing of a byte buffer. Invariants: len <= size <= cap; once failed, nothing is
 * appended until buf_reset or buf_release. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST = 256 }; /* first allocation: a usual log line, header or small answer */

void buf_release(struct buf *b)
{
    free(b->data);
    *b = buf_init(b->cap);
}

/* Doubles, so that n appended bytes are copied O(n) times; never beyond the cap. need <= cap. */
static size_t next_size(const struct buf *b, size_t need)
{
    size_t size = b->size < BUF_FIRST / 2 ? BUF_FIRST : b->size * 2;
    if (size < need)
        size = need;
    return size < b->cap ? size : b->cap;
}

static bool grow(struct buf *b, size_t need)
{
    size_t size = next_size(b, need);
    char *data = realloc(b->data, size > 0 ? size : 1); /* realloc(p, 0) would free */
    if (!data)
        return false;
    b->data = data;
    b->size = size;
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (b->data && n <= b->size - b->len)
        return b->data + b->len;
    if (n > b->cap - b->len || !grow(b, b->len + n)) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t n)
{
    if (n == 0)
        return;
    char *to = buf_reserve(b, n);
    if (!to)
        return;
    memcpy(to, data, n);
    buf_advance(b, n);
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);
    if (!to)
        return;
    *to = c;
    buf_advance(b, 1);
}

void buf_uint(struct buf *b, uint64_t v)
{
    char digits[20]; /* 18446744073709551615 */
    char *p = digits + sizeof digits;
    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

/* 0 - v in unsigned arithmetic: INT64_MIN has no positive twin. */
void buf_int(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_char(b, '-');
    buf_uint(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Formats outside of the buffer first: vsnprintf wants room for a NUL, which a buffer that is
 * filled exactly to its cap does not have. */
static void add_formatted(struct buf *b, const char *small, size_t room, int n, char *big)
{
    if (n < 0 || ((size_t)n >= room && !big))
        b->failed = true;
    else
        buf_add(b, big ? big : small, (size_t)n);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    char *big = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof small) {
        va_start(ap, fmt);
        n = vasprintf(&big, fmt, ap);
        va_end(ap);
        if (n < 0)
            big = NULL; /* vasprintf leaves it undefined */
    }
    add_formatted(b, small, sizeof small, n, big);
    free(big);
}
