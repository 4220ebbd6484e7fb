/* drain: owns the slots. Invariant: exactly one slot gathers at any time; a slot leaves a state
 * only through set_state. */
#include "drain.h"

#include <stdlib.h>

#include "batch.h"
#include "counters.h"
#include "ev.h"
#include "group.h"
#include "log.h"
#include "news.h"
#include "pg.h"
#include "queue.h"
#include "rds.h"
#include "trial.h"

enum {
    DRAIN_SLOTS = 4,      /* one gathers, two are being stored, one is being acknowledged */
    DRAIN_STORING = 2,    /* one that PostgreSQL works on, one that waits in its socket */
    READ_MAX = 50,        /* entries of one read: of 3 MiB each they are 150 MiB, the worst case */
    READ_BYTES = 4 << 20, /* what a read should bring at most, as far as can be foreseen */
    LOOK_EVERY_MS = 1000, /* for idle entries */
    KEEP_EVERY_MS = 1000, /* entries in hand */
    LET_GO_MS = 4000,     /* without PostgreSQL: no longer kept */
    PAUSE_MS = 1000       /* after a failure that is no lost connection */
};
_Static_assert(2 * READ_MAX <= BATCH_EXTRA, "both kinds of claim may come when a batch is full");

enum slot_state { FREE, GATHERING, WAITING, STORING, UNACKED, ACKING };

struct slot {
    struct store_tx tx;
    struct queue_end ack;
    struct drain *drain;
    struct batch batch;
    enum slot_state state;
    int64_t since_ms;      /* it holds entries */
    int64_t not_before_ms; /* of the next attempt */
    int64_t sent_us;
    size_t n_acking;
};

struct reader { /* one of the two ways of claiming */
    struct queue_claim claim;
    struct drain *drain;
    bool out;              /* a command is out */
    bool more;             /* the last one brought all that it might: there is more */
    unsigned asked;        /* entries */
    int64_t not_before_ms; /* of the next one */
};

struct drain {
    struct drain_options o;
    struct slot slots[DRAIN_SLOTS];
    struct slot *gathering;
    struct reader fresh, idle;
    struct trial *trial; /* of what was taken over */
    struct group *group;
    struct queue_ticket kept; /* of all that is kept: only a refusal is of interest */
    int64_t keep_ms;          /* when next */
    bool stopping, paused;
    size_t largest;              /* body of late: reads ask for fewer of them */
    int64_t pg_seen_ms, busy_ms; /* when last */
    struct log_limit limit;
};

#define OWNER(pointer, type, member)                                                               \
    ((struct type *)(void *)((char *)(pointer)-offsetof(struct type, member)))

static int64_t now_ms(const struct drain *d)
{
    return ev_now_ms(d->o.ev);
}

/* ---- slots ---- */

static void set_state(struct slot *s, enum slot_state state)
{
    s->state = state;
    s->not_before_ms = 0;
    if (state == FREE)
        batch_reset(&s->batch);
}

static struct slot *free_slot(struct drain *d)
{
    for (unsigned i = 0; i < DRAIN_SLOTS; i++)
        if (d->slots[i].state == FREE)
            return &d->slots[i];
    return NULL;
}

static unsigned count_in(const struct drain *d, enum slot_state state)
{
    unsigned n = 0;
    for (unsigned i = 0; i < DRAIN_SLOTS; i++)
        n += d->slots[i].state == state;
    return n;
}

static void log_failure(struct drain *d, const char *event, const char *what)
{
    unsigned suppressed;
    if (!log_limit_pass(&d->limit, 1, &suppressed))
        return;
    if (suppressed)
        log_warn(event, NULL, "%s (and %u more of late)", what, suppressed);
    else
        log_warn(event, NULL, "%s", what);
}

/* ---- acknowledging ---- */

static void on_acked(struct queue_end *e, enum status st)
{
    struct slot *s = OWNER(e, slot, ack);
    struct drain *d = s->drain;
    if (st == STATUS_OK) {
        metric_add(&d->o.counters->acked, s->n_acking);
        set_state(s, FREE);
        return;
    }
    set_state(s, UNACKED);
    s->not_before_ms = now_ms(d) + PAUSE_MS;
    log_failure(d, "ack_failed", status_name(st));
}

