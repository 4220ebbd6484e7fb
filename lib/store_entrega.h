/* store_entrega: all SQL text of deliveries. Structs in and out; PGresult stays here.
 *
 * A delivery comes through the stream (via 'fila', named by its id there and its time) or was
 * written by the API itself while Redis was away (via 'direta'). What the worker has yet to do, or
 * to try again, is 'pendente' and due at proxima_em. */
#ifndef ALICERCE_STORE_ENTREGA_H
#define ALICERCE_STORE_ENTREGA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "pg.h"
#include "status.h"
#include "store.h"

/* ---- the API's ---- */

/* Prepared on the API's connection for writes. NULL-terminated. */
extern const struct pg_statement *const store_entrega_statements[];

/* Inserts n deliveries as 'pendente', via 'direta', in one transaction: done(STATUS_OK) when it is
 * committed, STATUS_DATABASE_AWAY when the outcome is unknown, anything else: nothing was written.
 * messages are copied. At once: STATUS_DATABASE_AWAY or STATUS_OVERLOADED (no memory), nothing was
 * sent. */
enum status store_entrega_insert_direct(struct pg *pg, const struct queue_message *messages,
                                        size_t n, struct store_ticket *t);

/* ---- the worker's ---- */

/* Prepared on the worker's connections. */
extern const struct pg_statement *const store_entrega_worker_statements[];

/* A delivery that was worked on. */
struct new_entrega {
    struct event event;
    int64_t id;                    /* its row when it is one of entregas already, else 0 */
    unsigned tentativas;           /* that failed, so far */
    const char *motivo;            /* why it failed; NULL: processed */
    int64_t espera_us;             /* until the next attempt; 0: a dead letter, if it failed */
    bool left;                     /* could not be stored at all */
    size_t eventos_end, leads_end; /* the batch's own: its rows end before these */
};

/* Adds to the transaction: n deliveries, all of the stream or all rows already, become
 * 'processada', 'morta', or 'pendente' until their next attempt. One of the stream that is there
 * already stays as it is. */
enum status store_entrega_finish(struct store_tx *tx, struct pg *pg, const struct new_entrega *rows,
                                 size_t n);

struct entrega_claim {
    /* For each row; the event lives during the call. */
    void (*entrega)(struct entrega_claim *c, const struct event *e, int64_t id,
                    unsigned tentativas);
    /* STATUS_OK: the transaction is open and holds n rows; end it with store_entrega_end. Anything
     * else: it has to be ended all the same (rolled back), if the connection still is. */
    void (*done)(struct entrega_claim *c, enum status st, size_t n);
    enum status st; /* from here store's own */
    size_t n;
    unsigned open;
};
/* Opens a transaction and claims up to `limit` rows that are 'pendente', due and in nobody's hand,
 * in the order in which they were due, until their bodies pass `bytes`. Syncs. */
enum status store_entrega_claim(struct pg *pg, int64_t limit, int64_t bytes,
                                struct entrega_claim *c);
/* In that transaction: what is added between the two is kept as a whole or, with undo, forgotten as
 * a whole, while the rows stay claimed. */
enum status store_entrega_save(struct store_tx *tx, struct pg *pg);
enum status store_entrega_undo(struct store_tx *tx, struct pg *pg);
/* Ends the transaction. */
enum status store_entrega_end(struct store_tx *tx, struct pg *pg, bool commit);

#endif
