/* pg: owns one PGconn, its life (held, waiting, resolving, connecting, preparing, ready) and what
 * is in flight (pg_fifo). Every change of state goes through set_state.
 *
 * Invariants: the callback of what libpq has accepted runs exactly once. Names of hosts are
 * resolved by dns, so PQconnectStart sees addresses only and cannot block on a resolver. */
#include "pg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "backoff.h"
#include "dns.h"
#include "ev.h"
#include "log.h"
#include "pg_fifo.h"
#include "pg_hosts.h"

enum state { HELD, WAITING, RESOLVING, CONNECTING, PREPARING, READY };

struct pg {
    struct ev_io io;
    struct ev *ev;
    struct pg_options o;
    enum state state;
    PGconn *conn;
    struct pg_hosts *hosts;
    int64_t state_since_ms;
    struct backoff backoff;
    struct pg_fifo fifo;
    bool open_group; /* queries since the last sync */
    bool tagged;     /* the next query says its tag first */
    bool lost;       /* seen while callbacks or callers run; handled after */
    char why[256];   /* the last connection ended */
    char error[512];
    char tag[64]; /* application_name, as long as PostgreSQL takes it */
};

static void set_state(struct pg *pg, enum state s)
{
    pg->state = s;
    pg->state_since_ms = ev_now_ms(pg->ev);
}

static void push(struct pg *pg, pg_fn fn, void *ctx, bool is_sync)
{
    pg_fifo_push(
        &pg->fifo,
        (struct pg_entry){.fn = fn, .ctx = ctx, .sent_ms = ev_now_ms(pg->ev), .is_sync = is_sync});
}

/* ---- life ---- */

static void close_conn(struct pg *pg)
{
    if (pg->io.fd >= 0)
        ev_del(pg->ev, &pg->io);
    if (pg->conn)
        PQfinish(pg->conn);
    pg->conn = NULL;
    pg->open_group = false;
}

/* Answers all in flight. Callbacks may try to send more: the state refuses them. */
static void fail_all(struct pg *pg)
{
    for (struct pg_entry *e; (e = pg_fifo_head(&pg->fifo));) {
        struct pg_entry copy = *e;
        pg_fifo_pop(&pg->fifo);
        if (copy.fn && !copy.answered)
            copy.fn(copy.ctx, STATUS_DATABASE_AWAY, NULL);
    }
}

/* The first line of libpq's message, which never has the password. */
static const char *first_line(struct pg *pg, const char *text)
{
    size_t n = strcspn(text, "\n");
    if (n >= sizeof pg->why)
        n = sizeof pg->why - 1;
    memcpy(pg->why, text, n);
    pg->why[n] = 0;
    return pg->why;
}

static void lose(struct pg *pg, const char *why)
{
    bool was_ready = pg->state == READY;
    backoff_failed(&pg->backoff, ev_now_ms(pg->ev));
    first_line(pg, why);
    pg->lost = false;
    if (was_ready || pg->backoff.failures == 1)
        log_warn("pg_lost", NULL, "%s connection: %s", pg->o.role, pg->why);
    else
        log_debug("pg_lost", NULL, "%s connection: %s", pg->o.role, pg->why);
    set_state(pg, WAITING);
    close_conn(pg);
    fail_all(pg);
}

static void watch(struct pg *pg, uint32_t events)
{
    int fd = PQsocket(pg->conn);
    if (pg->io.fd >= 0)
        ev_del(pg->ev, &pg->io);
    pg->io.fd = fd;
    pg->io.events = events;
    if (fd >= 0 && !ev_add(pg->ev, &pg->io))
        pg->io.fd = -1;
}

static void want_write(struct pg *pg, bool yes)
{
    ev_modify(pg->ev, &pg->io, EPOLLIN | (yes ? EPOLLOUT : 0));
}

static void on_prepared(void *ctx, enum status st, const PGresult *res)
{
    struct pg *pg = ctx;
    if (st == STATUS_OK || pg->state != PREPARING)
        return;
    if (res)
        log_error("pg_prepare", NULL, "%s connection: %s", pg->o.role, pg_error(pg, res));
    pg->lost = true;
}

