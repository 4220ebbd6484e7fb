/* pg_fifo: owns the ring. Invariant: n entries from head on, around the end, are taken. */
#include "pg_fifo.h"

#include <stdlib.h>

enum { FIRST = 64, MOST = 1 << 14 }; /* entries; the callers' own caps are far below the most */

void pg_fifo_release(struct pg_fifo *f)
{
    free(f->entries);
    *f = (struct pg_fifo){0};
}

static bool grow(struct pg_fifo *f)
{
    unsigned size = f->size ? f->size * 2 : FIRST;
    if (size > MOST)
        return false;
    struct pg_entry *bigger = calloc(size, sizeof *bigger);
    if (!bigger)
        return false;
    for (unsigned i = 0; f->size && i < f->n; i++)
        bigger[i] = f->entries[(f->head + i) % f->size];
    free(f->entries);
    f->entries = bigger;
    f->size = size;
    f->head = 0;
    return true;
}

bool pg_fifo_room(struct pg_fifo *f, unsigned n)
{
    return f->n + n <= f->size || grow(f);
}

void pg_fifo_push(struct pg_fifo *f, struct pg_entry entry)
{
    f->entries[(f->head + f->n) % f->size] = entry;
    f->n++;
}

void pg_fifo_pop(struct pg_fifo *f)
{
    f->head = (f->head + 1) % f->size;
    f->n--;
}
