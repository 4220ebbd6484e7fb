/* arena: owns the chunks behind the inline part. Invariant: every piece handed out is a multiple of
 * ARENA_ALIGN long, so that the next one is aligned too. */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_ALIGN = 16,
    ARENA_FIRST = 1024 - 64, /* with malloc's header still a round number; each next one is */
    ARENA_LAST = 65536 - 64  /* twice as large, up to this */
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    alignas(ARENA_ALIGN) char data[];
};

void arena_init(struct arena *a, size_t cap)
{
    a->chunks = NULL;
    a->used = 0;
    a->left = cap;
}

static struct arena_chunk *add_chunk(struct arena *a, size_t n)
{
    size_t size = a->chunks ? 2 * a->chunks->size : ARENA_FIRST;
    if (size > ARENA_LAST)
        size = ARENA_LAST;
    if (size < n)
        size = n;
    if (size > SIZE_MAX - sizeof(struct arena_chunk))
        return NULL;
    struct arena_chunk *c = malloc(sizeof *c + size);
    if (!c)
        return NULL;
    *c = (struct arena_chunk){.next = a->chunks, .size = size};
    a->chunks = c;
    return c;
}

/* n is a multiple of ARENA_ALIGN. */
static void *take(struct arena *a, size_t n)
{
    char *p;
    if (n <= ARENA_INLINE - a->used) {
        p = a->inline_part + a->used;
        a->used += n;
        return p;
    }
    struct arena_chunk *c = a->chunks;
    if (!c || n > c->size - c->used)
        c = add_chunk(a, n);
    if (!c)
        return NULL;
    p = c->data + c->used;
    c->used += n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > a->left)
        return NULL;
    size_t rounded = n > 0 ? (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
    if (rounded < n || rounded > a->left)
        return NULL;
    void *p = take(a, rounded);
    if (p)
        a->left -= rounded;
    return p;
}

char *arena_copy(struct arena *a, const void *data, size_t n)
{
    char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;
    if (!copy)
        return NULL;
    if (n > 0)
        memcpy(copy, data, n);
    copy[n] = '\0';
    return copy;
}

void arena_reset(struct arena *a, size_t cap)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    arena_init(a, cap);
}
