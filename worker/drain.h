/* drain: the stream's way into PostgreSQL: claim, gather into batches, store, acknowledge. What is
 * taken over from a worker that fell silent is put on trial first (trial.h).
 *
 * Up to DRAIN_STORING batches are in PostgreSQL's pipeline while the next one gathers. A batch that
 * gathers is sent as soon as PostgreSQL has nothing else to do, so a lonely delivery waits for
 * nobody and under load the batches grow by themselves. What is in hand is kept (queue_keep) as
 * long as it can be stored; when PostgreSQL stays away it is let go, and another worker may have
 * it.
 *
 * Any lost answer is harmless: storing the same entry again adds nothing, and an entry that nobody
 * acknowledges turns up among the idle ones. One thread. */
#ifndef ALICERCE_DRAIN_H
#define ALICERCE_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct drain;
struct ev;
struct news;
struct pg;
struct rds;
struct worker_counters;

struct drain_options {
    struct ev *ev;
    struct pg *pg;         /* only this drain's */
    struct rds *waiting;   /* for the blocking read alone */
    struct rds *rds;       /* for all other commands */
    const char *consumer;  /* this process's name in the group; must outlive the drain */
    unsigned max_attempts; /* of a delivery: then it is a dead letter */
    struct worker_counters *counters;
    struct news *news; /* told of what was stored */
};

enum {
    DRAIN_BLOCK_MS =
        500 /* longest that one read waits: the stall_ms of `waiting` must be above it */
};

/* NULL without memory. */
struct drain *drain_new(const struct drain_options *o);
/* After pg and both rds were freed: their last answers still reach it. */
void drain_free(struct drain *d);
/* Does what can be done now. After every pass of the loop, before the flushes. */
void drain_pump(struct drain *d);
/* Is the queue long? A batch that was at least half full has gone off within the last second. */
bool drain_busy(const struct drain *d);
/* Once a tick. */
void drain_tick(struct drain *d, int64_t now_ms);
/* Claims no more while it rests; what is in hand is stored and acknowledged. */
void drain_pause(struct drain *d, bool yes);
/* Claims no more and stores what is in hand. */
void drain_stop(struct drain *d);
/* After drain_stop: nothing is in hand, or nothing can be done about it. */
bool drain_done(const struct drain *d);

#endif
