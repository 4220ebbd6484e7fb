/* store_leads: all SQL text of reading leads. What the worker writes is in store_lead and
 * store_consulta; what a page costs is sql/0010_leitura.sql's.
 *
 * Statements are planned at each use: give them a connection of their own. Tickets are embedded in
 * their owner and kept until done ran, which it does exactly once if and only if the call returned
 * STATUS_OK. Rows live during the call. */
#ifndef ALICERCE_STORE_LEADS_H
#define ALICERCE_STORE_LEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store.h"

/* NULL, or STORE_NO_TIME, is "any". Texts are valid UTF-8 without U+0000. */
struct leads_filter {
    const char *pagina, *formulario, *estado;
    int64_t desde_us, ate_us; /* made at or after, before */
    const char *busca;        /* an id, or beginnings of words of name, address, telephone */
    const char *id;           /* an id alone */
    int64_t antes_us;         /* the page begins behind this row, unless antes_id is NULL */
    const char *antes_id;
    int64_t limite;
};

struct lead { /* data NULL, STORE_NO_TIME, 0: absent */
    struct pg_text leadgen_id, pagina_id, formulario_id, anuncio_id, conjunto_id, estado;
    struct pg_text nome, email, telefone, campos; /* campos: JSON */
    int64_t criado_us, recebido_us, entrega_id;
    int64_t tentativas, consultado_us, proxima_us; /* of one lead, as ultimo_erro */
    struct pg_text ultimo_erro;
};

struct leads_ticket {
    void (*row)(struct leads_ticket *t, const struct lead *l);
    void (*done)(struct leads_ticket *t, enum status st, size_t n);
};

/* A page, newest first, by (criado_em, leadgen_id). campos: read it, too. */
enum status store_leads_page(struct pg *pg, const struct leads_filter *f, bool campos,
                             struct leads_ticket *t);
/* One, with everything; n is 0 when there is none. */
enum status store_leads_one(struct pg *pg, const char *leadgen_id, struct leads_ticket *t);

struct leads_estimate {
    void (*done)(struct leads_estimate *t, enum status st, int64_t n);
};
/* About how many the filter has (antes_* and limite do not count): the planner's guess. */
enum status store_leads_estimate(struct pg *pg, const struct leads_filter *f,
                                 struct leads_estimate *t);

#endif
