/* batch: the rule that makes the engine fast and its answers true.
 *
 * Of each kind one batch is in flight, the next one gathers meanwhile. A batch is sent only after
 * all of its requests have arrived and nobody joins what was sent, so every answer reflects a
 * moment between its request and its reply: linearizable.
 *
 * A flight that takes long (a commit, a sync) is worth company. When one lands, those that it has
 * answered are about to ask again, so the next one waits for them: until seven in eight are there,
 * for a quarter of what the last flight took, 2 ms at most. One client alone never waits, nor does
 * a flight of a kind whose flights are short. */
#ifndef ALICERCE_BATCH_H
#define ALICERCE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

enum { BATCH_MAX = 1000 }; /* requests in one batch; the rest waits for the next */

struct batch {
    struct loop *loop;
    struct request *gathering, **gathering_end; /* arrived, not sent */
    struct request *flying;                     /* sent; linked by batch_next */
    unsigned n_gathering, n_flying;
    unsigned n_usual;    /* in a flight: the largest of the last ones, fading */
    unsigned n_expected; /* answered by the last flight or gathered when it landed */
    int64_t sent_us, hold_until_us;
    unsigned outstanding; /* calls to the servers that have not come back */
    void *data;           /* the kind's own, allocated with the loop */
};

/* One row per kind, in the table of batch.c. */
struct batch_type {
    const char *name;
    size_t data_size;
    /* Sends b->flying. The kind counts what it sent in b->outstanding and calls batch_back for each
     * return; requests that could not be sent are answered in place. */
    void (*send)(struct batch *b);
    /* Called when the last one is back and before the batch ends; may send more (and count it). */
    void (*landed)(struct batch *b);
    /* Called every tick while it flies; NULL for none. */
    void (*tick)(struct batch *b, int64_t now_ms);
};

/* Parks the request in the batch that gathers. Returns STATUS_PENDING. */
enum status batch_join(struct request *r, enum batch_kind kind);
/* One of the outstanding calls has come back. */
void batch_back(struct batch *b);
/* Answers every unanswered request of the flight with the problem `st`. */
void batch_refuse(struct batch *b, enum status st, const char *detail);

/* "page", for metrics. */
const char *batch_name(enum batch_kind kind);

/* For the loop: memory for all kinds, sending of what has gathered, the tick. batches_free lets go
 * of the requests that are still in one. */
bool batches_init(struct batch *batches, struct loop *loop);
void batches_free(struct batch *batches);
void batches_send(struct batch *batches);
/* When the first of what has gathered is to be sent, by ev_clock_us: the end of its wait for
 * company, or a time in the past; 0: nothing is to be sent. */
int64_t batches_held_until(const struct batch *batches);
/* A flight would take off with less than half of what is usual for its kind. */
bool batches_thin(const struct batch *batches);
void batches_tick(struct batch *batches, int64_t now_ms);

#endif
