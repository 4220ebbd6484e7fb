/* migrate: owns the table migracoes, the advisory lock and one blocking connection.
 *
 * Blocking means poll() in slices: every wait looks at `stop`. Names of hosts are resolved by
 * libpq, which is the one wait that cannot be cut short. A connection that is closed midway rolls
 * back. */
#include "migrate.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ev.h"
#include "hmac.h"
#include "log.h"

enum {
    SLICE_MS = 100, /* how soon `stop` is seen, and the pause between two tries for the lock */
    HEX_LEN = 2 * SHA256_LEN /* without its NUL */
};
#define NO_DEADLINE INT64_MAX

/* "alicerce" as a big-endian number: every version of the programs must use the same. */
#define TRY_LOCK "SELECT pg_try_advisory_lock(7020101794788434789)"

/* A role's or a database's own limits are made for requests, not for building an index. */
#define SETTINGS                                                                                   \
    "SET client_min_messages = warning; SET statement_timeout = 0; SET lock_timeout = 0;"          \
    "SET idle_in_transaction_session_timeout = 0"

#define CHECK_ENCODING                                                                             \
    "DO $$ BEGIN IF current_setting('server_encoding') <> 'UTF8' THEN"                             \
    " RAISE 'it has the encoding %, not UTF8', current_setting('server_encoding');"                \
    " END IF; END $$"

/* CREATE only when it is missing: IF NOT EXISTS would still ask for the right to create. */
#define CREATE_TABLE                                                                               \
    "DO $$ BEGIN IF to_regclass('migracoes') IS NULL THEN"                                         \
    " CREATE TABLE migracoes (nome text PRIMARY KEY, sha256 text NOT NULL,"                        \
    " aplicada_em timestamptz NOT NULL DEFAULT now());"                                            \
    " COMMENT ON TABLE migracoes IS 'The files of sql/ that were applied';"                        \
    " COMMENT ON COLUMN migracoes.nome IS 'Name of the file without .sql';"                        \
    " COMMENT ON COLUMN migracoes.sha256 IS 'Of its bytes, in hex: an applied file never "         \
    "changes';"                                                                                    \
    " END IF; END $$"

struct session {
    PGconn *conn;
    const atomic_int *stop;
    struct migrate_result *ret;
};

/* ---- messages ---- */

/* One line, cut to fit at a whole UTF-8 character. */
__attribute__((format(printf, 2, 3))) static void say(struct session *s, const char *fmt, ...)
{
    char *text = s->ret->message;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof s->ret->message, fmt, args);
    va_end(args);
    size_t len = strlen(text);
    while (n >= (int)sizeof s->ret->message && len > 0 &&
           ((unsigned char)text[len - 1] & 0xC0) == 0x80)
        len--;
    if (n >= (int)sizeof s->ret->message && len > 0 && (unsigned char)text[len - 1] >= 0xC0)
        len--;
    text[len] = 0;
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = 0;
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
}

static void on_notice(void *ctx, const char *text)
{
    (void)ctx;
    log_warn("migrate_notice", NULL, "%.*s", (int)strcspn(text, "\n"), text);
}

/* libpq's texts never have the password. */
static enum status lost(struct session *s)
{
    say(s, "%s", PQerrorMessage(s->conn));
    return STATUS_DATABASE_AWAY;
}

/* The line of `sql` on which PostgreSQL's position (characters, from 1) lies; 0 when it gave none.
 */
static unsigned line_of(const char *sql, const char *position)
{
    unsigned characters = 0, line = position ? 1 : 0;
    for (const char *p = position; p && *p >= '0' && *p <= '9'; p++)
        characters = characters * 10 + (unsigned)(*p - '0');
    for (const char *p = sql; *p && characters > 1; p++) {
        line += *p == '\n';
        characters -= ((unsigned char)p[1] & 0xC0) != 0x80;
    }
    return line;
}

/* Retryable: the connection is gone, the server is starting, stopping, full or a standby. */
static bool is_away(const char *sqlstate)
{
    return !sqlstate || strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "53", 2) == 0 ||
           strncmp(sqlstate, "57P", 3) == 0 || strcmp(sqlstate, "25006") == 0;
}

static enum status refused(struct session *s, const char *what, const char *sql,
                           const PGresult *res)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    unsigned line = line_of(sql, PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION));
    if (!primary)
        return lost(s);
    if (line)
        say(s, "%s, line %u: %s (%s)", what, line, primary, sqlstate);
    else
        say(s, "%s: %s (%s)", what, primary, sqlstate);
    return is_away(sqlstate) ? STATUS_DATABASE_AWAY : STATUS_INTERNAL;
}

/* ---- waiting ---- */

static bool stopping(const struct session *s)
{
    return s->stop && atomic_load(s->stop) != 0;
}

