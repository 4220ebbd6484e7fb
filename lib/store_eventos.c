/* store_eventos: owns the SQL of reading events and the decoding of its rows. */
#include "store_eventos.h"

#include "store_values.h"

#define COLUMNS                                                                                    \
    "SELECT e.id, e.entrega_id, e.criado_em, e.ocorrido_em, e.chave, e.objeto, e.campo,"           \
    " e.entidade, e.assunto, e.estado, e.contato"
/* The stored size first, which costs nothing to know: a text is made of few that are too large. */
#define SHORT(max)                                                                                 \
    ", CASE WHEN octet_length(c.texto) <= " #max " THEN c.texto END,"                              \
    " (e.conteudo IS NOT NULL)::int::bigint FROM "
#define CONTENT                                                                                    \
    " e CROSS JOIN LATERAL (SELECT CASE WHEN pg_column_size(e.conteudo) <= 8192"                   \
    " THEN e.conteudo::text END AS texto OFFSET 0) c"
#define NEWEST " ORDER BY e.criado_em DESC, e.id DESC"

static const struct pg_statement page = {
    .name = "",
    .sql = COLUMNS SHORT(16384) "eventos_pagina($1, $2, $3, $4, $5, $6)" CONTENT NEWEST,
    .n_params = 6,
    .types = {PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8, PG_INT8}};
_Static_assert(EVENTOS_CONTENT_MAX == 16384, "the statements here");

static const struct pg_statement search = {
    .name = "",
    .sql = COLUMNS SHORT(
        16384) "eventos_buscar(string_to_array($1, '.'), $2, $3, $4, $5, $6, $7)" CONTENT NEWEST,
    .n_params = 7,
    .types = {PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8, PG_INT8}};

/* A delivery has 10,000 events at most: they are looked at, one by one. */
static const struct pg_statement search_in_one = {
    .name = "",
    .sql = COLUMNS SHORT(
        16384) "(SELECT * FROM eventos v WHERE v.entrega_id = $8 AND v.criado_em >= coalesce($3,"
               " '-infinity') AND v.criado_em < coalesce($4, 'infinity')"
               " AND (v.criado_em, v.id) < (coalesce($5, 'infinity'), coalesce($6, "
               "9223372036854775807))"
               " AND eventos_contem(v.conteudo, eventos_caminho(string_to_array($1, '.')), $2)"
               " ORDER BY v.criado_em DESC, v.id DESC LIMIT $7)" CONTENT NEWEST,
    .n_params = 8,
    .types = {PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8, PG_INT8,
              PG_INT8}};

static const struct pg_statement lag = {.name = "", .sql = "SELECT eventos_atraso()"};

static const struct pg_statement one = {.name = "",
                                        .sql = COLUMNS ", e.conteudo::text, 0::bigint"
                                                       " FROM eventos e WHERE e.id = $1",
                                        .n_params = 1,
                                        .types = {PG_INT8}};

static const struct pg_statement of_lead = {
    .name = "",
    .sql = COLUMNS ", NULL::text, 0::bigint FROM eventos e WHERE e.chave = 'leadgen:' || $1",
    .n_params = 1,
    .types = {PG_TEXT}};

static const struct pg_statement of_entrega = {
    .name = "",
    .sql = COLUMNS ", NULL::text, 0::bigint FROM eventos e WHERE e.entrega_id = $1"
                   " ORDER BY e.id LIMIT $2",
    .n_params = 2,
    .types = {PG_INT8, PG_INT8}};

/* ---- answers ---- */

static struct evento row_of(const PGresult *res, int i)
{
    struct evento e = {.id = pg_get_int8(res, i, 0),
                       .entrega_id = pg_get_int8(res, i, 1),
                       .criado_us = store_time_at(res, i, 2),
                       .ocorrido_us = store_time_at(res, i, 3),
                       .chave = store_text_at(res, i, 4),
                       .objeto = store_text_at(res, i, 5),
                       .campo = store_text_at(res, i, 6),
                       .entidade = store_text_at(res, i, 7),
                       .assunto = store_text_at(res, i, 8),
                       .estado = store_text_at(res, i, 9),
                       .contato = store_text_at(res, i, 10),
                       .conteudo = store_text_at(res, i, 11)};
    e.omitido = !e.conteudo.data && pg_get_int8(res, i, 12) == 1;
    return e;
}

static void on_rows(void *ctx, enum status st, const PGresult *res)
{
    struct eventos_ticket *t = ctx;
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    for (int i = 0; i < n; i++) {
        struct evento e = row_of(res, i);
        t->row(t, &e);
    }
    t->done(t, st, (size_t)n);
}

/* Stands before its search, in the same transaction. */
static void on_lag(void *ctx, enum status st, const PGresult *res)
{
    struct eventos_ticket *t = ctx;
    t->atraso = st == STATUS_OK && PQntuples(res) == 1 ? pg_get_int8(res, 0, 0) : 0;
    if (t->alone)
        t->done(t, STATUS_DATABASE_AWAY, 0);
}

/* ---- questions ---- */

static enum status send_search(struct pg *pg, const struct eventos_filter *f,
                               struct eventos_ticket *t)
{
    struct store_values v = {0};
    store_value_text(&v, f->caminho);
    store_value_text(&v, f->valor);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_page(&v, f->antes_us, f->antes_id, f->limite);
    if (f->entrega_id) {
        store_value_int(&v, f->entrega_id);
        return pg_query(pg, &search_in_one, &v.v, on_rows, t);
    }
    enum status st = pg_query(pg, &lag, &(struct pg_values){0}, on_lag, t);
    if (st == STATUS_OK) /* its answer comes in any case, and finds the owner only before done */
        t->alone = pg_query(pg, &search, &v.v, on_rows, t) != STATUS_OK;
    return st;
}

enum status store_eventos_page(struct pg *pg, const struct eventos_filter *f,
                               struct eventos_ticket *t)
{
    struct store_values v = {0};
    t->atraso = 0;
    t->alone = false;
    if (f->valor)
        return send_search(pg, f, t);
    store_value_id(&v, f->entrega_id);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_page(&v, f->antes_us, f->antes_id, f->limite);
    return pg_query(pg, &page, &v.v, on_rows, t);
}

enum status store_eventos_one(struct pg *pg, int64_t id, struct eventos_ticket *t)
{
    struct store_values v = {0};
    store_value_int(&v, id);
    return pg_query(pg, &one, &v.v, on_rows, t);
}

enum status store_eventos_of_lead(struct pg *pg, const char *leadgen_id, struct eventos_ticket *t)
{
    struct store_values v = {0};
    store_value_text(&v, leadgen_id);
    return pg_query(pg, &of_lead, &v.v, on_rows, t);
}

enum status store_eventos_of_entrega(struct pg *pg, int64_t entrega_id, int64_t limite,
                                     struct eventos_ticket *t)
{
    struct store_values v = {0};
    store_value_int(&v, entrega_id);
    store_value_int(&v, limite);
    return pg_query(pg, &of_entrega, &v.v, on_rows, t);
}
