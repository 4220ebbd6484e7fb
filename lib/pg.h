/* pg: one connection to PostgreSQL in pipeline mode, driven by an ev.
 *
 * Queries are sent at once and answered in order; nothing here blocks but local files that libpq
 * reads while connecting. A lost or stalled connection answers everything in flight with
 * STATUS_DATABASE_AWAY and is made anew with jitter. One thread.
 * PostgreSQL 15 documentation, 34.5 "Pipeline Mode" and 34.1 (PQconnectPoll). */
#ifndef ALICERCE_PG_H
#define ALICERCE_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct ev;
struct pg;

enum { /* type oids of parameters, from PostgreSQL's pg_type.dat */
       PG_BYTEA = 17,
       PG_INT8 = 20,
       PG_INT4 = 23,
       PG_TEXT = 25,
       PG_TIMESTAMPTZ = 1184,
       PG_BYTEA_ARRAY = 1001,
       PG_TEXT_ARRAY = 1009,
       PG_INT8_ARRAY = 1016,
       PG_TIMESTAMPTZ_ARRAY = 1185,
       PG_INT4_ARRAY = 1007,
       PG_JSONB = 3802,
       PG_JSONB_ARRAY = 3807,
       PG_MAX_PARAMS = 12
};

/* A statement: prepared on every connection, or, without a name, planned at each use with its
 * values. All results come in binary format. Static. */
struct pg_statement {
    const char *name; /* "" for unprepared */
    const char *sql;
    int n_params;
    Oid types[PG_MAX_PARAMS];
};

/* Values of one use, all in binary format; value NULL is SQL NULL. Copied by pg_query. */
struct pg_values {
    int n;
    const char *value[PG_MAX_PARAMS];
    int length[PG_MAX_PARAMS];
};

struct pg_options {
    const char *conninfo;                           /* libpq URL or keywords; must outlive the pg */
    const char *application;                        /* application_name unless the URL has one */
    const char *role;                               /* "read": for the log */
    const struct pg_statement *const *prepare;      /* NULL-terminated; must outlive the pg */
    const struct pg_statement *const *prepare_also; /* a second such list; NULL for none */
    int64_t connect_timeout_ms;
    int64_t stall_ms;             /* an answer that takes longer: the connection is made anew */
    int64_t statement_timeout_ms; /* set on the server; 0 for none */
    int64_t lock_timeout_ms;      /* the same; 0: what the role or the database has */
    bool plans_once;              /* what is prepared is planned once, by index */
};

/* Starts in the state "held": pg_release_hold lets it connect (when the schema is there). */
struct pg *pg_new(struct ev *ev, const struct pg_options *o);
void pg_release_hold(struct pg *pg);
/* Everything in flight is answered with STATUS_DATABASE_AWAY, and what comes later refused. */
void pg_close(struct pg *pg);
/* Closes and frees. NULL is fine. */
void pg_free(struct pg *pg);
/* Deadlines and reconnects; called from the loop's tick. */
void pg_tick(struct pg *pg, int64_t now_ms);
bool pg_ready(const struct pg *pg);
/* Queries and syncs whose answers are out. */
unsigned pg_in_flight(const struct pg *pg);

/* The answer to one query. res is NULL when the connection was lost; it lives during the call.
 *   STATUS_OK             rows or command complete (for a write: not yet committed, see pg_sync)
 *   STATUS_DATABASE_AWAY  lost, shutting down, out of resources: the outcome is unknown
 *   STATUS_DEADLINE       cancelled by statement_timeout or lock_timeout
 *   STATUS_CONFLICT       not run: an earlier query under the same sync failed
 *   STATUS_INTERNAL       the server refused it; pg_error has why
 * The callback may send more queries. */
typedef void (*pg_fn)(void *ctx, enum status st, const PGresult *res);

/* Queues a query. STATUS_OK, or STATUS_DATABASE_AWAY at once (fn is not called). */
enum status pg_query(struct pg *pg, const struct pg_statement *s, const struct pg_values *v,
                     pg_fn fn, void *ctx);
/* Names the request that the queries from here on are sent for: the server shows it beside the name
 * of the program as application_name (cut off at 63 bytes), in pg_stat_activity and by %a in its
 * log. Costs the next query another one; for debugging. */
void pg_tag(struct pg *pg, const char *request_id);
/* Ends the group of queries since the last sync: they are one transaction, committed when fn is
 * called with STATUS_OK. fn may be NULL. Behind a query that was taken it is always taken too: a
 * connection that is found dead here answers both later. */
enum status pg_sync(struct pg *pg, pg_fn fn, void *ctx);
/* Once a tick, after all queries: syncs what is open and writes. */
void pg_flush(struct pg *pg);

/* Why the last connection or attempt ended, for people; "" when none did. */
const char *pg_why(const struct pg *pg);

/* "ERROR 23505: duplicate key …", for the log. Static buffer of the pg. */
const char *pg_error(struct pg *pg, const PGresult *res);

/* Values. The builders write to memory of the caller's that lives until pg_query returns. */
static inline void pg_null(struct pg_values *v)
{
    v->value[v->n] = NULL;
    v->length[v->n++] = 0;
}
static inline void pg_bytes(struct pg_values *v, const void *data, size_t len)
{
    v->value[v->n] = data ? (const char *)data : "";
    v->length[v->n++] = (int)len;
}
/* Big-endian 8 bytes into `space`. */
void pg_int8(struct pg_values *v, int64_t value, char space[8]);
/* Microseconds since 1970 UTC as timestamptz. */
void pg_time(struct pg_values *v, int64_t unix_us, char space[8]);

/* One-dimensional arrays in PostgreSQL's binary format (arrayfuncs.c, array_recv), built in a buf.
 */
struct buf;
void pg_array_begin(struct buf *b, Oid element, size_t n, bool has_null);
void pg_array_bytes(struct buf *b, const void *data, size_t len); /* data NULL: SQL NULL */
void pg_array_int8(struct buf *b, int64_t value);
void pg_array_time(struct buf *b, int64_t unix_us);
static inline void pg_array(struct pg_values *v, const char *data, size_t len)
{
    pg_bytes(v, data, len);
}

/* Columns of a binary result. */
int64_t pg_get_int8(const PGresult *res, int row, int column);
int64_t pg_get_time(const PGresult *res, int row, int column); /* microseconds since 1970 UTC */
struct pg_text {
    const char *data;
    size_t len;
};
struct pg_text pg_get_text(const PGresult *res, int row, int column); /* the result's memory */

#endif