/* All but what could not be stored. */
static size_t ids_to_ack(const struct slot *s, struct event_id *ids)
{
    size_t n = 0;
    for (size_t i = 0; i < s->batch.n; i++)
        if (!s->batch.entregas[i].left)
            ids[n++] = s->batch.entregas[i].event.id;
    return n;
}

static void acknowledge(struct slot *s)
{
    struct event_id ids[BATCH_MAX + BATCH_EXTRA];
    size_t n = s->n_acking = ids_to_ack(s, ids);
    if (n == 0)
        set_state(s, FREE);
    else if (queue_ack(s->drain->o.rds, ids, n, &s->ack) == STATUS_OK)
        set_state(s, ACKING);
}

/* ---- storing ---- */

static void store_ended(struct slot *s, enum status st)
{
    struct drain *d = s->drain;
    if (st != STATUS_OK && st != STATUS_INVALID)
        log_failure(d, "store_failed", *s->tx.reason ? s->tx.reason : status_name(st));
    switch (batch_outcome(&s->batch, st, s->tx.reason)) {
    case BATCH_DONE:
        news_add(d->o.news, &s->batch);
        set_state(s, UNACKED);
        break;
    case BATCH_NEXT:
        set_state(s, WAITING);
        break;
    case BATCH_LATER:
        set_state(s, WAITING);
        s->not_before_ms = pg_ready(d->o.pg) ? now_ms(d) + PAUSE_MS : 0;
    }
}

static void on_stored(struct store_tx *tx, enum status st)
{
    struct slot *s = OWNER(tx, slot, tx);
    if (st == STATUS_OK)
        metric_observe_us(&s->drain->o.counters->batch_time,
                          (uint64_t)(ev_clock_us() - s->sent_us));
    store_ended(s, st);
}

static void store(struct slot *s)
{
    struct drain *d = s->drain;
    s->sent_us = ev_clock_us();
    store_tx_begin(&s->tx);
    enum status st = batch_store(&s->batch, &s->tx, d->o.pg);
    enum status end = store_tx_commit(&s->tx, d->o.pg);
    if (end == STATUS_OK) { /* on_stored will run; what is not whole must not count as stored */
        set_state(s, STORING);
        if (st != STATUS_OK)
            s->tx.st = st;
    } else {
        store_ended(s, st == STATUS_OK ? end : st);
    }
}

/* ---- gathering ---- */

static bool in_hand(const struct drain *d, struct event_id id)
{
    for (unsigned i = 0; i < DRAIN_SLOTS; i++)
        if (d->slots[i].state != FREE && batch_has(&d->slots[i].batch, id))
            return true;
    return trial_has(d->trial, id);
}

static void left_for_later(struct drain *d)
{
    log_failure(d, "no_memory", "an entry is left for later"); /* it turns up among the idle ones */
}

#ifdef PLANT_XACK_FIRST /* tests only: acknowledged before it is written */
static void on_planted(struct queue_end *e, enum status st)
{
    (void)e;
    (void)st;
}
static struct queue_end planted = {.done = on_planted};
#endif

static void gather(struct drain *d, const struct new_entrega *one)
{
    struct slot *s = d->gathering;
    if (s->batch.n == 0)
        s->since_ms = now_ms(d);
    if (!batch_add(&s->batch, one))
        left_for_later(d);
#ifdef PLANT_XACK_FIRST
    queue_ack(d->o.rds, &one->event.id, 1, &planted);
#endif
}

/* Follows the size of what comes. */
static void note_size(struct drain *d, size_t len)
{
    d->largest = len > d->largest ? len : d->largest - d->largest / 64;
}

static void on_fresh(struct queue_claim *c, const struct event *e)
{
    struct drain *d = OWNER(c, reader, claim)->drain;
    metric_add(&d->o.counters->claimed, 1);
    note_size(d, e->corpo.len);
    gather(d, &(struct new_entrega){.event = *e});
}

