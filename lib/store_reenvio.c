/* store_reenvio: owns the statements and what the word of their outcome means. Unprepared: rare. */
#include "store_reenvio.h"

#include <string.h>

#define JOB                                                                                        \
    "SELECT situacao, id, estado, filtro_estado, filtro_motivo, filtro_formulario, filtro_desde,"  \
    " filtro_ate, maximo, marcadas, processadas, mortas, por_fazer, criado_em, criado_por,"        \
    " terminado_em, erro FROM "

static const struct pg_statement one = {
    .name = "",
    .sql = "SELECT situacao, (entrega).id, (entrega).recebida_em, (entrega).processada_em,"
           " (entrega).proxima_em, (entrega).tentativas::bigint,"
           " octet_length((entrega).corpo)::bigint, (entrega).via, (entrega).estado,"
           " (entrega).motivo, (entrega).request_id, (entrega).fila_id"
           " FROM entrega_reenviar(" AUDITORIA_QUEM ", $2, $5)",
    .n_params = 5,
    .types = {AUDITORIA_TYPES, PG_INT8}};
static const struct pg_statement create = {
    .name = "",
    .sql = JOB "reenvio_criar(" AUDITORIA_QUEM ", $2, $5, $6, $7, $8, $9, $10)",
    .n_params = 10,
    .types = {AUDITORIA_TYPES, PG_TEXT, PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8}};
static const struct pg_statement cancel = {.name = "",
                                           .sql =
                                               JOB "reenvio_cancelar(" AUDITORIA_QUEM ", $2, $5)",
                                           .n_params = 5,
                                           .types = {AUDITORIA_TYPES, PG_INT8}};
static const struct pg_statement page = {.name = "",
                                         .sql = JOB "reenvios_pagina($1, $2, $3)",
                                         .n_params = 3,
                                         .types = {PG_INT8, PG_INT8, PG_INT8}};
static const struct pg_statement count = {
    .name = "",
    .sql = "SELECT entregas_contar($1, $2, $3, $4, $5, $6)",
    .n_params = 6,
    .types = {PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT, PG_INT8}};

static enum reenvio_outcome outcome_of(struct pg_text text)
{
    static const char *const words[] = {"ok", "ator", "ausente", "pendente", "demais", "terminado"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        if (text.len == strlen(words[i]) && memcmp(text.data, words[i], text.len) == 0)
            return (enum reenvio_outcome)i;
    return REENVIO_ACTOR;
}

static struct reenvio job_of(const PGresult *res, int i)
{
    return (struct reenvio){.id = pg_get_int8(res, i, 1),
                            .estado = store_text_at(res, i, 2),
                            .filtro_estado = store_text_at(res, i, 3),
                            .motivo = store_text_at(res, i, 4),
                            .formulario = store_text_at(res, i, 5),
                            .desde_us = store_time_at(res, i, 6),
                            .ate_us = store_time_at(res, i, 7),
                            .maximo = pg_get_int8(res, i, 8),
                            .marcadas = pg_get_int8(res, i, 9),
                            .processadas = pg_get_int8(res, i, 10),
                            .mortas = pg_get_int8(res, i, 11),
                            .por_fazer = pg_get_int8(res, i, 12),
                            .criado_us = store_time_at(res, i, 13),
                            .criado_por = store_text_at(res, i, 14),
                            .terminado_us = store_time_at(res, i, 15),
                            .erro = store_text_at(res, i, 16)};
}

/* The rows are handed on before the commit: the owner renders them and answers at `done`. */
static void on_jobs(void *ctx, enum status st, const PGresult *res)
{
    struct reenvio_call *c = ctx;
    c->st = st;
    c->outcome = REENVIO_OK;
    for (int i = 0; st == STATUS_OK && i < PQntuples(res); i++) {
        c->outcome = outcome_of(pg_get_text(res, i, 0));
        struct reenvio row = {0};
        if (c->outcome == REENVIO_OK) {
            row = job_of(res, i);
            c->job(c, &row);
        }
    }
}

static void on_one(void *ctx, enum status st, const PGresult *res)
{
    struct reenvio_call *c = ctx;
    c->st = st == STATUS_OK && PQntuples(res) != 1 ? STATUS_INTERNAL : st;
    if (c->st != STATUS_OK)
        return;
    c->outcome = outcome_of(pg_get_text(res, 0, 0));
    if (c->outcome == REENVIO_OK) {
        struct entrega row = store_entregas_at(res, 0, 1);
        c->entrega(c, &row);
    }
}

static void on_count(void *ctx, enum status st, const PGresult *res)
{
    struct reenvio_call *c = ctx;
    c->st = st;
    c->outcome = REENVIO_OK;
    c->found = st == STATUS_OK && PQntuples(res) == 1 ? pg_get_int8(res, 0, 0) : 0;
}

static void on_end(void *ctx, enum status st, const PGresult *res)
{
    struct reenvio_call *c = ctx;
    (void)res;
    c->done(c, c->st == STATUS_OK ? st : c->st, c->outcome);
}

static enum status send(struct pg *pg, const struct pg_statement *s, const struct store_values *v,
                        pg_fn fn, struct reenvio_call *c)
{
    enum status st = pg_query(pg, s, &v->v, fn, c);
    return st == STATUS_OK ? pg_sync(pg, on_end, c) : st;
}

enum status store_reenvio_one(struct pg *pg, const struct auditoria_quem *who, int64_t id,
                              struct reenvio_call *c)
{
    struct store_values v = {0};
    store_auditoria_add(&v, who);
    store_value_int(&v, id);
    return send(pg, &one, &v, on_one, c);
}

enum status store_reenvio_create(struct pg *pg, const struct auditoria_quem *who,
                                 const struct arquivo_filter *f, struct reenvio_call *c)
{
    struct store_values v = {0};
    store_auditoria_add(&v, who);
    store_value_text(&v, f->estado);
    store_value_text(&v, f->motivo);
    store_value_text(&v, f->formulario);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_int(&v, f->limite);
    return send(pg, &create, &v, on_jobs, c);
}

enum status store_reenvio_cancel(struct pg *pg, const struct auditoria_quem *who, int64_t id,
                                 struct reenvio_call *c)
{
    struct store_values v = {0};
    store_auditoria_add(&v, who);
    store_value_int(&v, id);
    return send(pg, &cancel, &v, on_jobs, c);
}

enum status store_reenvio_page(struct pg *pg, int64_t id, int64_t before, int64_t limit,
                               struct reenvio_call *c)
{
    struct store_values v = {0};
    store_value_id(&v, id);
    store_value_id(&v, before);
    store_value_int(&v, limit);
    return send(pg, &page, &v, on_jobs, c);
}

enum status store_reenvio_count(struct pg *pg, const struct arquivo_filter *f,
                                struct reenvio_call *c)
{
    struct store_values v = {0};
    store_value_text(&v, f->estado);
    store_value_time(&v, f->desde_us);
    store_value_time(&v, f->ate_us);
    store_value_text(&v, f->motivo);
    store_value_text(&v, f->formulario);
    store_value_int(&v, f->limite + 1);
    return send(pg, &count, &v, on_count, c);
}
