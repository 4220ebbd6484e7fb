/* pg_fifo: what a pg has sent and awaits answers for, in order: a ring of queries and syncs that
 * grows up to a bound. An entry stands for one query or one sync that libpq has accepted. A plain
 * value of pg's. */
#ifndef ALICERCE_PG_FIFO_H
#define ALICERCE_PG_FIFO_H

#include <stdbool.h>
#include <stdint.h>

#include "pg.h"

struct pg_entry {
    pg_fn fn;
    void *ctx;
    int64_t sent_ms;
    bool is_sync;
    bool answered; /* its result was handed on; a query awaits the NULL behind it, a sync that
                      failed (a constraint at the commit) its PGRES_PIPELINE_SYNC */
};

struct pg_fifo { /* zeroed: empty, without room */
    struct pg_entry *entries;
    unsigned size, head, n;
};

void pg_fifo_release(struct pg_fifo *f);
/* Room for n more: false without memory, or past the bound. */
bool pg_fifo_room(struct pg_fifo *f, unsigned n);
/* There has to be room. */
void pg_fifo_push(struct pg_fifo *f, struct pg_entry entry);
/* The oldest; NULL when it is empty. Lives until the next pop or room. */
static inline struct pg_entry *pg_fifo_head(const struct pg_fifo *f)
{
    return f->n ? &f->entries[f->head] : NULL;
}
void pg_fifo_pop(struct pg_fifo *f);

#endif
