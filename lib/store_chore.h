/* store_chore: the SQL of what is done now and then, in small steps, by functions of sql/. */
#ifndef ALICERCE_STORE_CHORE_H
#define ALICERCE_STORE_CHORE_H

#include <stdint.h>

#include "pg.h"
#include "status.h"

enum store_chore {
    STORE_CHORE_SEARCH,  /* posts that the search index does not know yet */
    STORE_CHORE_KEYS,    /* Idempotency-Keys that are too old */
    STORE_CHORE_EVENTS,  /* events that the search by field does not know yet */
    STORE_CHORE_ARCHIVE, /* processed deliveries that are too old; arg: days */
    STORE_CHORE_REPLAY,  /* a step of a job that sends deliveries again */
    STORE_CHORE_AUDIT,   /* rows of the audit log that are too old; arg: days */
    STORE_CHORE_STUCK, /* server processes that wait amid a transaction for a worker that is gone */
    STORE_CHORES
};

/* Prepared on the connection that does them. */
extern const struct pg_statement *const store_chore_statements[];

struct store_chore_ticket {
    /* done: rows dealt with; when 0, nothing is left to do. Committed. */
    void (*done)(struct store_chore_ticket *t, enum status st, int64_t n);
    enum status st; /* from here store's own */
    int64_t n;
};
/* One step, in a transaction of its own. Syncs. arg: the chore's own, if it has one. */
enum status store_chore_step(struct pg *pg, enum store_chore chore, int64_t arg,
                             struct store_chore_ticket *t);

#endif
