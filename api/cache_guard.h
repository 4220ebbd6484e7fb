/* cache_guard: when the cached page may be believed, and when a write may be answered without
 * having removed it.
 *
 * While a replica reaches Redis, the version in store_cache keeps the page true. The hard case is a
 * write that is committed while its replica cannot reach Redis. Two rules close it:
 *   1. On every new connection, the first one too, a replica first adds to the version and deletes
 *      the page, and neither believes nor fills the cache before Redis has done so (it refuses
 * while it loads its file). After a loss not for GUARD_QUARANTINE_MS either: longer than any other
 *      replica takes to return and do the same.
 *   2. Without Redis a replica holds its writes' answers back. When Redis stopped answering, and
 *      before the first connection, for GUARD_HOLD_MS: longer than any other replica takes to
 *      notice. When the connection was closed, for GUARD_RETRY_MS: perhaps only ours was, and the
 *      next one removes the page.
 * What is left: a network that cuts off one replica from a Redis which the others still reach. */
#ifndef ALICERCE_CACHE_GUARD_H
#define ALICERCE_CACHE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GUARD_STALL_MS = 800,       /* Redis is lost when it takes longer */
    GUARD_QUARANTINE_MS = 3500, /* > an attempt that times out (2 s) and the pause after it (1 s) */
    GUARD_HOLD_MS = 2000, /* > a second of silence before a PING and its stall, from the loss */
    GUARD_RETRY_MS = 500  /* > two attempts to connect anew */
};

struct cache_guard {
    int64_t trusted_from_ms; /* INT64_MAX while Redis is away or still has an old page */
    int64_t held_until_ms;   /* writes are not answered before, while Redis is away */
    bool failed_before;      /* Redis was away at some time since the start */
};

static inline void cache_guard_init(struct cache_guard *g, int64_t now_ms)
{
    *g = (struct cache_guard){INT64_MAX, now_ms + GUARD_HOLD_MS, false};
}

/* stalled: it stopped answering, so that others may not have noticed yet. */
static inline void cache_guard_lost(struct cache_guard *g, bool stalled, int64_t now_ms)
{
    g->trusted_from_ms = INT64_MAX;
    g->held_until_ms = now_ms + (stalled ? GUARD_HOLD_MS : GUARD_RETRY_MS);
    g->failed_before = true;
}

/* The page was removed by way of the new connection. */
static inline void cache_guard_ready(struct cache_guard *g, int64_t now_ms)
{
    g->trusted_from_ms = g->failed_before ? now_ms + GUARD_QUARANTINE_MS : now_ms;
    g->held_until_ms = 0;
}

/* Has the present connection removed the page? */
static inline bool cache_guard_clean(const struct cache_guard *g)
{
    return g->trusted_from_ms != INT64_MAX;
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
