/* store_fila: the SQL of the queue as a whole: whether it rests, and how much of it lies in
 * PostgreSQL. */
#ifndef ALICERCE_STORE_FILA_H
#define ALICERCE_STORE_FILA_H

#include <stdbool.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store_auditoria.h"

enum {
    STORE_FILA_COUNT_MAX = 10000, /* counts end here: they are asked for while much may wait */
    STORE_FILA_NAME_MAX = 401     /* bytes of a name of 100 characters, and its NUL */
};

struct fila_pause {
    void (*done)(struct fila_pause *p, enum status st);
    int64_t since_us; /* STORE_NO_TIME: the workers work */
    char by[STORE_FILA_NAME_MAX];
    enum status st; /* from here store's own */
};
/* Prepared on a connection that asks often. */
extern const struct pg_statement *const store_fila_statements[];
/* Each syncs. by: NULL for the account; who paused it first stays. A change has its row in the
 * audit log; STATUS_UNAUTHORIZED: the token of who asks counts no more. */
enum status store_fila_read(struct pg *pg, struct fila_pause *p);
enum status store_fila_pause(struct pg *pg, const struct auditoria_quem *who, const char *by,
                             struct fila_pause *p);
enum status store_fila_resume(struct pg *pg, const struct auditoria_quem *who,
                              struct fila_pause *p);

/* Rows of `entregas` that wait. A count above STORE_FILA_COUNT_MAX means "more than that". */
struct fila_state {
    void (*done)(struct fila_state *s, enum status st);
    int64_t direct;        /* pending, not tried yet */
    int64_t retries;       /* pending, tried and failed before */
    int64_t next_retry_us; /* when the first of them is due; STORE_NO_TIME for none */
    int64_t dead;
    int64_t paused_us; /* STORE_NO_TIME: not */
    char paused_by[STORE_FILA_NAME_MAX];
};
/* Syncs. */
enum status store_fila_inspect(struct pg *pg, struct fila_state *s);

#endif
