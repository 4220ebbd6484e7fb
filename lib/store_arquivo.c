/* store_arquivo: owns the SQL of pages, search and replay; what they cost is
 * sql/0008_arquivo.sql's.
 *
 * All statements are unprepared: each is planned for the filters that it has. */
#include "store_arquivo.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "store_values.h"

#define ENTREGA                                                                                    \
    "SELECT id, recebida_em, processada_em, proxima_em, tentativas::bigint,"                       \
    " octet_length(corpo)::bigint, via, estado, motivo, request_id, fila_id FROM "
#define EVENTO                                                                                     \
    "SELECT id, entrega_id, criado_em, ocorrido_em, chave, objeto, campo, entidade,"               \
    " conteudo::text FROM "

static const struct pg_statement one_entrega = {
    .name = "", .sql = ENTREGA "entregas WHERE id = $1", .n_params = 1, .types = {PG_INT8}};
static const struct pg_statement page_of_entregas = {
    .name = "",
    .sql = ENTREGA "entregas_pagina($1, $2, $3, $4, $5, $6, $7)",
    .n_params = 7,
    .types = {PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_TIMESTAMPTZ, PG_INT8, PG_INT8}};
static const struct pg_statement one_evento = {
    .name = "", .sql = EVENTO "eventos WHERE id = $1", .n_params = 1, .types = {PG_INT8}};
static const struct pg_statement page_of_eventos = {
    .name = "",
    .sql = EVENTO "eventos_pagina($1, $2, $3, $4, $5, $6)",
    .n_params = 6,
    .types = {PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8, PG_INT8}};
static const struct pg_statement search = {
    .name = "",
    .sql = EVENTO "eventos_buscar(string_to_array($1, '.'), $2, $3, $4, $5, $6, $7)",
    .n_params = 7,
    .types = {PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8, PG_INT8}};

static const struct pg_statement again = {
    .name = "",
    .sql = "SELECT id, recebida_em, estado FROM entregas_reenviar_ids($1)",
    .n_params = 1,
    .types = {PG_INT8_ARRAY}};
static const struct pg_statement again_filter = {
    .name = "",
    .sql = "SELECT id, recebida_em, $1 FROM entregas_reenviar($1, $2, $3, $4, $5, $6, $7, $8)"
           " ORDER BY recebida_em, id",
    .n_params = 8,
    .types = {PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_INT8,
              PG_INT8}};
static const struct pg_statement states = {
    .name = "",
    .sql = "SELECT count(*) FILTER (WHERE estado = 'pendente'),"
           " count(*) FILTER (WHERE estado = 'processada'),"
           " count(*) FILTER (WHERE estado = 'morta') FROM entregas WHERE id = ANY ($1)",
    .n_params = 1,
    .types = {PG_INT8_ARRAY}};
static const struct pg_statement lag = {.name = "", .sql = "SELECT eventos_atraso()"};

/* ---- values ---- */

/* From, to, and where the page begins. */
static void add_page(struct store_values *v, const struct arquivo_filter *f)
{
    store_value_time(v, f->antes_us);
    store_value_id(v, f->antes_id);
    store_value_int(v, f->limite);
}

/* ---- answers ---- */

static void on_entregas(void *ctx, enum status st, const PGresult *res)
{
    struct arquivo_query *q = ctx;
    q->st = st;
    for (int i = 0; st == STATUS_OK && i < PQntuples(res); i++) {
        struct entrega row = store_entregas_at(res, i, 0);
        q->entrega(q, &row);
    }
}

static void on_eventos(void *ctx, enum status st, const PGresult *res)
{
    struct arquivo_query *q = ctx;
    q->st = st;
    for (int i = 0; st == STATUS_OK && i < PQntuples(res); i++)
        q->evento(q, &(struct arquivo_evento){.id = pg_get_int8(res, i, 0),
                                              .entrega_id = pg_get_int8(res, i, 1),
                                              .criado_us = store_time_at(res, i, 2),
                                              .ocorrido_us = store_time_at(res, i, 3),
                                              .chave = store_text_at(res, i, 4),
                                              .objeto = store_text_at(res, i, 5),
                                              .campo = store_text_at(res, i, 6),
                                              .entidade = store_text_at(res, i, 7),
                                              .conteudo = store_text_at(res, i, 8)});
}

static void on_marked(void *ctx, enum status st, const PGresult *res)
{
    struct arquivo_query *q = ctx;
    q->st = st;
    for (int i = 0; st == STATUS_OK && i < PQntuples(res); i++)
        q->marked(q, pg_get_int8(res, i, 0), pg_get_time(res, i, 1), store_text_at(res, i, 2));
}

