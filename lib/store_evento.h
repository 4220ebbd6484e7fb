/* store_evento: all SQL text of events: one row for each update in a delivery. */
#ifndef ALICERCE_STORE_EVENTO_H
#define ALICERCE_STORE_EVENTO_H

#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store.h"
#include "store_entrega.h"

struct new_evento {
    struct pg_text chave;    /* what it is: of two events with one key the newest stays */
    struct pg_text objeto;   /* "page"; data NULL for none, as below */
    struct pg_text campo;    /* "leadgen" */
    struct pg_text entidade; /* id of the page or account */
    struct pg_text conteudo; /* JSON that jsonb takes */
    int64_t ocorrido_us;     /* STORE_NO_TIME for none: older than any */
    struct pg_text assunto;  /* what it is about: a message's, comment's or post's id */
    struct pg_text estado;   /* a message's status, a verb */
    struct pg_text contato;  /* phone or user id of the person */
    int16_t ordem;           /* rank of the status; 0 for none */
    const struct new_entrega *entrega;
};

/* Adds n rows to the transaction, behind store_entrega_finish of their deliveries. Sort them by
 * chave: two workers with the same keys then never wait for each other in a circle. No key twice:
 * PostgreSQL refuses to change a row twice in one statement (21000). */
enum status store_evento_insert(struct store_tx *tx, struct pg *pg,
                                const struct new_evento *const *rows, size_t n);

#endif
