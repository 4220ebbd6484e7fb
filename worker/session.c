/* session: owns the connections of a command. */
#include "session.h"

#include <stdatomic.h>
#include <stdio.h>

#include "ev.h"
#include "servers.h"
#include "stop.h"

static void on_tick(void *ctx, int64_t now_ms)
{
    struct session *s = ctx;
    pg_tick(s->pg, now_ms);
    if (s->rds)
        rds_tick(s->rds, now_ms);
}

static bool make(struct session *s, const struct config *c, bool redis)
{
    *s = (struct session){.outcome = STATUS_PENDING};
    s->ev = ev_new(on_tick, s);
    if (!s->ev)
        return false;
    struct pg_options po = servers_pg(c, "command", NULL);
    po.statement_timeout_ms = SESSION_QUERY_MS - 2000;
    po.lock_timeout_ms = 0; /* a person waits, and may give up */
    po.stall_ms = SESSION_QUERY_MS;
    struct rds_options ro = servers_rds(c);
    s->pg = pg_new(s->ev, &po);
    s->rds = redis ? rds_new(s->ev, &ro) : NULL;
    if (!s->pg || (redis && !s->rds))
        return false;
    pg_release_hold(s->pg);
    session_extend(s, SESSION_WAIT_MS);
    return true;
}

void session_end(struct session *s)
{
    pg_free(s->pg);
    if (s->rds)
        rds_free(s->rds);
    if (s->ev)
        ev_free(s->ev);
}

void session_extend(struct session *s, int64_t ms)
{
    s->until_ms = ev_now_ms(s->ev) + ms;
}

bool session_step(struct session *s)
{
    pg_flush(s->pg);
    if (s->rds)
        rds_flush(s->rds);
    ev_run_once(s->ev, true);
    return ev_now_ms(s->ev) < s->until_ms && atomic_load(&stop_asked) == 0;
}

static const char *or_silence(const char *why)
{
    return *why ? why : "no answer";
}

static void say_away(const struct session *s)
{
    if (!pg_ready(s->pg))
        fprintf(stderr,
                "alicerce-worker: PostgreSQL cannot be reached: %s: check DATABASE_URL and that "
                "the server is running\n",
                or_silence(pg_why(s->pg)));
    if (s->rds && !rds_ready(s->rds))
        fprintf(stderr,
                "alicerce-worker: Redis cannot be reached: %s: check REDIS_URL (or REDIS_HOST, "
                "REDIS_PORT, REDIS_PASSWORD) and that the server is running\n",
                or_silence(rds_why(s->rds)));
}

static bool reached(const struct session *s)
{
    return pg_ready(s->pg) && (!s->rds || rds_ready(s->rds));
}

enum exit_code session_begin(struct session *s, const struct config *c, bool redis)
{
    if (!make(s, c, redis)) {
        fputs(
            "alicerce-worker: no memory or no descriptors left: raise the limits of the process\n",
            stderr);
        return EXIT_OS;
    }
    while (!reached(s))
        if (!session_step(s))
            break;
    if (reached(s))
        return EXIT_OK;
    say_away(s);
    return EXIT_UNAVAILABLE;
}

enum exit_code session_refused(const char *what, enum status st, const char *remedy)
{
    fprintf(stderr, "alicerce-worker: %s (%s): %s\n", what, status_name(st), remedy);
    return EXIT_UNAVAILABLE;
}

enum exit_code session_wait(struct session *s, enum status queued)
{
    if (queued != STATUS_OK)
        s->outcome = queued;
    session_extend(s, SESSION_QUERY_MS + SESSION_WAIT_MS);
    while (s->outcome == STATUS_PENDING && session_step(s))
        continue;
    enum status st = s->outcome;
    s->outcome = STATUS_PENDING;
    if (st == STATUS_OK)
        return EXIT_OK;
    if (st == STATUS_DEADLINE)
        return session_refused("PostgreSQL took too long", st, "narrow the filter and ask again");
    return session_refused("PostgreSQL did not answer as it should", st,
                           "see DATABASE_URL and the server's log, and apply sql/ with --migrate");
}