static void on_end(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    struct arquivo_query *q = ctx;
    q->done(q, q->st == STATUS_OK ? st : q->st);
}

static enum status send(struct pg *pg, const struct pg_statement *s, const struct pg_values *v,
                        pg_fn fn, struct arquivo_query *q)
{
    enum status st = pg_query(pg, s, v, fn, q);
    return st == STATUS_OK ? pg_sync(pg, on_end, q) : st;
}

/* ---- pages ---- */

enum status store_arquivo_entregas(struct pg *pg, int64_t id, const struct arquivo_filter *f,
                                   struct arquivo_query *q)
{
    struct store_values v = {0};
    if (id) {
        store_value_int(&v, id);
        return send(pg, &one_entrega, &v.v, on_entregas, q);
    }
    store_value_text(&v, f->estado);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_text(&v, f->motivo);
    add_page(&v, f);
    return send(pg, &page_of_entregas, &v.v, on_entregas, q);
}

static enum status send_search(struct pg *pg, const struct arquivo_filter *f,
                               struct arquivo_query *q)
{
    struct store_values v = {0};
    store_value_text(&v, f->caminho);
    store_value_text(&v, f->valor);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    add_page(&v, f);
    return send(pg, &search, &v.v, on_eventos, q);
}

enum status store_arquivo_eventos(struct pg *pg, int64_t id, const struct arquivo_filter *f,
                                  struct arquivo_query *q)
{
    struct store_values v = {0};
    if (id) {
        store_value_int(&v, id);
        return send(pg, &one_evento, &v.v, on_eventos, q);
    }
    if (f->valor)
        return send_search(pg, f, q);
    store_value_id(&v, f->entrega_id);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    add_page(&v, f);
    return send(pg, &page_of_eventos, &v.v, on_eventos, q);
}

/* ---- again ---- */

/* At most ARQUIVO_STEP ids: 12 bytes each, and the array's head. */
static struct buf ids_array(const int64_t *ids, size_t n)
{
    struct buf b = buf_init(16384);
    pg_array_begin(&b, PG_INT8, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_int8(&b, ids[i]);
    return b;
}
_Static_assert(ARQUIVO_STEP * 12 + 20 <= 16384, "the buffer above");

enum status store_arquivo_reenviar(struct pg *pg, const int64_t *ids, size_t n,
                                   struct arquivo_query *q)
{
    struct pg_values v = {0};
    struct buf b = ids_array(ids, n);
    pg_array(&v, b.data, b.len);
    enum status st = buf_failed(&b) ? STATUS_OVERLOADED : send(pg, &again, &v, on_marked, q);
    buf_release(&b);
    return st;
}

enum status store_arquivo_reenviar_filtro(struct pg *pg, const struct arquivo_filter *f,
                                          int64_t depois_us, int64_t depois_id,
                                          struct arquivo_query *q)
{
    struct store_values v = {0};
    store_value_text(&v, f->estado);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_text(&v, f->motivo);
    store_value_text(&v, f->formulario);
    store_value_time(&v, depois_id ? depois_us : STORE_NO_TIME);
    store_value_id(&v, depois_id);
    store_value_int(&v, f->limite);
    return send(pg, &again_filter, &v.v, on_marked, q);
}

/* ---- numbers ---- */

static void on_states(void *ctx, enum status st, const PGresult *res)
{
    struct arquivo_numbers *c = ctx;
    if (st == STATUS_OK && PQntuples(res) == 1) {
        c->pendentes = pg_get_int8(res, 0, 0);
        c->processadas = pg_get_int8(res, 0, 1);
        c->mortas = pg_get_int8(res, 0, 2);
    }
    c->done(c, st);
}

enum status store_arquivo_states(struct pg *pg, const int64_t *ids, size_t n,
                                 struct arquivo_numbers *c)
{
    struct pg_values v = {0};
    struct buf b = ids_array(ids, n);
    pg_array(&v, b.data, b.len);
    enum status st = buf_failed(&b) ? STATUS_OVERLOADED : pg_query(pg, &states, &v, on_states, c);
    buf_release(&b);
    return st;
}

static void on_lag(void *ctx, enum status st, const PGresult *res)
{
    struct arquivo_numbers *c = ctx;
    if (st == STATUS_OK && PQntuples(res) == 1)
        c->atraso = pg_get_int8(res, 0, 0);
    c->done(c, st);
}

enum status store_arquivo_lag(struct pg *pg, struct arquivo_numbers *c)
{
    return pg_query(pg, &lag, &(struct pg_values){0}, on_lag, c);
}
