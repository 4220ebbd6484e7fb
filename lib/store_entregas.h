/* store_entregas: all SQL text of reading deliveries for people. The rules of tickets and
 * connections are those of store_leads.h. */
#ifndef ALICERCE_STORE_ENTREGAS_H
#define ALICERCE_STORE_ENTREGAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store.h"

/* NULL, or STORE_NO_TIME, is "any". Texts are valid UTF-8 without U+0000. */
struct entregas_filter {
    const char *estado, *motivo;
    int64_t desde_us, ate_us; /* received at or after, before */
    const char *formulario;   /* those that brought a lead of it first */
    const char *request_id;
    const char *caminho, *valor; /* those with an event that has it, as in store_eventos.h */
    int64_t antes_us;            /* the page begins behind this place, unless antes_id is 0 */
    int64_t antes_id;
    int64_t limite;
};
/* Is it looked for by what no index of deliveries has? Pages may then be short, and places are
 * those that `more` told. */
bool store_entregas_searches(const struct entregas_filter *f);

struct entrega { /* data NULL, STORE_NO_TIME: absent */
    int64_t id, recebida_us, processada_us, proxima_us, tentativas, bytes;
    struct pg_text via, estado, motivo, request_id, fila_id;
    struct pg_text assinatura, agente, traceparent, corpo; /* of one, as it is; corpo: the bytes */
};

/* For other stores: the delivery whose eleven columns, from id to fila_id in the order of the
 * members, begin at this one. */
struct entrega store_entregas_at(const PGresult *res, int row, int column);

struct entregas_ticket {
    void (*row)(struct entregas_ticket *t, const struct entrega *e);
    /* Of a search: there may be more behind this place. */
    void (*more)(struct entregas_ticket *t, int64_t us, int64_t id);
    void (*done)(struct entregas_ticket *t, enum status st, size_t n);
};

/* A page, newest first by (recebida_em, id); by a field in the order of the events. */
enum status store_entregas_page(struct pg *pg, const struct entregas_filter *f,
                                struct entregas_ticket *t);
/* One, with its bytes. */
enum status store_entregas_one(struct pg *pg, int64_t id, struct entregas_ticket *t);

#endif
