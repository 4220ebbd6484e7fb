/* store_historico: owns the SQL of reading `entregas_historico`. */
#include "store_historico.h"

#include "store_values.h"

static const struct pg_statement of = {
    .name = "",
    .sql = "SELECT em, acao, resultado, motivo, por FROM (SELECT * FROM entregas_historico"
           " WHERE entrega_id = $1 ORDER BY id DESC LIMIT $2) h ORDER BY id",
    .n_params = 2,
    .types = {PG_INT8, PG_INT8}};

static void on_rows(void *ctx, enum status st, const PGresult *res)
{
    struct historico_ticket *t = ctx;
    for (int i = 0, n = st == STATUS_OK ? PQntuples(res) : 0; i < n; i++) {
        struct historico h = {.em_us = store_time_at(res, i, 0),
                              .acao = store_text_at(res, i, 1),
                              .resultado = store_text_at(res, i, 2),
                              .motivo = store_text_at(res, i, 3),
                              .por = store_text_at(res, i, 4)};
        t->row(t, &h);
    }
    t->done(t, st);
}

enum status store_historico_of(struct pg *pg, int64_t entrega_id, int64_t limit,
                               struct historico_ticket *t)
{
    struct store_values v = {0};
    store_value_int(&v, entrega_id);
    store_value_int(&v, limit);
    return pg_query(pg, &of, &v.v, on_rows, t);
}