static void on_ready(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    struct pg *pg = ctx;
    if (st != STATUS_OK || pg->state != PREPARING || pg->lost)
        return;
    set_state(pg, READY);
    backoff_succeeded(&pg->backoff);
    log_info("pg_ready", NULL, "%s connection to %s:%s", pg->o.role, PQhost(pg->conn),
             PQport(pg->conn));
}

static bool send_setting(struct pg *pg, const char *sql)
{
    if (!pg_fifo_room(&pg->fifo, 1) ||
        !PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1))
        return false;
    push(pg, on_prepared, pg, false);
    return true;
}

static bool send_limit(struct pg *pg, const char *name, int64_t ms)
{
    char sql[96];
    snprintf(sql, sizeof sql, "SET %s = %lld", name, (long long)ms);
    return send_setting(pg, sql);
}

/* A plan for any values is made once, and by index, whatever the table was like then: planned for
 * each use, the page of posts costs twice as much, and a plan from when there were a few rows reads
 * all of them later. What no index serves is read as before, and not compiled for its price. */
static bool send_plan_once(struct pg *pg)
{
    return send_setting(pg, "SET plan_cache_mode = force_generic_plan") &&
           send_setting(pg, "SET enable_seqscan = off") && send_setting(pg, "SET jit = off");
}

static bool send_settings(struct pg *pg)
{
    return send_limit(pg, "statement_timeout", pg->o.statement_timeout_ms) &&
           (!pg->o.lock_timeout_ms || send_limit(pg, "lock_timeout", pg->o.lock_timeout_ms)) &&
           (!pg->o.plans_once || send_plan_once(pg));
}

static bool send_prepare(struct pg *pg, const struct pg_statement *const *s)
{
    for (; s && *s; s++) {
        if (!pg_fifo_room(&pg->fifo, 1) ||
            !PQsendPrepare(pg->conn, (*s)->name, (*s)->sql, (*s)->n_params, (*s)->types))
            return false;
        push(pg, on_prepared, pg, false);
    }
    return true;
}

static void prepare_all(struct pg *pg)
{
    set_state(pg, PREPARING);
    bool ok = PQsetnonblocking(pg->conn, 1) == 0 && PQenterPipelineMode(pg->conn) &&
              send_settings(pg) && send_prepare(pg, pg->o.prepare) &&
              send_prepare(pg, pg->o.prepare_also);
    if (!ok || !pg_fifo_room(&pg->fifo, 1) || !PQpipelineSync(pg->conn)) {
        lose(pg, PQerrorMessage(pg->conn));
        return;
    }
    push(pg, on_ready, pg, true);
    watch(pg, EPOLLIN | EPOLLOUT);
}

static void connect_step(struct pg *pg)
{
    switch (PQconnectPoll(pg->conn)) {
    case PGRES_POLLING_READING:
        watch(pg, EPOLLIN);
        break;
    case PGRES_POLLING_WRITING:
        watch(pg, EPOLLOUT);
        break;
    case PGRES_POLLING_OK:
        prepare_all(pg);
        break;
    default:
        lose(pg, PQerrorMessage(pg->conn));
    }
}

/* libpq would print warnings to stderr, in its own form. */
static void on_notice(void *ctx, const char *message)
{
    struct pg *pg = ctx;
    log_debug("pg_notice", NULL, "%s connection: %s", pg->o.role, message);
}

static void on_hosts(void *ctx, const char *error)
{
    struct pg *pg = ctx;
    if (error) {
        lose(pg, error);
        return;
    }
    set_state(pg, CONNECTING);
    pg->conn = pg_hosts_connect(pg->hosts, pg->o.application, pg->backoff.failures);
    if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
        lose(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
        return;
    }
    PQsetNoticeProcessor(pg->conn, on_notice, pg);
    watch(pg, EPOLLOUT); /* as documented: behave as if PQconnectPoll had said WRITING */
}

