/* store_arquivo: all SQL of the archive: pages of deliveries and events, search by any field of the
 * payload, and sending deliveries again. */
#ifndef ALICERCE_STORE_ARQUIVO_H
#define ALICERCE_STORE_ARQUIVO_H

#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store.h"
#include "store_entregas.h"

/* What is looked for; zero or NULL is "any", times STORE_NO_TIME. Texts are valid UTF-8 without
 * U+0000. Pages are newest first, by (time, id). */
struct arquivo_filter {
    int64_t desde_us, ate_us; /* received (an event: stored) at or after, before */
    int64_t antes_id;         /* the page begins behind this row */
    int64_t antes_us; /* whose time this is; STORE_NO_TIME: looked up, if it still is there */
    int64_t limite;
    const char *estado;     /* of deliveries */
    const char *motivo;     /* of dead letters: the whole reason (its first 200 characters) */
    const char *formulario; /* sending again: deliveries that brought a lead of this form first */
    int64_t entrega_id;     /* of events, without valor: those of one delivery */
    const char *caminho;    /* of events, with valor: members in a row, "value.form_id" */
    const char *valor;      /* a scalar there, or, without caminho, anywhere: its text */
};

/* Texts live during the call; data NULL for NULL. */
struct arquivo_evento {
    int64_t id, entrega_id, criado_us, ocorrido_us;
    struct pg_text chave, objeto, campo, entidade, conteudo;
};

struct arquivo_query {
    void (*entrega)(struct arquivo_query *q, const struct entrega *row);
    void (*evento)(struct arquivo_query *q, const struct arquivo_evento *row);
    /* A delivery that was marked, or looked at: its state before; data NULL: there is none. */
    void (*marked)(struct arquivo_query *q, int64_t id, int64_t recebida_us, struct pg_text estado);
    /* Last; DEADLINE: it took longer than the connection's statement_timeout. */
    void (*done)(struct arquivo_query *q, enum status st);
    enum status st; /* from here store's own */
};

/* Each is a transaction of its own and syncs. q is kept until done ran; the filter is not. */

/* One delivery when id is not 0, else a page. Calls entrega. */
enum status store_arquivo_entregas(struct pg *pg, int64_t id, const struct arquivo_filter *f,
                                   struct arquivo_query *q);
/* The same for events, by field when valor is there. Calls evento. */
enum status store_arquivo_eventos(struct pg *pg, int64_t id, const struct arquivo_filter *f,
                                  struct arquivo_query *q);

/* Sends again, if it is not pending: n ids, n <= ARQUIVO_STEP. Calls marked for each. */
enum { ARQUIVO_STEP = 500 };
enum status store_arquivo_reenviar(struct pg *pg, const int64_t *ids, size_t n,
                                   struct arquivo_query *q);
/* The next f->limite of the filter's deliveries, oldest first, behind (depois_us, depois_id), which
 * is not looked at while depois_id is 0. Calls marked for each; fewer than f->limite: the end. */
enum status store_arquivo_reenviar_filtro(struct pg *pg, const struct arquivo_filter *f,
                                          int64_t depois_us, int64_t depois_id,
                                          struct arquivo_query *q);

struct arquivo_numbers {
    void (*done)(struct arquivo_numbers *c, enum status st);
    int64_t pendentes, processadas, mortas; /* store_arquivo_states */
    int64_t atraso;                         /* store_arquivo_lag */
};
/* What became of n deliveries. */
enum status store_arquivo_states(struct pg *pg, const int64_t *ids, size_t n,
                                 struct arquivo_numbers *c);
/* At most so many events are not in the search index yet; of more than ARQUIVO_DIRECT a search
 * reads only the newest. */
enum { ARQUIVO_DIRECT = 20000 };
enum status store_arquivo_lag(struct pg *pg, struct arquivo_numbers *c);

#endif
