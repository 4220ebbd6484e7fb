/* store_entrega: all SQL text of deliveries. Structs in and out; PGresult stays here. */
#ifndef ALICERCE_STORE_ENTREGA_H
#define ALICERCE_STORE_ENTREGA_H

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
 */
enum status store_entrega_insert_direct(struct pg *pg, const struct queue_message *messages,
                                        size_t n, struct store_ticket *t);

#endif
