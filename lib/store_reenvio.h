/* store_reenvio: the SQL of sending deliveries again by wish of an account: one, or as a job all
 * that a filter finds (sql/0011_operacao.sql). The worker does the job's steps (store_chore). */
#ifndef ALICERCE_STORE_REENVIO_H
#define ALICERCE_STORE_REENVIO_H

#include "store_arquivo.h"
#include "store_auditoria.h"

enum { REENVIO_PAGE_MAX = 100, REENVIO_MAX = 100000, REENVIO_DEFAULT = 10000 };

enum reenvio_outcome {
    REENVIO_OK,
    REENVIO_ACTOR,    /* the token of who asks counts no more */
    REENVIO_ABSENT,   /* there is no such delivery or job */
    REENVIO_PENDING,  /* the delivery waits already */
    REENVIO_TOO_MANY, /* jobs under way */
    REENVIO_OVER      /* the job has ended */
};

/* Texts live during the call; data NULL for NULL, times STORE_NO_TIME. */
struct reenvio {
    int64_t id, maximo, marcadas, processadas, mortas, por_fazer;
    struct pg_text estado, filtro_estado, motivo, formulario, criado_por, erro;
    int64_t desde_us, ate_us, criado_us, terminado_us;
};

struct reenvio_call {
    /* Each row, then done: committed when st is STATUS_OK. No row unless the outcome is REENVIO_OK.
     */
    void (*job)(struct reenvio_call *c, const struct reenvio *row);
    void (*entrega)(struct reenvio_call *c, const struct entrega *row);
    void (*done)(struct reenvio_call *c, enum status st, enum reenvio_outcome outcome);
    int64_t found;                /* store_reenvio_count */
    enum reenvio_outcome outcome; /* from here store's own */
    enum status st;
};

/* Calls entrega. */
enum status store_reenvio_one(struct pg *pg, const struct auditoria_quem *who, int64_t id,
                              struct reenvio_call *c);
/* Of the filter: estado, motivo, formulario, desde_us, ate_us; limite is the job's most. Calls job.
 */
enum status store_reenvio_create(struct pg *pg, const struct auditoria_quem *who,
                                 const struct arquivo_filter *f, struct reenvio_call *c);
enum status store_reenvio_cancel(struct pg *pg, const struct auditoria_quem *who, int64_t id,
                                 struct reenvio_call *c);
/* One when id is not 0, else a page, newest first, below `before` (0: from the newest). */
enum status store_reenvio_page(struct pg *pg, int64_t id, int64_t before, int64_t limit,
                               struct reenvio_call *c);
/* How many the filter finds, counted up to limite + 1: c->found. */
enum status store_reenvio_count(struct pg *pg, const struct arquivo_filter *f,
                                struct reenvio_call *c);

#endif
