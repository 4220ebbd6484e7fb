/* loop: owns a thread's event loop and everything on it; the order of a pass is its heart:
 *   answers of the servers -> libmicrohttpd writes them and reads new requests -> batches are sent
 * -> one write for each connection -> wait. */
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "answer.h"
#include "ev.h"
#include "handlers.h"
#include "janitor.h"
#include "live.h"
#include "log.h"
#include "pg.h"
#include "rds.h"
#include "reply.h"
#include "router.h"
#include "samples.h"
#include "server.h"
#include "store_entrega.h"
#include "store_ping.h"
#include "store_posts.h"
#include "store_usuarios.h"
#include "stream.h"
#include "upload.h"

enum {
    CONNECT_TIMEOUT_MS = 2000,
    DRAIN_LEAST_MS = 1000, /* so that a balancer sees /status say 503 */
    DRAIN_MOST_MS = 8000,  /* of the 10 s that a stop may take */
    BACKLOG_MS = 1000,     /* more for those that came last */
    WARM_MS = 1500,        /* requests may wait for servers that are still being connected */
    FIRST_WORD_MS = 300,   /* for a request on a connection that was accepted last */
    LOOKS = 10,            /* for company of a thin flight */
    LOOKED_AT_MAX = 256    /* parked requests in all of them: each look sees every one */
};

/* ---- parked requests: a list in the order of their deadlines, which are all equally far, but for
 * files on their way to a bucket: as many as have a seat of offload at most ---- */

enum status loop_park(struct loop *loop, struct request *r)
{
    if (loop->n_parked >= PARKED_MAX) {
        metric_add(&loop->metrics.overloaded, 1);
        return STATUS_OVERLOADED;
    }
    struct request *before = loop->newest;
    while (before && before->deadline_ms > r->deadline_ms)
        before = before->older;
    r->state = REQUEST_PARKED;
    r->older = before;
    r->newer = before ? before->newer : loop->oldest;
    *(r->newer ? &r->newer->older : &loop->newest) = r;
    *(before ? &before->newer : &loop->oldest) = r;
    loop->n_parked++;
    return STATUS_PENDING;
}

enum status loop_take_seat(struct request *r, enum heavy kind)
{
    static const unsigned most[HEAVY_KINDS] = {
        [HEAVY_EXPORT] = EXPORTS_MAX, [HEAVY_DELIVERY] = DELIVERIES_MAX};
    struct loop *loop = r->loop;
    if (loop->n_heavy[kind] >= most[kind]) {
        metric_add(&loop->metrics.overloaded, 1);
        return reply_problem(
            r, STATUS_OVERLOADED,
            "Respostas grandes demais ao mesmo tempo; tente de novo em instantes.");
    }
    loop->n_heavy[kind]++;
    r->heavy = kind;
    return STATUS_OK;
}

void loop_unpark(struct loop *loop, struct request *r)
{
    *(r->older ? &r->older->newer : &loop->oldest) = r->newer;
    *(r->newer ? &r->newer->older : &loop->newest) = r->older;
    loop->n_parked--;
    r->state = REQUEST_READING;
}

/* Of these it is not known whether they were done: what was sent is not called back. */
static bool changes(const struct request *r)
{
    return r->route && strcmp(r->route->method, "GET") != 0;
}

static void expire(struct loop *loop, int64_t now_ms)
{
    struct request *r;
    while ((r = loop->oldest) && r->deadline_ms <= now_ms) {
        metric_add(&loop->metrics.deadlines, 1);
        reply_problem(r, changes(r) ? STATUS_OUTCOME_UNKNOWN : STATUS_DEADLINE, NULL);
        request_answer(r);
    }
}

/* ---- connections ---- */

static void on_cleared(struct cache_done *t, enum status st, bool kept)
{
    (void)kept;
    struct loop *loop = (struct loop *)(void *)((char *)t - offsetof(struct loop, cleared));
    loop->clearing = false;
    if (st == STATUS_OK)
        cache_guard_ready(&loop->guard, ev_now_ms(loop->ev));
}

/* Before any page that Redis has is believed; again at each tick until Redis does it. */
static void clear_page(struct loop *loop)
{
    if (!loop->clearing && !cache_guard_clean(&loop->guard) && rds_ready(loop->rds))
        loop->clearing = store_cache_clear(loop->rds, loop->lease.id, CACHE_GIVE_BACK,
                                           &loop->cleared) == STATUS_OK;
}

static void on_rds(void *ctx, enum rds_change change)
{
    struct loop *loop = ctx;
    if (change == RDS_READY) {
        clear_page(loop);
        return;
    }
    metric_add(&loop->metrics.rds_lost, 1);
    lease_lost(loop);
    cache_guard_lost(&loop->guard, change == RDS_STALLED, ev_now_ms(loop->ev));
}