/* fd -1: a pause until the deadline. */
static enum status wait_for(struct session *s, int fd, short events, int64_t deadline_us)
{
    struct pollfd p = {.fd = fd, .events = events};
    while (!stopping(s)) {
        int64_t left_ms = (deadline_us - ev_clock_us()) / 1000;
        if (left_ms <= 0)
            return STATUS_DEADLINE;
        int n = poll(&p, 1, left_ms < SLICE_MS ? (int)left_ms : SLICE_MS);
        if (n > 0)
            return STATUS_OK;
        if (n < 0 && errno != EINTR) {
            say(s, "poll: %s", strerror(errno));
            return STATUS_INTERNAL;
        }
    }
    return STATUS_STOPPING;
}

static enum status connect_wait(struct session *s, int64_t deadline_us)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING; /* as documented for the first turn */
    while (next != PGRES_POLLING_OK) {
        short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        enum status st = wait_for(s, PQsocket(s->conn), events, deadline_us);
        if (st == STATUS_DEADLINE) {
            say(s, "no answer from %s:%s within the time-out", PQhost(s->conn), PQport(s->conn));
            return STATUS_DATABASE_AWAY;
        }
        if (st != STATUS_OK)
            return st;
        next = PQconnectPoll(s->conn);
        if (next == PGRES_POLLING_FAILED)
            return lost(s);
    }
    return STATUS_OK;
}

/* libpq quotes what it cannot parse, and a password with an unescaped @ ends up in the host's name.
 */
static bool conninfo_is_sane(const char *conninfo)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    bool sane = options != NULL;
    for (PQconninfoOption *o = options; sane && o->keyword; o++)
        sane = !o->val || strcmp(o->keyword, "host") != 0 || !strchr(o->val, '@');
    PQconninfoFree(options);
    return sane;
}

/* What the URL says itself wins over what stands before it; the files are UTF-8. */
static PGconn *start_connection(const char *conninfo)
{
    const char *keys[] = {"fallback_application_name",
                          "keepalives_idle",
                          "keepalives_interval",
                          "keepalives_count",
                          "tcp_user_timeout",
                          "gssencmode", /* the default reads Kerberos' files; the URL may say so */
                          "dbname",
                          "client_encoding",
                          NULL};
    const char *values[] = {"alicerce-migrate", "30",     "10",   "3", "30000",
                            "disable",          conninfo, "UTF8", NULL};
    return PQconnectStartParams(keys, values, 1);
}

static enum status open_session(struct session *s, const char *conninfo, int connect_timeout_ms)
{
    int64_t deadline_us = ev_clock_us() + (int64_t)connect_timeout_ms * 1000;
    if (!conninfo_is_sane(conninfo)) {
        say(s,
            "not a URL that libpq understands (an @ or / in the password must be percent-encoded)");
        return STATUS_INTERNAL;
    }
    s->conn = start_connection(conninfo);
    if (!s->conn) {
        say(s, "out of memory");
        return STATUS_DATABASE_AWAY;
    }
    PQsetNoticeProcessor(s->conn, on_notice, NULL);
    if (PQstatus(s->conn) == CONNECTION_BAD)
        return lost(s);
    enum status st = connect_wait(s, deadline_us);
    if (st == STATUS_OK && PQsetnonblocking(s->conn, 1) != 0)
        return lost(s);
    return st;
}

/* ---- one query ---- */

static enum status flush(struct session *s)
{
    for (int left; (left = PQflush(s->conn)) != 0;) {
        if (left < 0)
            return lost(s);
        enum status st = wait_for(s, PQsocket(s->conn), POLLIN | POLLOUT, NO_DEADLINE);
        if (st != STATUS_OK)
            return st;
        if (!PQconsumeInput(s->conn))
            return lost(s);
    }
    return STATUS_OK;
}

static enum status next_result(struct session *s, PGresult **ret_res)
{
    while (PQisBusy(s->conn)) {
        enum status st = wait_for(s, PQsocket(s->conn), POLLIN, NO_DEADLINE);
        if (st != STATUS_OK)
            return st;
        if (!PQconsumeInput(s->conn))
            return lost(s);
    }
    *ret_res = PQgetResult(s->conn);
    return STATUS_OK;
}

static bool succeeded(const PGresult *res)
{
    return PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK ||
           PQresultStatus(res) == PGRES_EMPTY_QUERY;
}

/* Reads all results of what was sent; keeps the last one. `what` and `sql` are for the message. */
static enum status collect(struct session *s, const char *what, const char *sql,
                           PGresult **ret_last)
{
    enum status st = flush(s), failure = STATUS_OK;
    PGresult *last = NULL, *res = NULL;
    while (st == STATUS_OK && (st = next_result(s, &res)) == STATUS_OK && res) {
        if (failure == STATUS_OK && !succeeded(res))
            failure = refused(s, what, sql, res);
        PQclear(last);
        last = res;
    }
    st = failure != STATUS_OK ? failure : st;
    if (st == STATUS_OK && ret_last)
        *ret_last = last;
    else
        PQclear(last);
    return st;
}