/* ---- results ---- */

static enum status status_of_error(const PGresult *res)
{
    const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    if (!code)
        return STATUS_DATABASE_AWAY;
    if (strcmp(code, "57014") == 0 || strcmp(code, "55P03") == 0)
        return STATUS_DEADLINE; /* query_canceled, lock_not_available */
    if (strncmp(code, "08", 2) == 0 || strncmp(code, "53", 2) == 0 ||
        strncmp(code, "57P", 3) == 0 ||
        strcmp(code, "25006") == 0) /* the last: read-only, the primary has moved */
        return STATUS_DATABASE_AWAY;
    return STATUS_INTERNAL;
}

static enum status status_of_result(const PGresult *res)
{
    switch (PQresultStatus(res)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_PIPELINE_SYNC:
        return STATUS_OK;
    case PGRES_PIPELINE_ABORTED:
        return STATUS_CONFLICT;
    default:
        return status_of_error(res);
    }
}

/* A result for the head of the FIFO. A query's entry stays until the NULL that follows it, a sync's
 * until it is done, though it may have failed before. */
static void hand_on(struct pg *pg, PGresult *res)
{
    struct pg_entry *e = pg_fifo_head(&pg->fifo);
    struct pg_entry copy = *e;
    e->answered = true;
    if (PQresultStatus(res) == PGRES_PIPELINE_SYNC)
        pg_fifo_pop(&pg->fifo);
    if (copy.fn && !copy.answered)
        copy.fn(copy.ctx, status_of_result(res), res);
    PQclear(res);
}

static void dispatch(struct pg *pg)
{
    bool passed = false; /* the NULL behind a sync's error */
    while (pg_fifo_head(&pg->fifo) && !pg->lost && !PQisBusy(pg->conn)) {
        PGresult *res = PQgetResult(pg->conn);
        struct pg_entry *head = pg_fifo_head(&pg->fifo);
        if (res) {
            hand_on(pg, res);
            passed = false;
        } else if (head->answered && !head->is_sync) {
            pg_fifo_pop(&pg->fifo);
        } else if (head->answered && !passed) {
            passed = true;
        } else {
            break; /* nothing for the head yet, or the connection is gone */
        }
    }
}

static void receive(struct pg *pg)
{
    bool alive = PQconsumeInput(pg->conn) == 1;
    dispatch(pg); /* what came before the end still counts */
    if (pg->lost || !alive || PQstatus(pg->conn) == CONNECTION_BAD)
        lose(pg, PQerrorMessage(pg->conn));
}

static void write_out(struct pg *pg)
{
    int left = PQflush(pg->conn);
    if (left < 0)
        lose(pg, PQerrorMessage(pg->conn));
    else
        want_write(pg, left == 1);
}

