/* clearing: owns the stages of a flight that has written. */
#include "clearing.h"

#include "ev.h"
#include "loop.h"
#include "rds.h"

static void on_cleared(struct cache_done *t, enum status st, bool kept)
{
    struct clearing *c = (struct clearing *)(void *)t;
    if (st == STATUS_OK)
        lease_cleared(c->batch->loop, &c->ask, kept);
    if (st != STATUS_OK && rds_ready(c->batch->loop->rds)) {
        c->stage = CLEARING_HOLDING; /* it refuses (loading, read-only): again at the next tick */
        return;
    }
    c->stage = st == STATUS_OK ? CLEARING_DONE : CLEARING_SENT;
    batch_back(c->batch); /* lands again */
}

void clearing_init(struct clearing *c, struct batch *b)
{
    *c = (struct clearing){.cleared.done = on_cleared, .batch = b};
    write_lease_began(&b->loop->lease.state, ev_clock_us());
}

static void clear(struct clearing *c)
{
    struct loop *loop = c->batch->loop;
    if (lease_clear(loop, &c->ask, &c->cleared) == STATUS_OK) {
        c->batch->outstanding++;
        c->stage = CLEARING_SENT;
    } else if (rds_ready(loop->rds) || cache_guard_must_hold(&loop->guard, ev_now_ms(loop->ev))) {
        c->batch->outstanding++;
        c->stage = CLEARING_HOLDING;
    } else {
        c->stage = CLEARING_DONE;
    }
}

bool clearing_landed(struct clearing *c, bool written)
{
    if (c->stage == CLEARING_NOT_BEGUN && (!written || lease_covers(c->batch->loop)))
        c->stage = CLEARING_DONE;
    if (c->stage != CLEARING_DONE)
        clear(c);
    if (c->stage == CLEARING_DONE)
        write_lease_landed(&c->batch->loop->lease.state, ev_clock_us());
    return c->stage == CLEARING_DONE;
}

static bool anyone_waits(const struct batch *b)
{
    for (const struct request *r = b->flying; r; r = r->batch_next)
        if (r->state == REQUEST_PARKED)
            return true;
    return false;
}

void clearing_tick(struct clearing *c)
{
    if (c->stage != CLEARING_HOLDING)
        return;
    c->stage = anyone_waits(c->batch) ? CLEARING_SENT : CLEARING_DONE;
    batch_back(c->batch); /* lands again: tries, holds on or gives up */
}
