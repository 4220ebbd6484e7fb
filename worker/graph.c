/* graph: owns the hands that look leads up, each with one lead at a time:
 *
 *     FREE → CLAIMED (until the claim is committed) → CALLING → TO_WRITE ⇄ WRITING → FREE
 */
#include "graph.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "ev.h"
#include "graph_answer.h"
#include "graph_pace.h"
#include "graph_request.h"
#include "http.h"
#include "log.h"
#include "pg.h"
#include "servers.h"

enum {
    LOOK_EVERY_MS = 500, /* when there was nothing */
    PAUSE_MS = 1000      /* after a failure of PostgreSQL's */
};

enum state { FREE, CLAIMED, CALLING, TO_WRITE, WRITING };

struct hand {
    struct http_call call;
    struct store_tx tx;
    struct graph *graph;
    enum state state;
    struct pg_text id, page; /* in the arena */
    unsigned attempts;       /* that failed before this one */
    int64_t lease_us;        /* the ticket */
    int64_t lease_ends_ms;   /* by our clock, rather early */
    int64_t begun_us;
    struct arena arena;
    struct graph_answer answer;
    struct consulta_failure failure; /* unless the answer is complete */
    int64_t not_before_ms;           /* of the next write */
};

struct graph {
    struct consulta_claim claim;
    struct ev *ev;
    struct pg *pg; /* NULL: there is no token */
    struct http *http;
    struct worker_counters *counters;
    struct graph_request request;
    struct buf url; /* of the call that is begun just now; secret */
    struct graph_pace pace;
    struct hand hands[GRAPH_HANDS];
    size_t asked; /* leads that the claim under way wants */
    bool claiming, stopping, paused;
    bool misconfigured;       /* what was last heard of the token */
    int64_t claim_begun_ms;   /* the leases are longer than from here */
    int64_t claim_not_before; /* ms */
    struct log_limit failures, limits;
};

/* ---- outcomes ---- */

static void free_hand(struct hand *h)
{
    h->state = FREE;
    arena_reset(&h->arena, GRAPH_ARENA);
}

static void postpone(struct hand *h, bool answered, int64_t wait_ms)
{
    h->failure = (struct consulta_failure){.answered = answered, .wait_ms = wait_ms};
}

static void on_retry(struct hand *h)
{
    struct graph *g = h->graph;
    bool last = h->attempts + 1 >= GRAPH_ATTEMPTS;
    metric_add(last ? &g->counters->graph_failed : &g->counters->graph_retry, 1);
    h->failure = (struct consulta_failure){
        .final = last,
        .counts = true,
        .answered = h->call.status > 0,
        .wait_ms = last ? 0 : graph_pace_retry_ms(h->attempts + 1, &g->pace.seed),
        .motivo = h->answer.motivo};
}

static void on_refused(struct hand *h)
{
    metric_add(&h->graph->counters->graph_failed, 1);
    h->failure = (struct consulta_failure){
        .final = true, .counts = true, .answered = true, .motivo = h->answer.motivo};
}

static void on_limited(struct hand *h, const struct graph_usage *u)
{
    struct graph *g = h->graph;
    bool all = h->answer.verdict == GRAPH_LIMITED_ALL || !h->page.data;
    struct pg_text page = all ? (struct pg_text){NULL, 0} : h->page;
    int64_t ms = graph_pace_limited(&g->pace, page, u, ev_now_ms(g->ev));
    unsigned suppressed;
    metric_add(&g->counters->graph_limited, 1);
    if (log_limit_pass(&g->limits, 1, &suppressed))
        log_warn("graph_limited", NULL, "%s: %s%.*s rests for %" PRId64 " s", h->answer.motivo,
                 all ? "everything" : "page ", (int)page.len, all ? "" : page.data, ms / 1000);
    postpone(h, true, ms);
    h->failure.motivo = h->answer.motivo;
}

/* Not the lead's fault: its turn is kept, so that a worker with a better token has it at once. */
static void on_misconfigured(struct hand *h)
{
    struct graph *g = h->graph;
    int64_t now_ms = ev_now_ms(g->ev);
    metric_add(&g->counters->graph_token, 1);
    if (graph_pace_may_ask(&g->pace, now_ms))
        log_error("graph_token", NULL, "%s: no lead is looked up for a minute: %s",
                  h->answer.motivo, h->answer.advice);
    g->misconfigured = true;
    graph_pace_rest(&g->pace, GRAPH_MISCONFIGURED_MS, now_ms);
    postpone(h, true, 0);
    h->failure.motivo = h->answer.motivo;
}