static struct pg_options lane(struct loop *loop, const char *role)
{
    int64_t deadline = loop->config->request_timeout_ms;
    return (struct pg_options){.conninfo = loop->config->database_url,
                               .application = "alicerce-api",
                               .role = role,
                               .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                               .stall_ms = deadline,
                               .statement_timeout_ms = deadline};
}

/* Both go over the connection for reads, which takes two lists. Loops are made one by one. */
static const struct pg_statement *const *read_statements(void)
{
    static const struct pg_statement *all[16];
    size_t n = 0;
    for (const struct pg_statement *const *s = store_ping_statements; *s; s++)
        all[n++] = *s;
    for (const struct pg_statement *const *s = store_usuarios_statements; *s; s++)
        all[n++] = *s;
    return all;
}

/* Three, so that a read never waits behind a commit, nor anybody behind a slow search. */
static bool open_lanes(struct loop *loop)
{
    struct pg_options reads = lane(loop, "read"), writes = lane(loop, "write"),
                      searches = lane(loop, "search");
    reads.prepare = store_posts_reads;
    reads.prepare_also = read_statements();
    reads.plans_once = true;
    writes.prepare = store_posts_writes;
    writes.prepare_also = store_entrega_statements;
    searches.statement_timeout_ms /= 2;
    loop->reads = pg_new(loop->ev, &reads);
    loop->writes = pg_new(loop->ev, &writes);
    loop->searches = pg_new(loop->ev, &searches);
    return loop->reads && loop->writes && loop->searches;
}

static struct rds *open_rds(struct loop *loop)
{
    const struct config *c = loop->config;
    return rds_new(loop->ev, &(struct rds_options){.host = c->redis_host,
                                                   .port = (int)c->redis_port,
                                                   .user = c->redis_user,
                                                   .password = c->redis_password,
                                                   .db = (int)c->redis_db,
                                                   .client_name = "alicerce-api",
                                                   .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                                   .stall_ms = GUARD_STALL_MS,
                                                   .changed = on_rds,
                                                   .ctx = loop});
}

/* ---- life ---- */

static void each_lane(struct loop *loop, void (*fn)(struct pg *pg))
{
    fn(loop->reads);
    fn(loop->writes);
    fn(loop->searches);
}

void loop_trace(struct loop *loop, const struct request *r)
{
    if (!log_enabled(LOG_DEBUG))
        return;
    pg_tag(loop->reads, r->id);
    pg_tag(loop->writes, r->id);
    pg_tag(loop->searches, r->id);
}

static bool lanes_ready(const struct loop *loop)
{
    return pg_ready(loop->reads) && pg_ready(loop->writes) && pg_ready(loop->searches);
}

/* Right after the start a request waits for the first connections (and the migrations) instead of
 * being told that they are away. */
static bool warming(struct loop *loop)
{
    if (loop->warm_until_ms &&
        ((lanes_ready(loop) && rds_ready(loop->rds)) || ev_now_ms(loop->ev) >= loop->warm_until_ms))
        loop->warm_until_ms = 0;
    return loop->warm_until_ms != 0;
}

static void tell_ready(struct loop *loop)
{
    atomic_store_explicit(&loop->pg_ready, lanes_ready(loop), memory_order_relaxed);
    atomic_store_explicit(&loop->rds_ready, rds_ready(loop->rds), memory_order_relaxed);
}

static void on_tick(void *ctx, int64_t now_ms)
{
    struct loop *loop = ctx;
    if (atomic_load_explicit(&loop->app->schema_ready, memory_order_acquire))
        each_lane(loop, pg_release_hold);
    pg_tick(loop->reads, now_ms);
    pg_tick(loop->writes, now_ms);
    pg_tick(loop->searches, now_ms);
    rds_tick(loop->rds, now_ms);
    tell_ready(loop);
    clear_page(loop);
    lease_tick(loop);
    batches_tick(loop->batches, now_ms);
    expire(loop, now_ms);
    streams_tick(loop, now_ms);
    leads_exports_tick(loop, now_ms);
    live_tick(loop->live, now_ms);
    post_news_send(loop);
    uploads_tick(loop, now_ms);
    janitor_tick(loop->janitor, now_ms);
    samples_tick(loop->samples, now_ms);
    server_tick(loop->server);
    atomic_store_explicit(&loop->metrics.parked, loop->n_parked, memory_order_relaxed);
    atomic_store_explicit(&loop->metrics.connections, server_connections(loop->server),
                          memory_order_relaxed);
}

