/* h_health: is the process alive (touches nothing), is it ready (asks both servers). */
#include "handlers.h"

#include <string.h>
#include <time.h>

#include "ev.h"
#include "loop.h"
#include "reply.h"
#include "store_ping.h"
#include "text.h"
#include "vault.h"

enum { PATIENCE_MS = 1000 }; /* a server that takes longer to answer counts as away */

enum status h_health(struct request *r)
{
    static const char body[] = "{\"status\":\"healthy\"}";
    return reply_constant(r, STATUS_OK, REPLY_JSON, body, sizeof body - 1);
}

struct status_flight {
    struct ping_ticket pg, rds;
    struct batch *batch;
    bool pg_ok, rds_ok;
};

enum status h_status(struct request *r)
{
    return batch_join(r, BATCH_STATUS);
}

/* A balancer that is told "ready" sends requests of every kind, and they fall to any loop. */
static void all_loops(const struct app *app, bool *pg, bool *rds)
{
    for (unsigned i = 0; i < app->n_loops; i++) {
        *pg &= atomic_load_explicit(&app->loops[i]->pg_ready, memory_order_relaxed);
        *rds &= atomic_load_explicit(&app->loops[i]->rds_ready, memory_order_relaxed);
    }
}

/* A bucket, as the last call to it went: without it all but files is served, so it does not count
 * for readiness. */
static const char *storage(const struct app *app)
{
    const struct bucket *b = app->vault ? vault_bucket(app->vault) : NULL;
    return !b                ? ""
           : bucket_there(b) ? ",\"armazenamento\":\"s3\""
                             : ",\"armazenamento\":\"desconectado\"";
}

static void answer(struct request *r, bool pg, bool rds)
{
    all_loops(r->loop->app, &pg, &rds);
    bool stopping = atomic_load_explicit(&r->loop->app->stopping, memory_order_relaxed);
    struct timespec now;
    char time[TEXT_TIME_LEN];
    struct buf b = buf_init(512);
    clock_gettime(CLOCK_REALTIME, &now);
    text_time((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, time);
    buf_printf(
        &b, "{\"banco_dados\":\"%s\",\"cache\":\"%s\"%s,\"status\":\"%s\",\"timestamp\":\"%.*s\"}",
        pg ? "conectado" : "desconectado", rds ? "conectado" : "desconectado",
        storage(r->loop->app),
        stopping    ? "encerrando"
        : pg && rds ? "ok"
                    : "degradado",
        TEXT_TIME_LEN, time);
    bool ok = pg && rds && !stopping;
    reply_buf(r, ok ? STATUS_OK : STATUS_DATABASE_AWAY, REPLY_JSON, &b);
    r->reply.retry_after = ok ? 0 : 1;
    request_answer(r);
    buf_release(&b);
}

static void on_pg(struct ping_ticket *t, enum status st)
{
    struct status_flight *f =
        (struct status_flight *)(void *)((char *)t - offsetof(struct status_flight, pg));
    f->pg_ok = st == STATUS_OK;
    batch_back(f->batch);
}

static void on_rds(struct ping_ticket *t, enum status st)
{
    struct status_flight *f =
        (struct status_flight *)(void *)((char *)t - offsetof(struct status_flight, rds));
    f->rds_ok = st == STATUS_OK;
    batch_back(f->batch);
}

static void send(struct batch *b)
{
    struct status_flight *f = b->data;
    *f = (struct status_flight){.pg.done = on_pg, .rds.done = on_rds, .batch = b};
    b->outstanding += store_ping_pg(b->loop->reads, &f->pg) == STATUS_OK;
    b->outstanding += store_ping_rds(b->loop->rds, &f->rds) == STATUS_OK;
}

static void answer_all(struct request *list, const struct status_flight *f, int64_t born_before_us)
{
    for (struct request *r = list; r; r = r->batch_next)
        if (r->state == REQUEST_PARKED && r->born_us < born_before_us)
            answer(r, f->pg_ok, f->rds_ok);
}

static void landed(struct batch *b)
{
    answer_all(b->flying, b->data, INT64_MAX);
}

/* A frozen server: say what is known, also to those who wait for the next flight. */
static void tick(struct batch *b, int64_t now_ms)
{
    int64_t before_us = (now_ms - PATIENCE_MS) * 1000;
    answer_all(b->flying, b->data, before_us);
    answer_all(b->gathering, b->data, before_us);
}

const struct batch_type batch_status = {.name = "status",
                                        .data_size = sizeof(struct status_flight),
                                        .send = send,
                                        .landed = landed,
                                        .tick = tick};
