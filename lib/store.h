/* store: what the store_* files share: the outcome of a transaction of one or more statements.
 *
 * A store_tx follows the statements between two syncs of a pg (one transaction) and calls back
 * once, after the commit or the first failure. PGresult stays behind it. */
#ifndef ALICERCE_STORE_H
#define ALICERCE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "pg.h"
#include "status.h"

/* Embedded in its owner, kept until done ran. done runs exactly once if and only if the call
 * returned STATUS_OK. */
struct store_ticket {
    void (*done)(struct store_ticket *t, enum status st);
};

struct store_tx {
    /*   STATUS_OK             committed
     *   STATUS_DATABASE_AWAY  the connection was lost: the outcome is unknown
     *   STATUS_DEADLINE       rolled back: statement_timeout
     *   STATUS_LOCKED         rolled back: lock_timeout; somebody held a lock for too long
     *   STATUS_CONFLICT       rolled back: deadlock or serialization failure; the same may pass
     *                         again
     *   STATUS_INVALID        rolled back: the data was refused (SQLSTATE classes 22, 23, 54)
     *   STATUS_INTERNAL       rolled back: refused for another reason (schema, rights, a bug) */
    void (*done)(struct store_tx *t, enum status st);
    unsigned open;    /* from here store's own: answers that are still out */
    enum status st;   /* of the first failure */
    char reason[200]; /* valid UTF-8; "22P02: …" when st is INVALID or INTERNAL */
};

void store_tx_begin(struct store_tx *t);
/* pg_query whose outcome counts for the transaction. */
enum status store_tx_query(struct store_tx *t, struct pg *pg, const struct pg_statement *s,
                           const struct pg_values *v);
/* For statements with an answer of their own: counts one more, and notes its outcome in the pg_fn.
 */
void store_tx_expect(struct store_tx *t);
void store_tx_answer(struct store_tx *t, enum status st, const PGresult *res);
/* Syncs. STATUS_OK when done will run; else no statement had been accepted and done will not run.
 */
enum status store_tx_commit(struct store_tx *t, struct pg *pg);

/* The parameters of a statement that takes an array for each column, built in one buffer. */
struct store_columns {
    struct buf b; /* append one array after the other, each followed by store_column_end */
    size_t end[PG_MAX_PARAMS];
    int n;
};
struct store_columns store_columns_init(void);
void store_column_end(struct store_columns *c);
/* One whole column: the struct pg_text at this offset of each row, NULL where it has no data. */
void store_column_texts(struct store_columns *c, const void *const *rows, size_t n, size_t offset);
/* Sends the statement as part of t and releases the buffer. STATUS_OVERLOADED without memory. */
enum status store_columns_query(struct store_columns *c, struct store_tx *t, struct pg *pg,
                                const struct pg_statement *s);

/* Adds the id to the n that are there, unless it is one of the last eight: requests of a flight are
 * often for the same. Returns how many there are now. */
size_t store_ids_add(int64_t *ids, size_t n, int64_t id);
/* Asks for rows by their ids (at least one), as pg_query: `one` takes an id, `many` an array of
 * them, which costs PostgreSQL a quarter more for the same row. STATUS_OVERLOADED without
 * memory. */
enum status store_query_ids(struct pg *pg, const struct pg_statement *one,
                            const struct pg_statement *many, const int64_t *ids, size_t n, pg_fn fn,
                            void *ctx);

/* A time that is not known. */
#define STORE_NO_TIME INT64_MIN

#endif
