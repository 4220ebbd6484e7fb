/* lease: owns when marks are sent, renewed and taken back. */
#include "lease.h"

#include <stddef.h>
#include <stdio.h>

#include "ev.h"
#include "loop.h"

/* Nobody waits for it: should it be lost, so is the connection, and the next one removes the mark.
 */
static void give_back(struct loop *loop)
{
    store_cache_clear(loop->rds, loop->lease.id, CACHE_GIVE_BACK, NULL);
}

static void end(struct loop *loop)
{
    write_lease_ended(&loop->lease.state);
    give_back(loop);
}

static void on_renewed(struct cache_done *t, enum status st, bool kept)
{
    struct lease *l = (struct lease *)(void *)((char *)t - offsetof(struct lease, renewal));
    struct loop *loop = (struct loop *)(void *)((char *)l - offsetof(struct loop, lease));
    l->renewing = false;
    if (st == STATUS_OK)
        lease_cleared(loop, &l->renewal_ask, kept);
    else
        end(loop);
}

void lease_init(struct loop *loop)
{
    loop->lease.renewal.done = on_renewed;
    snprintf(loop->lease.id, sizeof loop->lease.id, "%016llx%016llx",
             (unsigned long long)loop->id_seed[0], (unsigned long long)loop->id_seed[1]);
}

void lease_lost(struct loop *loop)
{
    write_lease_ended(&loop->lease.state);
    loop->lease.watch.since_us = 0;
}

void lease_tick(struct loop *loop)
{
    if (write_lease_idle(&loop->lease.state, ev_clock_us()))
        end(loop);
}

void lease_stop(struct loop *loop)
{
    if (loop->lease.state.marked)
        end(loop);
}

void lease_reader(struct loop *loop)
{
    if (!loop->lease.state.marked)
        return;
    write_lease_cool(&loop->lease.state, ev_clock_us());
    give_back(loop);
}

enum status lease_clear(struct loop *loop, struct lease_ask *ask, struct cache_done *t)
{
    /* Not before the connection has removed the page of before: that would take the mark, too. */
    bool may = cache_guard_clean(&loop->guard);
    *ask = write_lease_ask(&loop->lease.state, may, ev_clock_us());
    enum cache_mark mark = ask->keep ? CACHE_KEEP : ask->drop ? CACHE_GIVE_BACK : CACHE_NO_MARK;
    return store_cache_clear(loop->rds, loop->lease.id, mark, t);
}

void lease_cleared(struct loop *loop, const struct lease_ask *ask, bool kept)
{
    write_lease_answered(&loop->lease.state, ask, kept, ev_clock_us());
    if (kept && !loop->lease.state.marked) /* it was given back, or cooled, before this answer */
        give_back(loop);
}

static void renew(struct loop *loop)
{
    struct lease *l = &loop->lease;
    l->renewing = lease_clear(loop, &l->renewal_ask, &l->renewal) == STATUS_OK;
}

bool lease_covers(struct loop *loop)
{
    struct lease *l = &loop->lease;
    int64_t now_us = ev_clock_us(); /* not the pass's: after the commit */
    bool covers = write_lease_covers(&l->state, now_us);
    if (covers && !l->renewing && write_lease_due(&l->state, now_us))
        renew(loop);
    return covers;
}
