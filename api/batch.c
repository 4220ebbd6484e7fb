/* batch: owns the table of kinds and the life of a flight: gathering, sent, landed, ended. */
#include "batch.h"

#include <stdlib.h>

#include "ev.h"
#include "handlers.h"
#include "loop.h"
#include "reply.h"

enum {
    HOLD_SHARE = 4,      /* of a flight's time may be waited for company */
    HOLD_LEAST_US = 100, /* less is not worth a timer */
    HOLD_MOST_US = 2000,
    SWEEP_AT = 2 * PARKED_MAX /* gathering: no more than half of them still wait */
};

static const struct batch_type *const types[BATCH_KINDS] = {
    [BATCH_STATUS] = &batch_status,   [BATCH_PAGE] = &batch_page,
    [BATCH_SEARCH] = &batch_search,   [BATCH_POST] = &batch_post,
    [BATCH_CREATE] = &batch_create,   [BATCH_CHANGE] = &batch_change,
    [BATCH_CACHE] = &batch_cache,     [BATCH_VISIT] = &batch_visit,
    [BATCH_COUNTER] = &batch_counter, [BATCH_STATS] = &batch_stats,
    [BATCH_WEBHOOK] = &batch_webhook, [BATCH_DIRECT] = &batch_direct,
    [BATCH_QUEUE] = &batch_queue,     [BATCH_OWN] = &batch_own,
};

const char *batch_name(enum batch_kind kind)
{
    return types[kind]->name;
}

static const struct batch_type *type_of(const struct batch *b)
{
    return types[b - b->loop->batches];
}

static void append(struct batch *b, struct request *r)
{
    r->batch_next = NULL;
    r->gathers = true;
    *b->gathering_end = r;
    b->gathering_end = &r->batch_next;
    b->n_gathering++;
}

/* While a server hangs, clients come, go and leave their requests behind: those that nobody waits
 * for any more are let go. */
static void sweep(struct batch *b)
{
    struct request *r = b->gathering;
    b->gathering = NULL;
    b->gathering_end = &b->gathering;
    b->n_gathering = 0;
    while (r) {
        struct request *next = r->batch_next;
        r->gathers = false;
        if (r->state == REQUEST_PARKED)
            append(b, r);
        else
            request_unref(r);
        r = next;
    }
}

static void gather(struct batch *b, struct request *r)
{
    if (b->n_gathering >= SWEEP_AT)
        sweep(b);
    r->move_to = BATCH_KINDS;
    append(b, r);
}

#ifdef PLANT_JOIN_SENT
static void join_sent(struct batch *b, struct request *r)
{
    r->move_to = BATCH_KINDS;
    r->batch = b;
    r->batch_next = b->flying->batch_next;
    b->flying->batch_next = r;
    b->n_flying++;
    if (b == &b->loop->batches[BATCH_PAGE])
        page_follow(b, r);
}
#endif

enum status batch_join(struct request *r, enum batch_kind kind)
{
    struct batch *b = &r->loop->batches[kind];
    enum status st = loop_park(r->loop, r);
    if (st != STATUS_PENDING)
        return reply_problem(r, st, "Pedidos demais esperam; tente de novo em instantes.");
    request_ref(r);
#ifdef PLANT_JOIN_SENT /* tests only: the bug that the batch rule forbids */
    if (b->flying && (kind == BATCH_PAGE || kind == BATCH_CACHE)) {
        join_sent(b, r);
        return STATUS_PENDING;
    }
#endif
    gather(b, r);
    return STATUS_PENDING;
}

static struct request *pop_gathered(struct batch *b)
{
    struct request *r = b->gathering;
    b->gathering = r->batch_next;
    if (!b->gathering)
        b->gathering_end = &b->gathering;
    b->n_gathering--;
    r->gathers = false;
    r->batch_next = NULL;
    return r;
}

/* The flight takes what has gathered, up to BATCH_MAX. Those that were answered meanwhile
 * (deadline) or whose client has gone are not sent at all. */
static void take_off(struct batch *b)
{
    struct request **end = &b->flying;
    while (b->gathering && b->n_flying < BATCH_MAX) {
        struct request *r = pop_gathered(b);
        if (r->state != REQUEST_PARKED) {
            request_unref(r);
            continue;
        }
        *end = r;
        end = &r->batch_next;
        b->n_flying++;
    }
    if (b->n_flying) {
        unsigned faded = b->n_usual * 7 / 8;
        b->n_usual = b->n_flying > faded ? b->n_flying : faded;
    }
    size_t kind = (size_t)(b - b->loop->batches);
    metric_add(&b->loop->metrics.batches[kind], b->n_flying > 0);
    metric_add(&b->loop->metrics.batched[kind], b->n_flying);
}

