/* loop: owns the ev, three connections to PostgreSQL (batches of the stream, direct deliveries,
 * chores) and two to Redis (the blocking read, all else).
 *
 * Order of the end: connections first, for their last answers still reach their users; then the
 * users; then the ev. */
#include "loop.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "backoff.h"
#include "chores.h"
#include "counters.h"
#include "direct.h"
#include "drain.h"
#include "ev.h"
#include "exposition.h"
#include "graph.h"
#include "log.h"
#include "news.h"
#include "notify.h"
#include "queue.h"
#include "resident.h"
#include "rest.h"
#include "servers.h"
#include "stop.h"
#include "store_chore.h"
#include "store_entrega.h"
#include "store_fila.h"

enum {
    CHORE_MS = 60000,
    CHORE_LOCK_MS = 500, /* on its connection it is also asked whether there is a pause */
    STARTED_MS = 2000    /* the servers are connected, if they are there */
};

struct loop {
    struct ev *ev;
    struct pg *batches, *directs, *tasks;
    struct rds *waiting, *rds;
    struct drain *drain;
    struct direct *direct;
    struct chores *chores;
    struct graph *graph;
    struct rest *rest;
    struct exposition *exposition; /* NULL without METRICS_PORT */
    struct worker_counters counters;
    struct news news;
    struct ev_io stop;
    struct queue_ticket leaving;
    int64_t trim_ms;       /* when the start is over; 0: it was */
    int64_t stop_since_ms; /* 0: nobody has asked */
    bool left;             /* the group, or never mind */
    char consumer[QUEUE_CONSUMER_MAX];
};

/* Unique among all processes that ever were: an entry in the hand of one that died must not look
 * like ours. */
static void name_consumer(char name[static QUEUE_CONSUMER_MAX])
{
    char host[65] = "host";
    uint64_t seed = (uint64_t)ev_clock_us() ^ (uint64_t)getpid() << 40;
    gethostname(host, sizeof host - 1);
    snprintf(name, QUEUE_CONSUMER_MAX, "%s-%ld-%08" PRIx32, host, (long)getpid(),
             (uint32_t)(backoff_random(&seed) >> 32));
}

/* ---- stopping ---- */

static void on_stop(struct ev_io *io, uint32_t events)
{
    (void)events;
    struct loop *l = (struct loop *)(void *)((char *)io - offsetof(struct loop, stop));
    ev_del(l->ev, io);
    l->stop_since_ms = ev_now_ms(l->ev);
    notify_systemd("STOPPING=1");
    log_info("stopping", NULL, "finishing what is in hand");
    drain_stop(l->drain);
    direct_stop(l->direct);
    graph_stop(l->graph);
}

static void on_left(struct queue_ticket *t, enum status st)
{
    (void)st;
    struct loop *l = (struct loop *)(void *)((char *)t - offsetof(struct loop, leaving));
    l->left = true;
}

/* With nothing in hand the consumer's name is of no more use to anybody. */
static void leave_group(struct loop *l)
{
    if (l->left || l->leaving.done || !drain_done(l->drain))
        return;
    l->leaving.done = on_left;
    l->left = queue_leave(l->rds, l->consumer, &l->leaving) != STATUS_OK;
}

static bool finished(const struct loop *l)
{
    if (l->stop_since_ms == 0)
        return false;
    return (l->left && direct_done(l->direct) && graph_done(l->graph)) ||
           ev_now_ms(l->ev) - l->stop_since_ms > LOOP_STOP_MS;
}

/* ---- running ---- */

static void on_tick(void *ctx, int64_t now_ms)
{
    struct loop *l = ctx;
    if (l->trim_ms && now_ms >= l->trim_ms) {
        l->trim_ms = 0;
        resident_trim();
    }
    pg_tick(l->batches, now_ms);
    pg_tick(l->directs, now_ms);
    pg_tick(l->tasks, now_ms);
    rds_tick(l->waiting, now_ms);
    rds_tick(l->rds, now_ms);
    drain_tick(l->drain, now_ms);
    direct_tick(l->direct, now_ms);
    graph_tick(l->graph, now_ms);
    exposition_tick(l->exposition);
}

static void pump(struct loop *l)
{
    rest_pump(l->rest);
    drain_pause(l->drain, rest_wanted(l->rest));
    direct_pause(l->direct, rest_wanted(l->rest));
    graph_pause(l->graph, rest_wanted(l->rest));
    drain_pump(l->drain);
    direct_pump(l->direct);
    graph_pump(l->graph);
    if (l->stop_since_ms == 0)
        chores_pump(l->chores, drain_busy(l->drain));
    else
        leave_group(l);
    news_pump(&l->news, ev_now_ms(l->ev));
    exposition_pump(l->exposition, rest_wanted(l->rest));
    pg_flush(l->batches);
    pg_flush(l->directs);
    pg_flush(l->tasks);
    rds_flush(l->waiting);
    rds_flush(l->rds);
}