/* With `n` parameters: one statement, text format. Without: any number of statements. */
static enum status query(struct session *s, const char *what, const char *sql, int n,
                         const char *const *values, PGresult **ret_res)
{
    int sent = n ? PQsendQueryParams(s->conn, sql, n, NULL, values, NULL, NULL, 0)
                 : PQsendQuery(s->conn, sql);
    return sent ? collect(s, what, sql, ret_res) : lost(s);
}

static enum status command(struct session *s, const char *what, const char *sql)
{
    return query(s, what, sql, 0, NULL, NULL);
}

/* ---- migrations ---- */

static enum status take_lock(struct session *s)
{
    for (bool told = false;; told = true) {
        PGresult *res = NULL;
        enum status st = query(s, "the lock of migrations", TRY_LOCK, 0, NULL, &res);
        bool locked = st == STATUS_OK && PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == 't';
        PQclear(res);
        if (st != STATUS_OK || locked)
            return st;
        if (!told)
            log_info("migrate_wait", NULL, "another program is applying migrations");
        st = wait_for(s, -1, 0, ev_clock_us() + SLICE_MS * 1000);
        if (st != STATUS_DEADLINE)
            return st;
    }
}

static void hex_digest(const struct migration *m, char out[HEX_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_LEN];
    sha256(m->sql, m->len, digest);
    for (size_t i = 0; i < SHA256_LEN; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[HEX_LEN] = 0;
}

static int find_row(const PGresult *rows, const char *name)
{
    for (int i = 0; i < PQntuples(rows); i++)
        if (strcmp(PQgetvalue(rows, i, 0), name) == 0)
            return i;
    return -1;
}

/* Nothing is applied while any file differs from what was applied. */
static enum status compare(struct session *s, const PGresult *rows)
{
    unsigned known = 0;
    for (unsigned i = 0; i < n_migrations; i++) {
        int row = find_row(rows, migrations[i].name);
        if (row < 0)
            continue;
        known++;
        char hex[HEX_LEN + 1];
        hex_digest(&migrations[i], hex);
        if (strcmp(PQgetvalue(rows, row, 1), hex) != 0) {
            say(s, "%s was changed after it was applied: sha256 %.12s in the database, %.12s here",
                migrations[i].name, PQgetvalue(rows, row, 1), hex);
            return STATUS_CONFLICT;
        }
    }
    s->ret->newer = (unsigned)PQntuples(rows) - known;
    return STATUS_OK;
}

/* The row goes first: the file may set a search_path for the rest of its transaction. */
static enum status apply(struct session *s, const struct migration *m)
{
    char hex[HEX_LEN + 1];
    hex_digest(m, hex);
    const char *values[] = {m->name, hex};
    enum status st = command(s, m->name, "BEGIN ISOLATION LEVEL READ COMMITTED");
    if (st == STATUS_OK)
        st = query(s, m->name, "INSERT INTO migracoes (nome, sha256) VALUES ($1, $2)", 2, values,
                   NULL);
    if (st == STATUS_OK)
        st = command(s, m->name, m->sql);
    if (st == STATUS_OK)
        st = command(s, m->name, "COMMIT");
    if (st == STATUS_OK)
        s->ret->applied++;
    return st;
}

static enum status apply_missing(struct session *s, const PGresult *rows)
{
    enum status st = STATUS_OK;
    for (unsigned i = 0; i < n_migrations && st == STATUS_OK; i++)
        if (find_row(rows, migrations[i].name) < 0)
            st = apply(s, &migrations[i]);
    return st;
}

static enum status migrate(struct session *s)
{
    PGresult *rows = NULL;
    enum status st = command(s, "settings", SETTINGS);
    if (st == STATUS_OK)
        st = take_lock(s);
    if (st == STATUS_OK)
        st = command(s, "the database", CHECK_ENCODING);
    if (st == STATUS_OK)
        st = command(s, "table migracoes", CREATE_TABLE);
    if (st == STATUS_OK)
        st = query(s, "table migracoes", "SELECT nome, sha256 FROM migracoes", 0, NULL, &rows);
    if (st == STATUS_OK)
        st = compare(s, rows);
    if (st == STATUS_OK)
        st = apply_missing(s, rows);
    PQclear(rows);
    return st;
}

enum status migrate_run(const char *conninfo, int connect_timeout_ms, const atomic_int *stop,
                        struct migrate_result *ret)
{
    *ret = (struct migrate_result){0};
    struct session s = {.stop = stop, .ret = ret};
    enum status st = open_session(&s, conninfo, connect_timeout_ms);
    if (st == STATUS_OK)
        st = migrate(&s);
    PQfinish(s.conn); /* gives the lock back; an open transaction is rolled back */
    return st;
}