static void expect_company(struct batch *b)
{
    int64_t now = ev_clock_us();
    int64_t hold = (now - b->sent_us) / HOLD_SHARE;
    if (hold > HOLD_MOST_US)
        hold = HOLD_MOST_US;
    b->hold_until_us = hold < HOLD_LEAST_US ? 0 : now + hold;
    b->n_expected = b->n_flying + b->n_gathering;
}

static bool lacks_company(const struct batch *b)
{
    return b->hold_until_us && b->n_gathering * 8 < b->n_expected * 7;
}

static bool held(const struct batch *b)
{
    return lacks_company(b) && ev_clock_us() < b->hold_until_us;
}

/* Requests that a kind wants elsewhere (Redis refused, PostgreSQL next) keep their reference. */
static void end(struct batch *b)
{
    struct request *r = b->flying;
    expect_company(b);
    b->flying = NULL;
    b->n_flying = 0;
    while (r) {
        struct request *next = r->batch_next;
        if (r->move_to != BATCH_KINDS && r->state == REQUEST_PARKED)
            gather(&b->loop->batches[r->move_to], r);
        else
            request_unref(r);
        r = next;
    }
}

static void land(struct batch *b)
{
    if (type_of(b)->landed)
        type_of(b)->landed(b);
    if (b->outstanding == 0)
        end(b);
}

void batch_back(struct batch *b)
{
    if (--b->outstanding == 0)
        land(b);
}

void batch_refuse(struct batch *b, enum status st, const char *detail)
{
    for (struct request *r = b->flying; r; r = r->batch_next)
        if (r->state != REQUEST_ANSWERED) {
            reply_problem(r, st, detail);
            request_answer(r);
        }
}

static void send_one(struct batch *b)
{
    take_off(b);
    if (!b->flying)
        return;
    loop_trace(b->loop, b->flying);
    b->sent_us = ev_clock_us();
    b->outstanding = 1; /* ours, so that answers inside send do not end the flight under its feet */
    type_of(b)->send(b);
    batch_back(b);
}

static bool waits(const struct batch *b)
{
    return b->gathering && !b->flying;
}

void batches_send(struct batch *batches)
{
    for (int kind = 0; kind < BATCH_KINDS; kind++)
        if (waits(&batches[kind]) && !held(&batches[kind]))
            send_one(&batches[kind]);
}

/* Without a look at the clock: a hold that ended behind batches_send must not be taken for nothing
 * to do. */
int64_t batches_held_until(const struct batch *batches)
{
    int64_t first = 0;
    for (int kind = 0; kind < BATCH_KINDS; kind++) {
        const struct batch *b = &batches[kind];
        int64_t until = lacks_company(b) ? b->hold_until_us : 1;
        if (waits(b) && (first == 0 || until < first))
            first = until;
    }
    return first;
}

bool batches_thin(const struct batch *batches)
{
    for (int kind = 0; kind < BATCH_KINDS; kind++) {
        const struct batch *b = &batches[kind];
        if (waits(b) && !held(b) && b->n_gathering * 2 < b->n_usual)
            return true;
    }
    return false;
}

void batches_tick(struct batch *batches, int64_t now_ms)
{
    for (int kind = 0; kind < BATCH_KINDS; kind++)
        if (types[kind]->tick && batches[kind].flying)
            types[kind]->tick(&batches[kind], now_ms);
}

bool batches_init(struct batch *batches, struct loop *loop)
{
    for (int kind = 0; kind < BATCH_KINDS; kind++) {
        struct batch *b = &batches[kind];
        *b = (struct batch){.loop = loop, .gathering_end = &b->gathering};
        if (types[kind]->data_size && !(b->data = calloc(1, types[kind]->data_size)))
            return false;
    }
    return true;
}

static void drop(struct request *list)
{
    for (struct request *next; list; list = next) {
        next = list->batch_next;
        request_unref(list);
    }
}

void batches_free(struct batch *batches)
{
    for (int kind = 0; kind < BATCH_KINDS; kind++) {
        drop(batches[kind].flying);
        drop(batches[kind].gathering);
        free(batches[kind].data);
    }
}
