/* store_auditoria: owns the list of actions and the SQL of the audit log. */
#include "store_auditoria.h"

#include <string.h>

#include "store.h"

static const char *const names[AUDITORIA_COUNT] = {
#define X(name, text) [AUDITORIA_##name] = (text),
    AUDITORIA_ACOES(X)
#undef X
};

const char *auditoria_acao_name(enum auditoria_acao acao)
{
    return names[acao];
}

bool auditoria_acao_known(const char *name)
{
    for (unsigned i = 0; i < AUDITORIA_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* $2, the generation, is for statements that ask whether the token still counts. */
static const struct pg_statement note = {.name = "",
                                         .sql = "SELECT auditar(" AUDITORIA_QUEM
                                                ", $5, $6, $7::jsonb)",
                                         .n_params = 7,
                                         .types = {AUDITORIA_TYPES, PG_TEXT, PG_TEXT, PG_TEXT}};

static const struct pg_statement page = {
    .name = "",
    .sql = "SELECT id, em, ator_id, ator, papel, acao, alvo, detalhe::text, request_id, endereco"
           " FROM auditoria_pagina($1, $2, $3, $4, $5, $6, $7, $8)",
    .n_params = 8,
    .types = {PG_INT8, PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8,
              PG_INT8}};

void store_auditoria_add(struct store_values *v, const struct auditoria_quem *quem)
{
    store_value_id(v, quem->id);
    store_value_int(v, quem->desde);
    store_value_text(v, quem->request_id);
    store_value_text(v, *quem->endereco ? quem->endereco : NULL);
}

/* ---- one row ---- */

static void on_noted(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    ((struct auditoria_ticket *)ctx)->st = st;
}

static void on_committed(void *ctx, enum status st, const PGresult *res)
{
    struct auditoria_ticket *t = ctx;
    (void)res;
    t->done(t, t->st == STATUS_OK ? st : t->st);
}

enum status store_auditoria_note(struct pg *pg, const struct auditoria_quem *quem,
                                 enum auditoria_acao acao, const char *alvo, const char *detalhe,
                                 struct auditoria_ticket *t)
{
    struct store_values v = {0};
    store_auditoria_add(&v, quem);
    store_value_text(&v, names[acao]);
    store_value_text(&v, alvo);
    store_value_text(&v, detalhe);
    enum status st = pg_query(pg, &note, &v.v, on_noted, t);
    return st == STATUS_OK ? pg_sync(pg, on_committed, t) : st;
}

/* ---- pages ---- */

static void on_page(void *ctx, enum status st, const PGresult *res)
{
    struct auditoria_page *p = ctx;
    for (int i = 0; st == STATUS_OK && i < PQntuples(res); i++)
        p->registro(p, &(struct auditoria_registro){.id = pg_get_int8(res, i, 0),
                                                    .em_us = pg_get_time(res, i, 1),
                                                    .ator_id = store_int_at(res, i, 2),
                                                    .ator = store_text_at(res, i, 3),
                                                    .papel = store_text_at(res, i, 4),
                                                    .acao = store_text_at(res, i, 5),
                                                    .alvo = store_text_at(res, i, 6),
                                                    .detalhe = store_text_at(res, i, 7),
                                                    .request_id = store_text_at(res, i, 8),
                                                    .endereco = store_text_at(res, i, 9)});
    p->done(p, st);
}

enum status store_auditoria_page(struct pg *pg, const struct auditoria_filter *f,
                                 struct auditoria_page *p)
{
    struct store_values v = {0};
    store_value_id(&v, f->ator_id);
    store_value_text(&v, f->ator);
    store_value_text(&v, f->acao);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_page(&v, f->antes_us, f->antes_id, f->limite);
    return pg_query(pg, &page, &v.v, on_page, p);
}
