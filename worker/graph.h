/* graph: looks leads up in Meta's Graph API.
 *
 *     claim (lease) → call → complete, fail, or later again
 *
 * Leads that are 'pendente' and due are claimed in PostgreSQL, as many as there are free hands, and
 * asked for without a transaction; what came of it is written when it is known. Any number of
 * workers may do so. A worker that dies leaves leases behind, which run out. While PostgreSQL is
 * away outcomes are kept and nothing is claimed. Without META_ACCESS_TOKEN there is nothing here
 * that does anything. One thread: the loop's. */
#ifndef ALICERCE_GRAPH_H
#define ALICERCE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct ev;
struct graph;
struct worker_counters;

enum {
    GRAPH_HANDS = 8,       /* calls under way at once */
    GRAPH_LEASE_MS = 30000 /* above a call's whole time (HTTP_WHOLE_MS) and the write behind it */
};

/* Has its own connection to PostgreSQL. The config must outlive it. NULL without memory or
 * descriptors. */
struct graph *graph_new(struct ev *ev, const struct config *c, struct worker_counters *counters);
void graph_free(struct graph *g);
/* From the loop's tick; then, after every pass, pump. */
void graph_tick(struct graph *g, int64_t now_ms);
void graph_pump(struct graph *g);
/* Looks nothing more up while it rests; calls under way are finished. */
void graph_pause(struct graph *g, bool yes);
/* Ends the calls under way and gives their leads back. */
void graph_stop(struct graph *g);
/* Is nothing in hand any more, or nothing that can be written? */
bool graph_done(const struct graph *g);

#endif