static bool connect_all(struct loop *l, const struct config *c)
{
    struct pg_options o = servers_pg(c, "batches", store_entrega_worker_statements);
    l->batches = pg_new(l->ev, &o);
    o.role = "direct";
    l->directs = pg_new(l->ev, &o);
    o = servers_pg(c, "chores", store_chore_statements);
    o.prepare_also = store_fila_statements;
    o.statement_timeout_ms = CHORE_MS; /* 500 posts of the largest size are 50 MB to index */
    o.lock_timeout_ms = CHORE_LOCK_MS;
    o.stall_ms = CHORE_MS + 5000;
    l->tasks = pg_new(l->ev, &o);
    struct rds_options r = servers_rds(c);
    l->rds = rds_new(l->ev, &r);
    l->waiting = rds_new(l->ev, &r);
    return l->batches && l->directs && l->tasks && l->rds && l->waiting;
}

static bool make_users(struct loop *l, const struct config *c)
{
    unsigned max_attempts = (unsigned)c->fila_tentativas;
    const struct drain_options o = {.ev = l->ev,
                                    .pg = l->batches,
                                    .waiting = l->waiting,
                                    .rds = l->rds,
                                    .consumer = l->consumer,
                                    .max_attempts = max_attempts,
                                    .counters = &l->counters,
                                    .news = &l->news};
    news_init(&l->news, l->rds);
    l->drain = drain_new(&o);
    l->direct = direct_new(l->ev, l->directs, &l->counters, &l->news, max_attempts);
    l->chores = chores_new(l->ev, l->tasks, c->entregas_retencao_dias, c->auditoria_retencao_dias);
    l->graph = graph_new(l->ev, c, &l->counters);
    l->rest = rest_new(l->ev, l->tasks);
    l->stop = (struct ev_io){.fd = stop_fd(), .events = EPOLLIN, .ready = on_stop};
    return l->drain && l->direct && l->chores && l->graph && l->rest && ev_add(l->ev, &l->stop);
}

static bool start(struct loop *l, const struct config *c)
{
    name_consumer(l->consumer);
    l->ev = ev_new(on_tick, l);
    if (!l->ev || !connect_all(l, c) || !make_users(l, c))
        return false;
    l->trim_ms = ev_now_ms(l->ev) + STARTED_MS;
    pg_release_hold(l->batches);
    pg_release_hold(l->directs);
    pg_release_hold(l->tasks);
    return true;
}

static void end(struct loop *l)
{
    exposition_stop(l->exposition);
    pg_free(l->batches);
    pg_free(l->directs);
    pg_free(l->tasks);
    rds_free(l->waiting);
    rds_free(l->rds);
    exposition_free(l->exposition);
    rest_free(l->rest);
    chores_free(l->chores);
    graph_free(l->graph);
    direct_free(l->direct);
    drain_free(l->drain);
    news_release(&l->news);
    ev_free(l->ev);
}

/* EXIT_OK also when it is not wanted. */
static enum exit_code expose(struct loop *l, const struct config *c)
{
    if (!c->metrics_port)
        return EXIT_OK;
    const struct exposition_options o = {.ev = l->ev,
                                         .pg = l->tasks,
                                         .batches = l->batches,
                                         .rds = l->rds,
                                         .counters = &l->counters,
                                         .host = c->metrics_host,
                                         .port = (uint16_t)c->metrics_port};
    l->exposition = exposition_new(&o);
    if (l->exposition)
        return EXIT_OK;
    fprintf(stderr,
            "alicerce-worker: METRICS_PORT %" PRId64 " at METRICS_HOST %s: %s: name a port that is "
            "free and an address of this machine\n",
            c->metrics_port, c->metrics_host, strerror(errno));
    return EXIT_OS;
}

enum exit_code loop_run(const struct config *c)
{
    struct loop l = {0};
    if (!start(&l, c)) {
        end(&l);
        fputs("alicerce-worker: no memory or no descriptors left to start with: raise the limits "
              "of the process (ulimit -n, memory)\n",
              stderr);
        return EXIT_OS;
    }
    enum exit_code code = expose(&l, c);
    if (code != EXIT_OK) {
        end(&l);
        return code;
    }
    log_info("working", NULL, "consumer %s", l.consumer);
    while (!finished(&l)) {
        ev_run_once(l.ev, true);
        pump(&l);
    }
    end(&l);
    log_info("stopped", NULL,
             "%" PRIu64 " deliveries processed, %" PRIu64 " dead, %" PRIu64 " acknowledged",
             metric_get(&l.counters.stored), metric_get(&l.counters.dead),
             metric_get(&l.counters.acked));
    return EXIT_OK;
}