static void on_complete(struct hand *h, const struct graph_usage *u)
{
    struct graph *g = h->graph;
    metric_add(&g->counters->graph_ok, 1);
    if (g->misconfigured)
        log_info("graph_token_good", NULL, "leads are looked up again");
    g->misconfigured = false;
    graph_pace_good(&g->pace, h->page, u, ev_now_ms(g->ev));
}

static void log_failure(struct hand *h)
{
    unsigned suppressed;
    enum graph_verdict v = h->answer.verdict;
    if ((v == GRAPH_RETRY || v == GRAPH_REFUSED) &&
        log_limit_pass(&h->graph->failures, 1, &suppressed))
        log_warn("graph_failed", h->id.data, "attempt %u%s: %s", h->attempts + 1,
                 h->failure.final ? ", the last one" : "", h->answer.motivo);
}

static void judge(struct hand *h, const struct graph_usage *u)
{
    switch (h->answer.verdict) {
    case GRAPH_COMPLETE:
        on_complete(h, u);
        break;
    case GRAPH_RETRY:
        on_retry(h);
        break;
    case GRAPH_REFUSED:
        on_refused(h);
        break;
    case GRAPH_LIMITED_ALL:
    case GRAPH_LIMITED_PAGE:
        on_limited(h, u);
        break;
    case GRAPH_MISCONFIGURED:
        on_misconfigured(h);
        break;
    }
    log_failure(h);
    h->state = TO_WRITE;
}

/* ---- calls ---- */

static void count_end(struct hand *h)
{
    struct worker_counters *c = h->graph->counters;
    metric_add(&c->graph_in_flight, UINT64_MAX);
    metric_observe_us(&c->graph_time, (uint64_t)(ev_clock_us() - h->begun_us));
}

static void on_answer(struct http_call *call)
{
    struct hand *h = (struct hand *)(void *)call;
    struct graph_usage u =
        graph_usage_read(http_header(call, "X-Business-Use-Case-Usage"),
                         http_header(call, "X-App-Usage"), http_header(call, "X-Page-Usage"));
    count_end(h);
    if (call->wrong)
        graph_answer_none(call->wrong, &h->answer);
    else
        graph_answer_read(h->id, call->status, call->body.data, call->body.len, &h->arena,
                          &h->answer);
    log_debug("graph_answer", h->id.data, "HTTP %u %s", call->status,
              h->answer.verdict == GRAPH_COMPLETE ? "complete" : h->answer.motivo);
    judge(h, &u);
}

static bool call(struct hand *h)
{
    struct graph *g = h->graph;
    if (!graph_request_url(&g->request, h->id, &g->url) ||
        !http_get(g->http, &h->call, g->url.data))
        return false;
    metric_add(&g->counters->graph_in_flight, 1);
    h->begun_us = ev_clock_us();
    h->state = CALLING;
    return true;
}

/* Something may have been heard since the claim was sent that forbids the call. */
static int64_t rest_ms(const struct hand *h, int64_t now_ms)
{
    const struct graph *g = h->graph;
    int64_t all_ms = graph_pace_may_ask(&g->pace, now_ms) ? 0 : g->pace.all.until_ms - now_ms;
    int64_t page_ms = graph_pace_page_ms(&g->pace, h->page, now_ms);
    return g->misconfigured ? 0 : all_ms > page_ms ? all_ms : page_ms;
}

static bool may_call(const struct hand *h, int64_t now_ms)
{
    const struct graph *g = h->graph;
    return !g->stopping && graph_pace_may_ask(&g->pace, now_ms) &&
           graph_pace_page_ms(&g->pace, h->page, now_ms) == 0;
}

static void begin(struct hand *h)
{
    int64_t now_ms = ev_now_ms(h->graph->ev);
    h->answer = (struct graph_answer){.verdict = GRAPH_RETRY};
    h->state = TO_WRITE;
    h->not_before_ms = 0;
    h->call.status = 0;
    if (!may_call(h, now_ms)) {
        postpone(h, false, h->graph->stopping ? 0 : rest_ms(h, now_ms));
    } else if (!graph_request_id(h->id)) {
        metric_add(&h->graph->counters->graph_failed, 1);
        h->failure = (struct consulta_failure){.final = true,
                                               .motivo = "leadgen_id que não pode ser consultado"};
    } else if (!call(h)) {
        postpone(h, false, PAUSE_MS);
    }
}

/* ---- claiming ---- */

