/* direct: owns one batch and the steps of its transaction:
 *
 *     claim → trial → (savepoint, store a span, undo it when it was refused)… → commit, or roll
 * back
 */
#include "direct.h"

#include <stddef.h>
#include <stdlib.h>

#include "batch.h"
#include "counters.h"
#include "ev.h"
#include "log.h"
#include "news.h"
#include "trial.h"

enum {
    LOOK_EVERY_MS = 500, /* when there was nothing */
    PAUSE_MS = 1000      /* after a failure */
};

enum step { IDLE, CLAIMING, TRYING, STORING, UNDOING, ENDING };

struct direct {
    struct entrega_claim claim;
    struct store_tx tx;
    struct ev *ev;
    struct pg *pg;
    struct worker_counters *counters;
    struct news *news;
    struct batch batch;
    struct trial *trial;
    enum step step;
    bool stopping, paused;
    bool commits;    /* the transaction that ends */
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
    if (!trial_under_way(d->trial))
        trial_reset(d->trial);
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
    d->commits = commit;
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
        if (st == STATUS_OK && d->commits)
            news_add(d->news, &d->batch);
        go_idle(d, st == STATUS_OK ? d->rest_ms : PAUSE_MS);
    }
}

/* What finds no room stays 'pendente'. */
static void on_entrega(struct entrega_claim *c, const struct event *e, int64_t id,
                       unsigned tentativas)
{
    struct direct *d = (struct direct *)(void *)c;
    metric_add(&d->counters->direct, 1);
    trial_add(d->trial, &(struct new_entrega){.event = *e, .id = id, .tentativas = tentativas});
}

/* The connection, and the claim with it, may have been lost meanwhile. */
static void on_tried(void *ctx)
{
    struct direct *d = ctx;
    const struct new_entrega *one;
    bool lost = d->step != TRYING || !pg_ready(d->pg);
    for (size_t i = 0; !lost && (one = trial_verdict(d->trial, i)); i++)
        batch_add(&d->batch, one);
    trial_reset(d->trial);
    if (lost)
        go_idle(d, PAUSE_MS);
    else if (d->batch.n == 0)
        end(d, false, PAUSE_MS);
    else
        store(d);
}

static void on_claimed(struct entrega_claim *c, enum status st, size_t n)
{
    struct direct *d = (struct direct *)(void *)c;
    if (st != STATUS_OK)
        log_failure(d, st, "");
    if (st == STATUS_DATABASE_AWAY && !pg_ready(d->pg))
        go_idle(d, PAUSE_MS);
    else if (st != STATUS_OK || trial_count(d->trial) == 0)
        end(d, false, st == STATUS_OK && n == 0 ? LOOK_EVERY_MS : PAUSE_MS);
    else {
        d->step = TRYING;
        trial_start(d->trial);
    }
}

struct direct *direct_new(struct ev *ev, struct pg *pg, struct worker_counters *counters,
                          struct news *news, unsigned max_attempts)
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
    d->news = news;
    d->trial = trial_new(ev, on_tried, d);
    if (!batch_init(&d->batch, counters, max_attempts) || !d->trial) {
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
    trial_free(d->trial);
    free(d);
}

void direct_pump(struct direct *d)
{
    if (d->step != IDLE || d->stopping || d->paused || !pg_ready(d->pg) ||
        ev_now_ms(d->ev) < d->not_before_ms)
        return;
    if (store_entrega_claim(d->pg, BATCH_MAX, BATCH_BYTES, &d->claim) == STATUS_OK)
        d->step = CLAIMING;
}

void direct_tick(struct direct *d, int64_t now_ms)
{
    trial_tick(d->trial, now_ms);
}

void direct_pause(struct direct *d, bool yes)
{
    d->paused = yes;
}

void direct_stop(struct direct *d)
{
    d->stopping = true;
}

bool direct_done(const struct direct *d)
{
    return d->step == IDLE || !pg_ready(d->pg);
}
