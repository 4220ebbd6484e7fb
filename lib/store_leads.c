/* store_leads: owns the SQL of reading leads and the decoding of its rows. */
#include "store_leads.h"

#include "store_values.h"

#define COLUMNS                                                                                    \
    "leadgen_id, pagina_id, formulario_id, anuncio_id, conjunto_id, estado, nome, email,"          \
    " telefone, criado_em, recebido_em, entrega_id"
#define FILTER PG_TEXT, PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT
#define PAGE                                                                                       \
    " FROM leads_pagina($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"                                  \
    " ORDER BY criado_em DESC, leadgen_id DESC"

static const struct pg_statement page = {.name = "",
                                         .sql = "SELECT " COLUMNS PAGE,
                                         .n_params = 10,
                                         .types = {FILTER, PG_TIMESTAMPTZ, PG_TEXT, PG_INT8}};
static const struct pg_statement page_with_fields = {
    .name = "",
    .sql = "SELECT " COLUMNS ", campos::text" PAGE,
    .n_params = 10,
    .types = {FILTER, PG_TIMESTAMPTZ, PG_TEXT, PG_INT8}};
static const struct pg_statement one = {
    .name = "",
    .sql = "SELECT " COLUMNS ", campos::text, tentativas::bigint, consultado_em,"
           " CASE WHEN estado = 'pendente' THEN proxima_em END, ultimo_erro"
           " FROM leads WHERE leadgen_id = $1",
    .n_params = 1,
    .types = {PG_TEXT}};
static const struct pg_statement estimate = {.name = "",
                                             .sql =
                                                 "SELECT leads_estimar($1, $2, $3, $4, $5, $6, $7)",
                                             .n_params = 7,
                                             .types = {FILTER}};

static struct lead row_of(const PGresult *res, int i)
{
    int n = PQnfields(res);
    struct lead l = {.leadgen_id = store_text_at(res, i, 0),
                     .pagina_id = store_text_at(res, i, 1),
                     .formulario_id = store_text_at(res, i, 2),
                     .anuncio_id = store_text_at(res, i, 3),
                     .conjunto_id = store_text_at(res, i, 4),
                     .estado = store_text_at(res, i, 5),
                     .nome = store_text_at(res, i, 6),
                     .email = store_text_at(res, i, 7),
                     .telefone = store_text_at(res, i, 8),
                     .criado_us = store_time_at(res, i, 9),
                     .recebido_us = store_time_at(res, i, 10),
                     .entrega_id = store_int_at(res, i, 11),
                     .consultado_us = STORE_NO_TIME,
                     .proxima_us = STORE_NO_TIME};
    if (n > 12)
        l.campos = store_text_at(res, i, 12);
    if (n > 13) {
        l.tentativas = store_int_at(res, i, 13);
        l.consultado_us = store_time_at(res, i, 14);
        l.proxima_us = store_time_at(res, i, 15);
        l.ultimo_erro = store_text_at(res, i, 16);
    }
    return l;
}

static void on_rows(void *ctx, enum status st, const PGresult *res)
{
    struct leads_ticket *t = ctx;
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    for (int i = 0; i < n; i++) {
        struct lead l = row_of(res, i);
        t->row(t, &l);
    }
    t->done(t, st, (size_t)n);
}

static void add_filter(struct store_values *v, const struct leads_filter *f)
{
    store_value_text(v, f->pagina);
    store_value_text(v, f->formulario);
    store_value_text(v, f->estado);
    store_value_time(v, f->desde_us);
    store_value_time(v, f->ate_us);
    store_value_text(v, f->busca);
    store_value_text(v, f->id);
}

enum status store_leads_page(struct pg *pg, const struct leads_filter *f, bool campos,
                             struct leads_ticket *t)
{
    struct store_values v = {0};
    add_filter(&v, f);
    store_value_time(&v, f->antes_id ? f->antes_us : STORE_NO_TIME);
    store_value_text(&v, f->antes_id);
    store_value_int(&v, f->limite);
    return pg_query(pg, campos ? &page_with_fields : &page, &v.v, on_rows, t);
}

enum status store_leads_one(struct pg *pg, const char *leadgen_id, struct leads_ticket *t)
{
    struct store_values v = {0};
    store_value_text(&v, leadgen_id);
    return pg_query(pg, &one, &v.v, on_rows, t);
}

static void on_estimate(void *ctx, enum status st, const PGresult *res)
{
    struct leads_estimate *t = ctx;
    t->done(t, st, st == STATUS_OK && PQntuples(res) == 1 ? pg_get_int8(res, 0, 0) : 0);
}

enum status store_leads_estimate(struct pg *pg, const struct leads_filter *f,
                                 struct leads_estimate *t)
{
    struct store_values v = {0};
    add_filter(&v, f);
    return pg_query(pg, &estimate, &v.v, on_estimate, t);
}
