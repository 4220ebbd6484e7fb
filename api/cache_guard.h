/* cache_guard: when the cached page may be believed, and when a write may be answered without
 * having removed it.
 *
 * While a replica reaches Redis, the version in store_cache keeps the page true. The hard case is a
 * write that is committed while its replica cannot reach Redis. Two rules close it:
 *   1. A replica that lost Redis and has it again first adds to the version and deletes the page,
 * then neither believes nor fills the cache for GUARD_QUARANTINE_MS: longer than any other replica
 *      takes to return and do the same.
 *   2. A replica whose Redis stopped answering (rather than closing) holds its writes' answers back
 *      for GUARD_HOLD_MS: longer than any other replica takes to notice.
 * What is left: a network that cuts off one replica from a Redis which the others still reach. */
#ifndef ALICERCE_CACHE_GUARD_H
#define ALICERCE_CACHE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GUARD_STALL_MS = 800,       /* Redis is lost when it takes longer */
    GUARD_QUARANTINE_MS = 2000, /* > the longest pause between attempts (1 s) and a greeting */
    GUARD_HOLD_MS = 2000 /* > a second of silence before a PING and its stall, from the loss */
};

struct cache_guard {
    int64_t trusted_from_ms; /* INT64_MAX while Redis is away */
    int64_t held_until_ms;   /* writes are not answered before, while Redis is away */
    bool failed_before;      /* Redis was away at some time since the start */
};

/* stalled: it stopped answering, so that others may not have noticed yet. */
static inline void cache_guard_lost(struct cache_guard *g, bool stalled, int64_t now_ms)
{
    g->trusted_from_ms = INT64_MAX;
    g->held_until_ms = stalled ? now_ms + GUARD_HOLD_MS : 0;
    g->failed_before = true;
}

static inline void cache_guard_ready(struct cache_guard *g, int64_t now_ms)
{
    g->trusted_from_ms = g->failed_before ? now_ms + GUARD_QUARANTINE_MS : now_ms;
    g->held_until_ms = 0;
}

static inline bool cache_guard_trusted(const struct cache_guard *g, int64_t now_ms)
{
    return now_ms >= g->trusted_from_ms;
}

static inline bool cache_guard_must_hold(const struct cache_guard *g, int64_t now_ms)
{
    return now_ms < g->held_until_ms;
}

#endif