static void on_idle(struct queue_claim *c, const struct event *e)
{
    struct drain *d = OWNER(c, reader, claim)->drain;
    if (in_hand(d, e->id)) /* our own, while we or Redis stood still */
        return;
    metric_add(&d->o.counters->taken_over, 1);
    note_size(d, e->corpo.len);
    if (!trial_add(d->trial, &(struct new_entrega){.event = *e}))
        left_for_later(d);
}

static void on_tried(void *ctx)
{
    struct drain *d = ctx;
    const struct new_entrega *one;
    for (size_t i = 0; (one = trial_verdict(d->trial, i)); i++)
        gather(d, one);
    trial_reset(d->trial);
}

/* Sends the gathered batch on its way when there is a slot for the next one. */
static void close_batch(struct drain *d)
{
    struct slot *next = free_slot(d);
    unsigned ahead = count_in(d, WAITING) + count_in(d, STORING);
    if (d->gathering->batch.n == 0 || !next || ahead >= DRAIN_STORING ||
        (ahead > 0 && !batch_full(&d->gathering->batch)))
        return;
    if (d->gathering->batch.n >= BATCH_MAX / 2)
        d->busy_ms = now_ms(d);
    set_state(d->gathering, WAITING);
    d->gathering = next;
    set_state(next, GATHERING);
}

/* ---- claiming ---- */

static void claim_ended(struct queue_claim *c, enum status st, size_t n)
{
    struct reader *r = OWNER(c, reader, claim);
    struct drain *d = r->drain;
    r->out = false;
    r->more = st == STATUS_OK && n >= r->asked;
    if (st == STATUS_NOT_FOUND) {
        group_lost(d->group);
        d->idle.claim.cursor = (struct event_id){0, 0};
    }
    if (st == STATUS_OVERLOADED) {
        r->not_before_ms = now_ms(d) + PAUSE_MS;
        log_failure(d, "claim_failed", "Redis refused to hand out entries");
    }
}

static void on_idle_ended(struct queue_claim *c, enum status st, size_t n)
{
    struct reader *r = OWNER(c, reader, claim);
    claim_ended(c, st, n);
    r->more = st == STATUS_OK && (c->cursor.ms || c->cursor.seq);
    r->not_before_ms = now_ms(r->drain) + (r->more ? 0 : LOOK_EVERY_MS);
    if (trial_count(r->drain->trial) > 0)
        trial_start(r->drain->trial);
}

/* How many a read may ask for. */
static unsigned room(const struct drain *d)
{
    const struct batch *b = &d->gathering->batch;
    if (batch_full(b))
        return 0;
    size_t n = BATCH_MAX - b->n;
    if (n > READ_MAX)
        n = READ_MAX;
    size_t foreseen = d->largest > 0 ? READ_BYTES / d->largest : n;
    return (unsigned)(n < foreseen ? n : foreseen > 0 ? foreseen : 1);
}

static bool may_claim(const struct drain *d, const struct reader *r)
{
    return !d->stopping && !d->paused && !r->out && group_there(d->group) && pg_ready(d->o.pg) &&
           now_ms(d) >= r->not_before_ms && room(d) > 0;
}

static void claim(struct drain *d)
{
    if (may_claim(d, &d->fresh)) {
        d->fresh.asked = room(d);
        d->fresh.out =
            queue_claim_new(d->o.waiting, d->o.consumer, d->fresh.asked,
                            d->fresh.more ? 0 : DRAIN_BLOCK_MS, &d->fresh.claim) == STATUS_OK;
    }
    if (may_claim(d, &d->idle) && !trial_under_way(d->trial)) {
        d->idle.asked = room(d);
        d->idle.out =
            queue_claim_idle(d->o.rds, d->o.consumer, d->idle.asked, &d->idle.claim) == STATUS_OK;
    }
}

/* ---- keeping ---- */

static void on_kept(struct queue_ticket *t, enum status st)
{
    if (st == STATUS_OVERLOADED)
        log_failure(OWNER(t, drain, kept), "redis_refused", "to keep what is in hand was refused");
}