static void on_io(struct ev_io *io, uint32_t events)
{
    struct pg *pg = (struct pg *)(void *)io;
    if (pg->state == CONNECTING) {
        connect_step(pg);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(pg);
    if (pg->conn && (events & EPOLLOUT))
        write_out(pg);
}

/* ---- public ---- */

struct pg *pg_new(struct ev *ev, const struct pg_options *o)
{
    struct pg *pg = calloc(1, sizeof *pg);
    if (!pg)
        return NULL;
    pg->ev = ev;
    pg->o = *o;
    pg->io = (struct ev_io){.fd = -1, .ready = on_io};
    pg->backoff.seed = (uint64_t)(uintptr_t)pg ^ (uint64_t)ev_clock_us();
    pg->hosts = pg_hosts_new(ev, o->conninfo, on_hosts, pg);
    if (!pg->hosts || !pg_fifo_room(&pg->fifo, 1)) {
        pg_free(pg);
        return NULL;
    }
    set_state(pg, HELD);
    return pg;
}

static void start(struct pg *pg)
{
    set_state(pg, RESOLVING);
    pg_hosts_resolve(pg->hosts);
}

void pg_release_hold(struct pg *pg)
{
    if (pg->state == HELD)
        start(pg);
}

void pg_close(struct pg *pg)
{
    set_state(pg, HELD);
    pg_hosts_cancel(pg->hosts);
    close_conn(pg);
    fail_all(pg);
}

void pg_free(struct pg *pg)
{
    if (!pg)
        return;
    if (pg->hosts)
        pg_close(pg);
    pg_hosts_free(pg->hosts);
    pg_fifo_release(&pg->fifo);
    free(pg);
}

/* Resolving has no limit here: the resolver has its own, and asking anew would begin from the
 * start. */
void pg_tick(struct pg *pg, int64_t now_ms)
{
    struct pg_entry *head = pg_fifo_head(&pg->fifo);
    if (pg->state == WAITING && now_ms >= pg->backoff.next_ms)
        start(pg);
    else if ((pg->state == CONNECTING || pg->state == PREPARING) &&
             now_ms - pg->state_since_ms > pg->o.connect_timeout_ms)
        lose(pg, "no connection within the time-out");
    else if (pg->state == READY && head && now_ms - head->sent_ms > pg->o.stall_ms)
        lose(pg, "no answer within the deadline");
}

bool pg_ready(const struct pg *pg)
{
    return pg->state == READY;
}

unsigned pg_in_flight(const struct pg *pg)
{
    return pg->fifo.n;
}

void pg_tag(struct pg *pg, const char *request_id)
{
    snprintf(pg->tag, sizeof pg->tag, "%s %s", pg->o.application, request_id);
    pg->tagged = true;
}

/* In the transaction of the query that follows, for which there is room as well. */
static bool send_tag(struct pg *pg)
{
    static const char *const sql = "SELECT set_config('application_name', $1, false)";
    const char *value[] = {pg->tag};
    pg->tagged = false;
    if (!pg_fifo_room(&pg->fifo, 3) ||
        !PQsendQueryParams(pg->conn, sql, 1, NULL, value, NULL, NULL, 1))
        return false;
    push(pg, NULL, NULL, false);
    pg->open_group = true;
    return true;
}

enum status pg_query(struct pg *pg, const struct pg_statement *s, const struct pg_values *v,
                     pg_fn fn, void *ctx)
{
    static const int binary[PG_MAX_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    if (pg->state != READY || !pg_fifo_room(&pg->fifo, 2) || /* its sync finds room as well */
        (pg->tagged && !send_tag(pg)))
        return STATUS_DATABASE_AWAY;
    int sent =
        *s->name
            ? PQsendQueryPrepared(pg->conn, s->name, v->n, v->value, v->length, binary, 1)
            : PQsendQueryParams(pg->conn, s->sql, v->n, s->types, v->value, v->length, binary, 1);
    if (!sent)
        return STATUS_DATABASE_AWAY; /* what is wrong shows at the next read or write */
    push(pg, fn, ctx, false);
    pg->open_group = true;
    return STATUS_OK;
}

enum status pg_sync(struct pg *pg, pg_fn fn, void *ctx)
{
    if (pg->state != READY || !pg_fifo_room(&pg->fifo, 1))
        return STATUS_DATABASE_AWAY;
    if (!PQpipelineSync(pg->conn)) /* it writes: this is where a dead connection shows */
        pg->lost = true;
    push(pg, fn, ctx, true);
    pg->open_group = false;
    return STATUS_OK;
}

void pg_flush(struct pg *pg)
{
    if (pg->state != READY)
        return;
    if (pg->open_group)
        pg_sync(pg, NULL, NULL);
    if (pg->lost)
        lose(pg, PQerrorMessage(pg->conn));
    else if (pg->fifo.n)
        write_out(pg);
}

const char *pg_why(const struct pg *pg)
{
    return pg->why;
}

const char *pg_error(struct pg *pg, const PGresult *res)
{
    const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(pg->error, sizeof pg->error, "%s: %s", code ? code : "?", text ? text : "?");
    return pg->error;
}