struct loop *loop_new(struct app *app, unsigned index)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->app = app;
    loop->config = app->config;
    loop->index = index;
    loop->cleared.done = on_cleared;
    post_news_init(&loop->news);
    cache_guard_init(&loop->guard, ev_clock_us() / 1000);
    bool ok = getrandom(loop->id_seed, sizeof loop->id_seed, 0) == sizeof loop->id_seed &&
              (loop->ev = ev_new(on_tick, loop)) && batches_init(loop->batches, loop) &&
              (loop->gate = auth_gate_new(loop)) && (loop->constants = answer_constants_new()) &&
              (loop->live = live_new(loop)) && open_lanes(loop) && (loop->rds = open_rds(loop)) &&
              (index > 0 ||
               ((loop->janitor = janitor_new(loop)) && (loop->samples = samples_new(loop)))) &&
              (loop->server = server_new(loop));
    if (!ok) {
        fprintf(stderr, "alicerce-api: HOST=%s PORT=%lld: cannot start a loop: %s\n",
                app->config->host, (long long)app->config->port, strerror(errno));
        loop_free(loop);
        return NULL;
    }
    lease_init(loop);
    loop->warm_until_ms = ev_now_ms(loop->ev) + WARM_MS;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->ev && loop->server)
        ev_run_once(loop->ev, false); /* what the hasher has handed back */
    /* The servers first: their last callbacks answer requests that the daemon still knows, and a
     * lost answer of one may put a question to the other. */
    if (loop->reads && loop->writes && loop->searches)
        each_lane(loop, pg_close);
    rds_free(loop->rds);
    each_lane(loop, pg_free);
    server_free(loop->server);
    loop->server = NULL; /* requests that outlive it are not kept for reuse */
    batches_free(loop->batches);
    answer_constants_free(loop->constants);
    auth_gate_free(loop->gate);
    live_free(loop->live);
    post_news_release(&loop->news);
    janitor_free(loop->janitor);
    samples_free(loop->samples);
    ev_free(loop->ev);
    free(loop);
}

/* Clients that were just answered are about to ask again: a thin flight looks for them some times
 * before it takes off. A look costs little beside a flight. Nobody sleeps. */
static void gather(struct loop *loop)
{
    server_run(loop->server);
    for (unsigned i = 1; i <= LOOKS && i * loop->n_parked <= LOOKED_AT_MAX; i++) {
        if (!batches_thin(loop->batches))
            break;
        server_poke(loop->server);
        server_run(loop->server);
    }
}

/* What cannot be sent is answered at once, so the daemon may have work again after the sending. */
static void pass(struct loop *loop, bool wait)
{
    bool cold = warming(loop);
    int64_t held_until_us = cold ? 0 : batches_held_until(loop->batches);
    wait = wait && !server_poked(loop->server);
    if (wait && held_until_us)
        ev_run_until(loop->ev, held_until_us);
    else
        ev_run_once(loop->ev, wait);
    bool more = true;
    for (int i = 0; more && i < 4; i++) {
        gather(loop);
        if (!cold) {
            batches_send(loop->batches);
            auth_send(loop);
        }
        each_lane(loop, pg_flush);
        rds_flush(loop->rds);
        live_flush(loop->live);
        more = server_poked(loop->server);
    }
}

static bool drained(struct loop *loop, int64_t began_ms)
{
    int64_t waited = ev_now_ms(loop->ev) - began_ms;
    bool idle = server_open(loop->server) == 0 && waited >= DRAIN_LEAST_MS;
    return idle || server_connections(loop->server) == 0 || waited >= DRAIN_MOST_MS;
}

/* Those that the backlog held: their request may still be on its way. */
static bool last_ones(struct loop *loop, int64_t quiesced_ms)
{
    bool fresh = ev_now_ms(loop->ev) - quiesced_ms < FIRST_WORD_MS;
    return server_open(loop->server) > 0 || (fresh && server_connections(loop->server) > 0);
}

void *loop_run(void *arg)
{
    struct loop *loop = arg;
    while (!atomic_load_explicit(&loop->app->stopping, memory_order_relaxed))
        pass(loop, true);
    int64_t began_ms = ev_now_ms(loop->ev);
    streams_stop(loop);
    while (!drained(loop, began_ms))
        pass(loop, true); /* the tick bounds the wait */
    server_quiesce(loop->server);
    int64_t quiesced_ms = ev_now_ms(loop->ev);
    while (last_ones(loop, quiesced_ms) &&
           ev_now_ms(loop->ev) - began_ms < DRAIN_MOST_MS + BACKLOG_MS)
        pass(loop, true);
    lease_stop(loop);
    pass(loop, false);
    return NULL;
}