/* One command a slot. */
static void keep_fresh(struct drain *d)
{
    struct event_id ids[BATCH_MAX + BATCH_EXTRA];
    int64_t now = now_ms(d);
    if (now - d->pg_seen_ms > LET_GO_MS || now < d->keep_ms)
        return;
    d->keep_ms = now + KEEP_EVERY_MS;
    for (unsigned i = 0; i < DRAIN_SLOTS; i++) {
        struct slot *s = &d->slots[i];
        bool holds = s->state != FREE && s->batch.n > 0 && now - s->since_ms >= KEEP_EVERY_MS;
        if (holds)
            queue_keep(d->o.rds, d->o.consumer, ids, ids_to_ack(s, ids), &d->kept);
    }
    /* Until Redis 7.2 a read or a claim that finds nothing is no sign of life. */
    if (group_there(d->group))
        queue_show_up(d->o.rds, d->o.consumer, &d->kept);
}

/* ---- public ---- */

static void init_reader(struct drain *d, struct reader *r,
                        void (*entry)(struct queue_claim *, const struct event *),
                        void (*done)(struct queue_claim *, enum status, size_t))
{
    *r = (struct reader){.drain = d, .claim = {.entry = entry, .done = done}};
}

struct drain *drain_new(const struct drain_options *o)
{
    struct drain *d = calloc(1, sizeof *d);
    bool ok = true;
    if (!d)
        return NULL;
    d->o = *o;
    for (unsigned i = 0; i < DRAIN_SLOTS; i++) {
        d->slots[i].drain = d;
        d->slots[i].tx.done = on_stored;
        d->slots[i].ack.done = on_acked;
        ok = batch_init(&d->slots[i].batch, o->counters, o->max_attempts) && ok;
    }
    d->trial = trial_new(o->ev, on_tried, d);
    d->gathering = &d->slots[0];
    set_state(d->gathering, GATHERING);
    init_reader(d, &d->fresh, on_fresh, claim_ended);
    init_reader(d, &d->idle, on_idle, on_idle_ended);
    d->kept.done = on_kept;
    d->group = group_new(o->ev, o->rds, o->counters);
    if (!ok || !d->trial || !d->group) {
        drain_free(d);
        return NULL;
    }
    return d;
}

void drain_free(struct drain *d)
{
    if (!d)
        return;
    for (unsigned i = 0; i < DRAIN_SLOTS; i++)
        batch_release(&d->slots[i].batch);
    trial_free(d->trial);
    group_free(d->group);
    free(d);
}

static void push_on(struct drain *d, struct slot *s)
{
    if (now_ms(d) < s->not_before_ms)
        return;
    if (s->state == WAITING && pg_ready(d->o.pg))
        store(s);
    else if (s->state == UNACKED && rds_ready(d->o.rds))
        acknowledge(s);
}

void drain_pump(struct drain *d)
{
    if (pg_ready(d->o.pg))
        d->pg_seen_ms = now_ms(d);
    close_batch(d);
    for (unsigned i = 0; i < DRAIN_SLOTS; i++)
        push_on(d, &d->slots[i]);
    if (!d->stopping)
        group_pump(d->group);
    if (rds_ready(d->o.rds))
        keep_fresh(d);
    claim(d);
}

bool drain_busy(const struct drain *d)
{
    return d->busy_ms > 0 && now_ms(d) - d->busy_ms < 1000;
}

void drain_tick(struct drain *d, int64_t now_ms)
{
    trial_tick(d->trial, now_ms);
}

void drain_stop(struct drain *d)
{
    d->stopping = true;
}

void drain_pause(struct drain *d, bool yes)
{
    d->paused = yes;
}

/* What waits for a server that is away is left: it is ours to nobody's harm until it is idle. */
bool drain_done(const struct drain *d)
{
    bool pg = pg_ready(d->o.pg), rds = rds_ready(d->o.rds);
    if (d->fresh.out || d->idle.out || trial_under_way(d->trial))
        return false;
    for (unsigned i = 0; i < DRAIN_SLOTS; i++) {
        const struct slot *s = &d->slots[i];
        bool to_store =
            s->state == WAITING || s->state == STORING || (s->state == GATHERING && s->batch.n > 0);
        if ((to_store && pg) || ((s->state == UNACKED || s->state == ACKING) && rds))
            return false;
    }
    return true;
}
