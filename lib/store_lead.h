/* store_lead: all SQL text of leads: one row for each leadgen id. */
#ifndef ALICERCE_STORE_LEAD_H
#define ALICERCE_STORE_LEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store.h"
#include "store_entrega.h"

struct new_lead {
    struct pg_text leadgen_id; /* a row with this id that is there already stays as it is */
    struct pg_text pagina_id;  /* data NULL for none, as below */
    struct pg_text formulario_id;
    struct pg_text anuncio_id;
    struct pg_text conjunto_id; /* of ads: Meta's adgroup */
    int64_t criado_us;          /* STORE_NO_TIME: when the delivery came in */
    bool teste;                 /* made by Meta's test tool: never looked up */
    const struct new_entrega *entrega;
};

/* Adds n rows to the transaction, behind store_entrega_finish of their deliveries. Sort them by
 * leadgen_id: two workers with the same ids then never wait for each other in a circle. */
enum status store_lead_insert(struct store_tx *tx, struct pg *pg,
                              const struct new_lead *const *rows, size_t n);

#endif
