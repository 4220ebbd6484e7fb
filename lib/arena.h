/* arena: the memory of one request, freed in bulk.
 *
 * The first ARENA_INLINE bytes come with the struct, so that an ordinary request allocates nothing.
 * Never shared between threads. */
#ifndef ALICERCE_ARENA_H
#define ALICERCE_ARENA_H

#include <stddef.h>

enum { ARENA_INLINE = 400 }; /* the target and the handler's state of a usual request */

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* of the inline part */
    size_t left;                /* bytes that may still be taken in all */
    _Alignas(16) char inline_part[ARENA_INLINE];
};

/* An empty arena that hands out at most `cap` bytes in all. */
void arena_init(struct arena *a, size_t cap);
/* `n` bytes aligned to 16, not cleared; NULL when the cap or memory is reached. */
void *arena_alloc(struct arena *a, size_t n);
/* A NUL-terminated copy of `n` bytes, or NULL. */
char *arena_copy(struct arena *a, const void *data, size_t n);
/* Frees all chunks; the arena is as after arena_init with the same cap. */
void arena_reset(struct arena *a, size_t cap);

#endif
