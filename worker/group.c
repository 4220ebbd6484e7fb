/* group: owns the knowledge of whether the group is there, and two errands: making it, sweeping it.
 */
#include "group.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "counters.h"
#include "ev.h"
#include "log.h"
#include "queue.h"
#include "rds.h"

enum {
    PAUSE_MS = 1000,        /* after a refusal */
    SWEEP_EVERY_MS = 60000, /* dead consumers */
    SWEEP_IDLE_MS = 600000  /* after so long without a sign */
};

struct errand { /* a command whose answer only matters when it fails */
    struct queue_ticket ticket;
    struct group *group;
    bool out;
    int64_t not_before_ms;
};

struct group {
    struct ev *ev;
    struct rds *rds;
    struct worker_counters *counters;
    struct errand make, sweep;
    bool there, force; /* the latter: after a refusal, every other time */
    struct log_limit limit;
};

static void on_errand(struct queue_ticket *t, enum status st)
{
    struct errand *e = (struct errand *)(void *)t;
    unsigned suppressed;
    e->out = false;
    if (st == STATUS_OVERLOADED && log_limit_pass(&e->group->limit, 1, &suppressed))
        log_warn("redis_refused", NULL, "a command on the queue's group was refused");
}

static void on_made(struct queue_ticket *t, enum status st)
{
    struct group *g = ((struct errand *)(void *)t)->group;
    on_errand(t, st);
    if (st != STATUS_OK) {
        g->make.not_before_ms = ev_now_ms(g->ev) + PAUSE_MS;
        g->force = !g->force;
        return;
    }
    g->there = true;
    metric_add(&g->counters->groups_made, 1);
}

struct group *group_new(struct ev *ev, struct rds *rds, struct worker_counters *counters)
{
    struct group *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    *g = (struct group){.ev = ev, .rds = rds, .counters = counters};
    g->make = (struct errand){.ticket = {on_made}, .group = g};
    g->sweep = (struct errand){.ticket = {on_errand}, .group = g};
    return g;
}

void group_free(struct group *g)
{
    free(g);
}

bool group_there(const struct group *g)
{
    return g->there;
}

void group_lost(struct group *g)
{
    g->there = false;
}

static bool due(struct errand *e, int64_t every_ms)
{
    int64_t now = ev_now_ms(e->group->ev);
    if (e->out || now < e->not_before_ms)
        return false;
    e->not_before_ms = now + every_ms;
    return true;
}

void group_pump(struct group *g)
{
    if (!rds_ready(g->rds))
        return;
    if (!g->there && due(&g->make, 0))
        g->make.out = queue_create_group(g->rds, g->force, &g->make.ticket) == STATUS_OK;
    if (g->there && due(&g->sweep, SWEEP_EVERY_MS))
        g->sweep.out = queue_forget_dead(g->rds, SWEEP_IDLE_MS, &g->sweep.ticket) == STATUS_OK;
}
