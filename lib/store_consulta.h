/* store_consulta: all SQL text of looking leads up: who asks for which lead, and what came of it.
 *
 * A lead is claimed by moving its proxima_em into the future, a lease: whoever holds it asks, with
 * no transaction open. The time itself is the ticket: an outcome that comes after the lease was
 * taken over by someone else changes nothing, unless it is the lead's answer, which is as good. */
#ifndef ALICERCE_STORE_CONSULTA_H
#define ALICERCE_STORE_CONSULTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store.h"

enum {
    CONSULTA_SEEN_MAX = 200 /* due leads that one claim looks at while a page rests */
};

/* A page that rests. */
struct consulta_rest {
    struct pg_text pagina_id;
    int64_t ms; /* from now */
};

struct consulta_lead {
    struct pg_text leadgen_id;
    struct pg_text pagina_id; /* data NULL for none */
    int64_t tentativas;       /* that failed so far */
    int64_t lease_us;         /* the ticket: microseconds since 1970, by PostgreSQL's clock */
};

struct consulta_claim {
    /* For each claimed lead; it lives during the call. They are ours only after done. */
    void (*lead)(struct consulta_claim *c, const struct consulta_lead *l);
    /* After the commit. STATUS_OK: n leads were claimed, and `moved` more were found whose page
     * rests: their turn is when it has rested. Anything else: none is ours. */
    void (*done)(struct consulta_claim *c, enum status st, size_t n, size_t moved);
    size_t n, moved; /* from here store's own */
    unsigned open;
    enum status st;
};
/* Claims at most `most` leads for lease_ms, none of a page that rests. Syncs. */
enum status store_consulta_claim(struct pg *pg, size_t most, int64_t lease_ms,
                                 const struct consulta_rest *rests, size_t n_rests,
                                 struct consulta_claim *c);

/* The answer for a lead, for its row. */
struct consulta_answer {
    bool teste;                                            /* made by Meta's testing tool */
    struct pg_text nome, email, telefone;                  /* data NULL for none, as below */
    struct pg_text campos;                                 /* JSON that jsonb takes */
    struct pg_text formulario_id, anuncio_id, conjunto_id; /* kept where the row has none */
};
/* The lead is done. Syncs; the outcome is t's. */
enum status store_consulta_complete(struct store_tx *t, struct pg *pg, struct pg_text leadgen_id,
                                    const struct consulta_answer *a);

struct consulta_failure {
    bool final;         /* 'falhou': never again by itself */
    bool counts;        /* one attempt more */
    bool answered;      /* the Graph API said something */
    int64_t wait_ms;    /* until its next turn */
    const char *motivo; /* valid UTF-8; NULL: the last one stays */
};
/* The lead is as before but for the failure, if the lease is still ours. Syncs. */
enum status store_consulta_fail(struct store_tx *t, struct pg *pg, struct pg_text leadgen_id,
                                int64_t lease_us, const struct consulta_failure *f);

#endif