static struct hand *find_hand(struct graph *g, enum state state)
{
    for (unsigned i = 0; i < GRAPH_HANDS; i++)
        if (g->hands[i].state == state)
            return &g->hands[i];
    return NULL;
}

static size_t count_hands(const struct graph *g, enum state state)
{
    size_t n = 0;
    for (unsigned i = 0; i < GRAPH_HANDS; i++)
        n += g->hands[i].state == state;
    return n;
}

/* What does not fit (ids are short) stays with its lease: nobody asks for it. */
static void on_lead(struct consulta_claim *c, const struct consulta_lead *l)
{
    struct graph *g = (struct graph *)(void *)c;
    struct hand *h = find_hand(g, FREE);
    if (!h)
        return;
    h->id = (struct pg_text){arena_copy(&h->arena, l->leadgen_id.data, l->leadgen_id.len),
                             l->leadgen_id.len};
    h->page = (struct pg_text){NULL, 0};
    if (l->pagina_id.data && l->pagina_id.len > 0)
        h->page = (struct pg_text){arena_copy(&h->arena, l->pagina_id.data, l->pagina_id.len),
                                   l->pagina_id.len};
    if (!h->id.data || (h->page.len > 0 && !h->page.data)) {
        free_hand(h);
        return;
    }
    h->attempts = (unsigned)l->tentativas;
    h->lease_us = l->lease_us;
    h->lease_ends_ms = g->claim_begun_ms + GRAPH_LEASE_MS;
    h->state = CLAIMED;
}

static void on_claimed(struct consulta_claim *c, enum status st, size_t n, size_t moved)
{
    struct graph *g = (struct graph *)(void *)c;
    int64_t now_ms = ev_now_ms(g->ev);
    unsigned suppressed;
    g->claiming = false;
    g->claim_not_before = st != STATUS_OK              ? now_ms + PAUSE_MS
                          : n < g->asked && moved == 0 ? now_ms + LOOK_EVERY_MS
                                                       : 0;
    if (st != STATUS_OK && st != STATUS_DATABASE_AWAY &&
        log_limit_pass(&g->failures, 1, &suppressed))
        log_warn("graph_claim_failed", NULL, "%s", status_name(st));
    for (struct hand *h; (h = find_hand(g, CLAIMED)) != NULL;) {
        if (st == STATUS_OK)
            begin(h);
        else
            free_hand(h);
    }
}

static size_t list_rests(const struct graph *g, int64_t now_ms,
                         struct consulta_rest rests[static GRAPH_PAGES])
{
    size_t n = 0;
    for (unsigned i = 0; i < GRAPH_PAGES; i++) {
        const struct graph_rest *r = &g->pace.pages[i];
        if (r->until_ms > now_ms)
            rests[n++] = (struct consulta_rest){{r->id, r->len}, r->until_ms - now_ms};
    }
    return n;
}

/* While the token is in doubt one lead is enough to find out. */
static void claim(struct graph *g)
{
    struct consulta_rest rests[GRAPH_PAGES];
    int64_t now_ms = ev_now_ms(g->ev);
    if (g->claiming || g->stopping || g->paused || now_ms < g->claim_not_before ||
        !pg_ready(g->pg) || !graph_pace_may_ask(&g->pace, now_ms))
        return;
    g->asked = count_hands(g, FREE);
    if (g->asked == 0 || (g->misconfigured && g->asked < GRAPH_HANDS))
        return;
    if (g->misconfigured)
        g->asked = 1;
    g->claim_begun_ms = now_ms;
    g->claiming = store_consulta_claim(g->pg, g->asked, GRAPH_LEASE_MS, rests,
                                       list_rests(g, now_ms, rests), &g->claim) == STATUS_OK;
}

/* ---- writing ---- */

/* What the database does not take cannot become better: first without the fields, then as failed.
 */
static void on_invalid(struct hand *h)
{
    if (h->answer.verdict == GRAPH_COMPLETE && h->answer.row.campos.data) {
        h->answer.row.campos = (struct pg_text){NULL, 0};
    } else if (h->answer.verdict == GRAPH_COMPLETE) {
        h->answer.verdict = GRAPH_REFUSED;
        h->failure = (struct consulta_failure){
            .final = true, .counts = true, .motivo = "o banco recusou a resposta"};
    } else {
        log_error("graph_not_written", h->id.data, "%s", h->tx.reason);
        free_hand(h);
    }
}

