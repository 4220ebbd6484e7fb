/* store_entregas: owns the SQL of reading deliveries and the decoding of its rows. */
#include "store_entregas.h"

#include "store_values.h"

#define COLUMNS                                                                                    \
    "SELECT e.id, e.recebida_em, e.processada_em,"                                                 \
    " CASE WHEN e.estado = 'pendente' THEN e.proxima_em END, e.tentativas::bigint,"                \
    " octet_length(e.corpo)::bigint, e.via, e.estado, e.motivo, e.request_id, e.fila_id"
enum { N_COLUMNS = 11 };

static const struct pg_statement page = {
    .name = "",
    .sql = COLUMNS " FROM entregas_pagina($1, $2, $3, $4, $5, $6, $7) e"
                   " ORDER BY e.recebida_em DESC, e.id DESC",
    .n_params = 7,
    .types = {PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_TIMESTAMPTZ, PG_INT8, PG_INT8}};

static const struct pg_statement search = {
    .name = "",
    .sql = COLUMNS ", p.ate_em, p.ate_id FROM entregas_procurar($1, $2, $3, $4, $5, $6,"
                   " string_to_array($7, '.'), $8, $9, $10, $11) p"
                   " LEFT JOIN LATERAL (SELECT * FROM entregas WHERE id = p.id OFFSET 0) e ON true"
                   " ORDER BY p.ordem",
    .n_params = 11,
    .types = {PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT,
              PG_TIMESTAMPTZ, PG_INT8, PG_INT8}};

static const struct pg_statement one = {.name = "",
                                        .sql = COLUMNS
                                        ", e.assinatura, e.agente, e.traceparent, e.corpo"
                                        " FROM entregas e WHERE e.id = $1",
                                        .n_params = 1,
                                        .types = {PG_INT8}};

bool store_entregas_searches(const struct entregas_filter *f)
{
    return f->formulario || f->request_id || f->valor;
}

/* ---- answers ---- */

struct entrega store_entregas_at(const PGresult *res, int row, int column)
{
    return (struct entrega){.id = pg_get_int8(res, row, column),
                            .recebida_us = store_time_at(res, row, column + 1),
                            .processada_us = store_time_at(res, row, column + 2),
                            .proxima_us = store_time_at(res, row, column + 3),
                            .tentativas = store_int_at(res, row, column + 4),
                            .bytes = store_int_at(res, row, column + 5),
                            .via = store_text_at(res, row, column + 6),
                            .estado = store_text_at(res, row, column + 7),
                            .motivo = store_text_at(res, row, column + 8),
                            .request_id = store_text_at(res, row, column + 9),
                            .fila_id = store_text_at(res, row, column + 10)};
}

static void on_rows(void *ctx, enum status st, const PGresult *res)
{
    struct entregas_ticket *t = ctx;
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    for (int i = 0; i < n; i++) {
        struct entrega e = store_entregas_at(res, i, 0);
        if (PQnfields(res) == N_COLUMNS + 4) {
            e.assinatura = store_text_at(res, i, N_COLUMNS);
            e.agente = store_text_at(res, i, N_COLUMNS + 1);
            e.traceparent = store_text_at(res, i, N_COLUMNS + 2);
            e.corpo = store_text_at(res, i, N_COLUMNS + 3);
        }
        t->row(t, &e);
    }
    t->done(t, st, (size_t)n);
}

/* A row without an id is a place; one whose delivery went meanwhile has neither. */
static void on_found(void *ctx, enum status st, const PGresult *res)
{
    struct entregas_ticket *t = ctx;
    size_t found = 0;
    for (int i = 0, n = st == STATUS_OK ? PQntuples(res) : 0; i < n; i++) {
        if (!PQgetisnull(res, i, 0)) {
            struct entrega e = store_entregas_at(res, i, 0);
            t->row(t, &e);
            found++;
        } else if (i == n - 1) {
            t->more(t, store_time_at(res, i, N_COLUMNS), store_int_at(res, i, N_COLUMNS + 1));
        }
    }
    t->done(t, st, found);
}

/* ---- questions ---- */

enum status store_entregas_page(struct pg *pg, const struct entregas_filter *f,
                                struct entregas_ticket *t)
{
    struct store_values v = {0};
    store_value_text(&v, f->estado);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_text(&v, f->motivo);
    if (!store_entregas_searches(f)) {
        store_value_page(&v, f->antes_us, f->antes_id, f->limite);
        return pg_query(pg, &page, &v.v, on_rows, t);
    }
    store_value_text(&v, f->formulario);
    store_value_text(&v, f->request_id);
    store_value_text(&v, f->caminho);
    store_value_text(&v, f->valor);
    store_value_page(&v, f->antes_us, f->antes_id, f->limite);
    return pg_query(pg, &search, &v.v, on_found, t);
}

enum status store_entregas_one(struct pg *pg, int64_t id, struct entregas_ticket *t)
{
    struct store_values v = {0};
    store_value_int(&v, id);
    return pg_query(pg, &one, &v.v, on_rows, t);
}
