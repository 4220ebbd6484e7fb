/* direct: owns one batch and the steps of its transaction:
 *
 *     claim → (savepoint, store a span, undo it when it was refused)… → commit, or roll back
 */
#include "direct.h"

#include <stddef.h>
#include <stdlib.h>

#include "batch.h"
#include "counters.h"
#include "ev.h"
#include "log.h"

enum {
    LOOK_EVERY_MS = 500, /* when there was nothing */
    PAUSE_MS = 1000      /* after a failure */
};

enum step { IDLE, CLAIMING, STORING, UNDOING, ENDING };

struct direct {
    struct entrega_claim claim;
    struct store_tx tx;
    struct ev *ev;
    struct pg *pg;
    struct worker_counters *counters;
    struct batch batch;
    enum step step;
    bool stopping;
    int64_t rest_ms; /* when the transaction has ended */
    int64_t not_before_ms;
    struct log_limit limit;
};

static void log_failure(struct direct *d, enum status st, const char *reason)
{
    unsigned suppressed;
    if (st != STATUS_INVALID && log_limit_pass(&d->limit, 1, &suppressed))
        log_warn("direct_failed", NULL, "%s", *reason ? reason : status_name(st));
}

static void go_idle(struct direct *d, int64_t rest_ms)
{
    d->step = IDLE;
    d->not_before_ms = ev_now_ms(d->ev) + rest_ms;
    batch_reset(&d->batch);
}

/* Syncs what was queued for d->tx; what could not be queued makes it fail. */
static void send(struct direct *d, enum step step, enum status queued)
{
    enum status st = store_tx_commit(&d->tx, d->pg);
    d->step = step;
    if (st != STATUS_OK)
        go_idle(d, PAUSE_MS);
    else if (queued != STATUS_OK)
        d->tx.st = queued;
}

static void end(struct direct *d, bool commit, int64_t rest_ms)
{
    d->rest_ms = rest_ms;
    store_tx_begin(&d->tx);
    send(d, ENDING, store_entrega_end(&d->tx, d->pg, commit));
}

static void store(struct direct *d)
{
    store_tx_begin(&d->tx);
    enum status st = store_entrega_save(&d->tx, d->pg);
    if (st == STATUS_OK)
        st = batch_store(&d->batch, &d->tx, d->pg);
    send(d, STORING, st);
}

static void undo(struct direct *d)
{
    store_tx_begin(&d->tx);
    send(d, UNDOING, store_entrega_undo(&d->tx, d->pg));
}

/* Were all of them left? Then the next look finds the same ones. */
static bool all_left(const struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (!b->entregas[i].left)
            return false;
    return true;
}

static void finish_or_store(struct direct *d)
{
    if (d->batch.from == d->batch.n)
        end(d, true, all_left(&d->batch) ? PAUSE_MS : 0);
    else
        store(d);
}

/* A span that failed has to be undone before anything else can be said in the transaction. */
static void span_ended(struct direct *d, enum status st)
{
    if (st != STATUS_OK)
        log_failure(d, st, d->tx.reason);
    if (batch_outcome(&d->batch, st, d->tx.reason) == BATCH_LATER)
        end(d, false, PAUSE_MS);
    else if (st != STATUS_OK)
        undo(d);
    else
        finish_or_store(d);
}

static void on_tx(struct store_tx *tx, enum status st)
{
    struct direct *d = (struct direct *)(void *)((char *)tx - offsetof(struct direct, tx));
    if (st == STATUS_DATABASE_AWAY && !pg_ready(d->pg)) {
        go_idle(d, PAUSE_MS);
    } else if (d->step == STORING) {
        span_ended(d, st);
    } else if (d->step == UNDOING && st == STATUS_OK) {
        finish_or_store(d);
    } else if (d->step == UNDOING) {
        end(d, false, PAUSE_MS);
    } else {
        go_idle(d, st == STATUS_OK ? d->rest_ms : PAUSE_MS);
    }
}

static void on_entrega(struct entrega_claim *c, const struct event *e, int64_t id)
{
    struct direct *d = (struct direct *)(void *)c;
    metric_add(&d->counters->direct, 1);
    batch_add(&d->batch, e, id); /* without memory it stays 'pendente' */
}

static void on_claimed(struct entrega_claim *c, enum status st, size_t n)
{
    struct direct *d = (struct direct *)(void *)c;
    if (st != STATUS_OK)
        log_failure(d, st, "");
    if (st == STATUS_DATABASE_AWAY && !pg_ready(d->pg))
        go_idle(d, PAUSE_MS);
    else if (st != STATUS_OK || d->batch.n == 0)
        end(d, false, st == STATUS_OK && n == 0 ? LOOK_EVERY_MS : PAUSE_MS);
    else
        store(d);
}

struct direct *direct_new(struct ev *ev, struct pg *pg, struct worker_counters *counters)
{
    struct direct *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->claim.entrega = on_entrega;
    d->claim.done = on_claimed;
    d->tx.done = on_tx;
    d->ev = ev;
    d->pg = pg;
    d->counters = counters;
    if (!batch_init(&d->batch, counters)) {
        direct_free(d);
        return NULL;
    }
    return d;
}

void direct_free(struct direct *d)
{
    if (!d)
        return;
    batch_release(&d->batch);
    free(d);
}

void direct_pump(struct direct *d)
{
    if (d->step != IDLE || d->stopping || !pg_ready(d->pg) || ev_now_ms(d->ev) < d->not_before_ms)
        return;
    if (store_entrega_claim(d->pg, BATCH_MAX, BATCH_BYTES, &d->claim) == STATUS_OK)
        d->step = CLAIMING;
}

void direct_stop(struct direct *d)
{
    d->stopping = true;
}

bool direct_done(const struct direct *d)
{
    return d->step == IDLE || !pg_ready(d->pg);
}