/* A failure is of no use once the lease has run out: the lead is someone else's. */
static bool is_late(const struct hand *h, enum status st)
{
    return ev_now_ms(h->graph->ev) > h->lease_ends_ms &&
           (h->answer.verdict != GRAPH_COMPLETE || st != STATUS_DATABASE_AWAY);
}

static void on_written(struct store_tx *tx, enum status st)
{
    struct hand *h = (struct hand *)(void *)((char *)tx - offsetof(struct hand, tx));
    h->state = TO_WRITE;
    h->not_before_ms = 0;
    if (st == STATUS_OK || is_late(h, st)) {
        free_hand(h);
    } else if (st == STATUS_INVALID) {
        on_invalid(h);
    } else {
        h->not_before_ms = ev_now_ms(h->graph->ev) + PAUSE_MS;
        if (st != STATUS_DATABASE_AWAY)
            log_warn("graph_write_failed", h->id.data, "%s",
                     *tx->reason ? tx->reason : status_name(st));
    }
}

static void write_outcome(struct hand *h)
{
    struct graph *g = h->graph;
    enum status st = h->answer.verdict == GRAPH_COMPLETE
                         ? store_consulta_complete(&h->tx, g->pg, h->id, &h->answer.row)
                         : store_consulta_fail(&h->tx, g->pg, h->id, h->lease_us, &h->failure);
    if (st == STATUS_OK)
        h->state = WRITING;
    else
        h->not_before_ms = ev_now_ms(g->ev) + PAUSE_MS;
}

static void write_outcomes(struct graph *g)
{
    for (unsigned i = 0; i < GRAPH_HANDS && pg_ready(g->pg); i++) {
        struct hand *h = &g->hands[i];
        if (h->state == TO_WRITE && ev_now_ms(g->ev) >= h->not_before_ms)
            write_outcome(h);
    }
}

/* ---- life ---- */

static bool make(struct graph *g, const struct config *c)
{
    static const struct pg_statement *const none[] = {NULL};
    struct pg_options o = servers_pg(c, "leads", none);
    g->url = buf_init(3 * GRAPH_URL_MAX);
    g->pg = pg_new(g->ev, &o);
    g->http = http_new(g->ev, GRAPH_HANDS);
    if (!g->pg || !g->http ||
        !graph_request_init(&g->request, c->graph_url, c->meta_access_token, c->meta_app_secret))
        return false;
    pg_release_hold(g->pg);
    log_info("graph", NULL, "leads are looked up at %s%s", c->graph_url,
             c->meta_app_secret ? "" : ", without appsecret_proof: META_APP_SECRET is not set");
    return true;
}

struct graph *graph_new(struct ev *ev, const struct config *c, struct worker_counters *counters)
{
    struct graph *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->ev = ev;
    g->counters = counters;
    g->claim.lead = on_lead;
    g->claim.done = on_claimed;
    g->pace.seed = (uint64_t)ev_clock_us();
    for (unsigned i = 0; i < GRAPH_HANDS; i++) {
        struct hand *h = &g->hands[i];
        h->graph = g;
        h->call.done = on_answer;
        h->tx.done = on_written;
        arena_init(&h->arena, GRAPH_ARENA);
    }
    if (c->meta_access_token && !make(g, c)) {
        graph_free(g);
        return NULL;
    }
    return g;
}

void graph_free(struct graph *g)
{
    if (!g)
        return;
    g->stopping = true;
    pg_free(g->pg); /* answers what is in flight */
    for (unsigned i = 0; i < GRAPH_HANDS; i++) {
        http_release(&g->hands[i].call);
        free_hand(&g->hands[i]);
    }
    http_free(g->http);
    graph_request_release(&g->request);
    graph_request_wipe(&g->url);
    free(g);
}

void graph_tick(struct graph *g, int64_t now_ms)
{
    if (g->pg)
        pg_tick(g->pg, now_ms);
}

void graph_pump(struct graph *g)
{
    if (!g->pg)
        return;
    write_outcomes(g);
    claim(g);
    pg_flush(g->pg);
}

void graph_pause(struct graph *g, bool yes)
{
    g->paused = yes;
}

void graph_stop(struct graph *g)
{
    g->stopping = true;
    for (struct hand *h; (h = find_hand(g, CALLING)) != NULL;) {
        http_cancel(&h->call);
        count_end(h);
        h->answer.verdict = GRAPH_RETRY;
        postpone(h, false, 0);
        h->state = TO_WRITE;
    }
}

bool graph_done(const struct graph *g)
{
    return !g->pg || !pg_ready(g->pg) || (!g->claiming && count_hands(g, FREE) == GRAPH_HANDS);
}
