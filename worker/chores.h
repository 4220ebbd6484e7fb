/* chores: what the worker does now and then on a connection of its own, so that no delivery waits
 * for it. Any number of workers may. */
#ifndef ALICERCE_CHORES_H
#define ALICERCE_CHORES_H

#include <stdbool.h>
#include <stdint.h>

struct chores;
struct ev;
struct pg;

/* Days: of processed deliveries, 0 for ever; of the audit log. NULL without memory. */
struct chores *chores_new(struct ev *ev, struct pg *pg, int64_t retention_days, int64_t audit_days);
/* After pg was freed. */
void chores_free(struct chores *c);
/* Starts what is due; while `busy` (drain_busy) what can wait takes its time. After every pass of
 * the loop, before the flushes. */
void chores_pump(struct chores *c, bool busy);

#endif
