/* batch: up to a thousand deliveries on their way into PostgreSQL, and the finding of the one among
 * them that does not fit.
 *
 * Deliveries are copied in and turned into rows as they come (jobs). They are stored span by span,
 * usually all at once: batch_store queues the statements of the present span, batch_outcome says
 * what its end means. When it is refused the span is halved until one delivery stands alone. Alone
 * it becomes a dead letter when its data is at fault; for any other reason it is put aside in
 * `entregas` until its next attempt, the pause growing each time, and is a dead letter after
 * max_attempts. Then the span grows again. Whose transaction it is, when it is sent and what
 * happens to the source is the owner's: drain for the stream, direct for rows of `entregas`. */
#ifndef ALICERCE_BATCH_H
#define ALICERCE_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "jobs.h"
#include "store_entrega.h"

struct worker_counters;

enum {
    BATCH_MAX = 1000,  /* deliveries; more gains nothing (measured: the commit is < 2 % of it) */
    BATCH_EXTRA = 128, /* room for claims that come in when it is full */
    BATCH_BYTES = 16 << 20, /* of bodies: full beyond that */
    BATCH_EVENTOS = 20000,  /* rows: full beyond that */
    BATCH_ARENA = 400 << 20 /* hardly ever reached: BATCH_EXTRA bodies of 3 MiB and their ids */
};

struct batch {
    struct new_entrega *entregas;
    size_t n, bytes;
    size_t from, to; /* the span to be stored; from == n: done */
    struct job_rows rows;
    struct arena arena;
    struct worker_counters *counters;
    unsigned max_attempts; /* of a delivery: then it is a dead letter */
    unsigned stuck;        /* times in a row that not even the failure of one could be stored */
    uint64_t seed;         /* of the jitter */
    const void **sorted;   /* room for pointers to rows */
    size_t sorted_size;
};

/* false without memory. */
bool batch_init(struct batch *b, struct worker_counters *counters, unsigned max_attempts);
void batch_release(struct batch *b);
/* Empties it and keeps some of the memory. */
void batch_reset(struct batch *b);

bool batch_full(const struct batch *b);
/* Copies and decodes; with a motivo it is a dead letter as it comes. false without memory or room:
 * the delivery is not part of the batch. */
bool batch_add(struct batch *b, const struct new_entrega *d);
bool batch_has(const struct batch *b, struct event_id id);

/* Queues the span's statements as part of tx. STATUS_OK, STATUS_DATABASE_AWAY or STATUS_OVERLOADED
 * (no memory); after the latter two something may have been queued, and tx must not be relied on.
 */
enum status batch_store(struct batch *b, struct store_tx *tx, struct pg *pg);

enum batch_next {
    BATCH_DONE,  /* all spans are stored */
    BATCH_NEXT,  /* store the present span (it may be another one) now */
    BATCH_LATER, /* the same, after a pause */
};
/* What the outcome of a span's transaction means; reason as in store_tx. */
enum batch_next batch_outcome(struct batch *b, enum status st, const char *reason);

#endif
