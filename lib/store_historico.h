/* store_historico: reading what went wrong with a delivery, and who sent it again
 * (sql/0011_operacao.sql). */
#ifndef ALICERCE_STORE_HISTORICO_H
#define ALICERCE_STORE_HISTORICO_H

#include <stdint.h>

#include "pg.h"
#include "status.h"

struct historico { /* data NULL: absent */
    int64_t em_us;
    struct pg_text acao, resultado, motivo, por;
};

struct historico_ticket {
    void (*row)(struct historico_ticket *t, const struct historico *h);
    void (*done)(struct historico_ticket *t, enum status st);
};

/* The newest `limit` rows of a delivery, oldest first. Planned at each use; done runs exactly once
 * if the call returned STATUS_OK. Rows live during the call. */
enum status store_historico_of(struct pg *pg, int64_t entrega_id, int64_t limit,
                               struct historico_ticket *t);

#endif
