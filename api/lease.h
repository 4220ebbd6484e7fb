/* lease: a loop's write_lease where it meets Redis and the loop's life. */
#ifndef ALICERCE_LEASE_H
#define ALICERCE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "store_cache.h"
#include "write_lease.h"

struct loop;

struct lease {
    struct write_lease state;
    struct mark_watch watch; /* of others' marks */
    struct cache_done renewal;
    struct lease_ask renewal_ask;
    bool renewing;
    char id[CACHE_LEASE_MAX]; /* the mark's name: no other loop has it */
};

void lease_init(struct loop *loop);
/* The connection to Redis is gone. */
void lease_lost(struct loop *loop);
/* Each tick: given back when no more writes come. */
void lease_tick(struct loop *loop);
/* The loop ends: readers need not find out that its mark is dead. */
void lease_stop(struct loop *loop);
/* The cached page is about to be asked for here. */
void lease_reader(struct loop *loop);
/* A flight's writes are committed: may they be answered without removing the page? */
bool lease_covers(struct loop *loop);
/* Removes the page, and leaves a mark if that is of use. As store_cache_clear. */
enum status lease_clear(struct loop *loop, struct lease_ask *ask, struct cache_done *t);
void lease_cleared(struct loop *loop, const struct lease_ask *ask, bool kept);

#endif
