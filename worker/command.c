/* command: owns an ev with one connection to each server for as long as a command takes. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ev.h"
#include "migrate.h"
#include "queue.h"
#include "servers.h"
#include "stop.h"
#include "store_entrega.h"

enum { WAIT_MS = 5000 };

struct command {
    struct ev *ev;
    struct pg *pg;
    struct rds *rds;
    int64_t until_ms;
    struct queue_state queue;
    struct entrega_state entregas;
    enum status queue_st, entregas_st; /* STATUS_PENDING until answered */
};

static void on_tick(void *ctx, int64_t now_ms)
{
    struct command *m = ctx;
    pg_tick(m->pg, now_ms);
    rds_tick(m->rds, now_ms);
}

static bool start(struct command *m, const struct config *c)
{
    *m = (struct command){.queue_st = STATUS_PENDING, .entregas_st = STATUS_PENDING};
    m->ev = ev_new(on_tick, m);
    if (!m->ev)
        return false;
    struct pg_options po = servers_pg(c, "command", NULL);
    struct rds_options ro = servers_rds(c);
    m->pg = pg_new(m->ev, &po);
    m->rds = rds_new(m->ev, &ro);
    if (!m->pg || !m->rds)
        return false;
    pg_release_hold(m->pg);
    m->until_ms = ev_now_ms(m->ev) + WAIT_MS;
    return true;
}

static void end(struct command *m)
{
    pg_free(m->pg);
    rds_free(m->rds);
    ev_free(m->ev);
}

/* false when the time is over. */
static bool step(struct command *m)
{
    pg_flush(m->pg);
    rds_flush(m->rds);
    ev_run_once(m->ev, true);
    return ev_now_ms(m->ev) < m->until_ms && atomic_load(&stop_asked) == 0;
}

static const char *or_silence(const char *why)
{
    return *why ? why : "no answer";
}

static void say_away(const struct command *m)
{
    if (!pg_ready(m->pg))
        fprintf(stderr,
                "alicerce-worker: PostgreSQL cannot be reached: %s: check DATABASE_URL and that "
                "the server is running\n",
                or_silence(pg_why(m->pg)));
    if (!rds_ready(m->rds))
        fprintf(stderr,
                "alicerce-worker: Redis cannot be reached: %s: check REDIS_URL (or REDIS_HOST, "
                "REDIS_PORT, REDIS_PASSWORD) and that the server is running\n",
                or_silence(rds_why(m->rds)));
}

static bool reach_both(struct command *m)
{
    while (!(pg_ready(m->pg) && rds_ready(m->rds)))
        if (!step(m))
            break;
    if (pg_ready(m->pg) && rds_ready(m->rds))
        return true;
    say_away(m);
    return false;
}

static enum exit_code no_start(struct command *m)
{
    end(m);
    fputs("alicerce-worker: no memory or no descriptors left: raise the limits of the process\n",
          stderr);
    return EXIT_OS;
}

enum exit_code command_healthcheck(const struct config *c)
{
    struct command m;
    if (!start(&m, c))
        return no_start(&m);
    bool good = reach_both(&m);
    end(&m);
    return good ? EXIT_OK : EXIT_UNAVAILABLE;
}

/* ---- fila status ---- */

static void on_queue(struct queue_state *s, enum status st)
{
    ((struct command *)(void *)((char *)s - offsetof(struct command, queue)))->queue_st = st;
}

static void on_entregas(struct entrega_state *s, enum status st)
{
    ((struct command *)(void *)((char *)s - offsetof(struct command, entregas)))->entregas_st = st;
}

static void print_status(const struct command *m)
{
    int64_t now_us = (int64_t)time(NULL) * 1000000;
    int64_t age = m->queue.oldest_us > 0 ? (now_us - m->queue.oldest_us) / 1000000 : 0;
    printf("na fila         %" PRId64 "\n", m->queue.length);
    printf("em processo     %" PRId64 "\n", m->queue.in_hand);
    printf("mais antiga     %" PRId64 " s\n", age > 0 ? age : 0);
    printf("diretas a fazer %" PRId64 "\n", m->entregas.pending);
    printf("mortas          %" PRId64 "\n", m->entregas.dead);
    printf("workers         %" PRId64 "\n", m->queue.consumers);
}

static enum exit_code ask_and_print(struct command *m)
{
    m->queue.done = on_queue;
    m->entregas.done = on_entregas;
    if (queue_inspect(m->rds, &m->queue) != STATUS_OK)
        m->queue_st = STATUS_CACHE_AWAY;
    if (store_entrega_inspect(m->pg, &m->entregas) != STATUS_OK)
        m->entregas_st = STATUS_DATABASE_AWAY;
    while (m->queue_st == STATUS_PENDING || m->entregas_st == STATUS_PENDING)
        if (!step(m))
            break;
    if (m->queue_st == STATUS_OK && m->entregas_st == STATUS_OK) {
        print_status(m);
        return EXIT_OK;
    }
    if (m->queue_st != STATUS_OK)
        fprintf(stderr,
                "alicerce-worker: Redis did not tell the state of the queue (%s): see "
                "REDIS_URL and the server's log\n",
                status_name(m->queue_st));
    if (m->entregas_st != STATUS_OK)
        fprintf(stderr,
                "alicerce-worker: PostgreSQL did not tell the state of entregas (%s): see "
                "DATABASE_URL, and apply sql/ with --migrate\n",
                status_name(m->entregas_st));
    return EXIT_UNAVAILABLE;
}

enum exit_code command_queue_status(const struct config *c)
{
    struct command m;
    if (!start(&m, c))
        return no_start(&m);
    enum exit_code code = reach_both(&m) ? ask_and_print(&m) : EXIT_UNAVAILABLE;
    end(&m);
    return code;
}

/* ---- --migrate ---- */

enum exit_code command_migration_failed(enum status st, const char *message)
{
    bool changed = st == STATUS_CONFLICT;
    fprintf(stderr, "alicerce-worker: sql/ was not applied to DATABASE_URL: %s: %s\n", message,
            changed ? "restore the file, or run the program that belongs to the database"
                    : "is it a database of this program's own, with the right to change it?");
    return changed ? EXIT_MIGRATION : EXIT_INTERNAL;
}

enum exit_code command_migrate(const struct config *c)
{
    struct migrate_result result = {0};
    enum status st = migrate_run(c->database_url, SERVERS_CONNECT_MS, &stop_asked, &result);
    if (st == STATUS_OK) {
        printf("%u applied, %u newer than this program\n", result.applied, result.newer);
        return EXIT_OK;
    }
    if (st == STATUS_STOPPING)
        return EXIT_UNAVAILABLE;
    if (st == STATUS_DATABASE_AWAY) {
        fprintf(stderr,
                "alicerce-worker: PostgreSQL cannot be reached: %s: check DATABASE_URL and that "
                "the server is running\n",
                result.message);
        return EXIT_UNAVAILABLE;
    }
    return command_migration_failed(st, result.message);
}
