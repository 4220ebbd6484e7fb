/* store_eventos: all SQL text of reading events for people: pages, search by field, one. The rules
 * of tickets and connections are those of store_leads.h. */
#ifndef ALICERCE_STORE_EVENTOS_H
#define ALICERCE_STORE_EVENTOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store.h"

enum { EVENTOS_CONTENT_MAX = 16 * 1024 }; /* of an event in a page: 1.6 MiB for 100 of them */

/* Zero, NULL, STORE_NO_TIME is "any". Texts are valid UTF-8 without U+0000. */
struct eventos_filter {
    int64_t entrega_id;
    int64_t desde_us, ate_us; /* stored at or after, before */
    const char *caminho;      /* with valor: members in a row, "value.form_id"; NULL: anywhere */
    const char *valor;        /* a scalar's text */
    int64_t antes_us;         /* the page begins behind this row, unless antes_id is 0 */
    int64_t antes_id;
    int64_t limite;
};

struct evento { /* data NULL, STORE_NO_TIME: absent */
    int64_t id, entrega_id, criado_us, ocorrido_us;
    struct pg_text chave, objeto, campo, entidade, assunto, estado, contato, conteudo;
    bool omitido; /* conteudo is there, but too large for a page */
};

struct eventos_ticket {
    void (*row)(struct eventos_ticket *t, const struct evento *e);
    void (*done)(struct eventos_ticket *t, enum status st, size_t n);
    int64_t atraso; /* before done, of a search: events that are not searchable yet, about */
    bool alone;     /* the store's own: the search could not be sent behind the question for it */
};

/* A page, newest first, by (criado_em, id). */
enum status store_eventos_page(struct pg *pg, const struct eventos_filter *f,
                               struct eventos_ticket *t);
/* One, whole. */
enum status store_eventos_one(struct pg *pg, int64_t id, struct eventos_ticket *t);
/* The one that tells of a lead, without conteudo. */
enum status store_eventos_of_lead(struct pg *pg, const char *leadgen_id, struct eventos_ticket *t);
/* The first `limite` of a delivery, by id, without conteudo. */
enum status store_eventos_of_entrega(struct pg *pg, int64_t entrega_id, int64_t limite,
                                     struct eventos_ticket *t);

#endif
