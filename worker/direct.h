/* direct: the second source: rows of `entregas` that are to be done: what the API wrote itself
 * while Redis was away, what failed and is due again, what an operator sends again.
 *
 * They are claimed with SKIP LOCKED in the transaction that finishes them, on a connection of their
 * own: a worker that dies in the middle gives them back by dying. One thread. */
#ifndef ALICERCE_DIRECT_H
#define ALICERCE_DIRECT_H

#include <stdbool.h>
#include <stdint.h>

struct direct;
struct ev;
struct news;
struct pg;
struct worker_counters;

/* news: told of what was stored. max_attempts: of a delivery, then it is a dead letter. NULL
 * without memory. */
struct direct *direct_new(struct ev *ev, struct pg *pg, struct worker_counters *counters,
                          struct news *news, unsigned max_attempts);
/* After pg was freed. */
void direct_free(struct direct *d);
/* Does what can be done now. After every pass of the loop, before the flushes. */
void direct_pump(struct direct *d);
/* Once a tick. */
void direct_tick(struct direct *d, int64_t now_ms);
/* Claims no more while it rests. */
void direct_pause(struct direct *d, bool yes);
/* Claims no more and finishes what is in hand. */
void direct_stop(struct direct *d);
bool direct_done(const struct direct *d);

#endif
