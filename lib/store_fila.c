/* store_fila: owns the SQL of fila_controle and of the counts. */
#include "store_fila.h"

#include <string.h>

#include "store.h"

static const struct pg_statement read_pause = {
    .name = "fila_pausa", .sql = "SELECT pausada_em, pausada_por FROM fila_controle"};

static const struct pg_statement pause = {
    .name = "",
    .sql = "SELECT pausada_em, pausada_por, (situacao = 'ok')::int::bigint"
           " FROM fila_pausar(" AUDITORIA_QUEM ", $2, $5)",
    .n_params = 5,
    .types = {AUDITORIA_TYPES, PG_TEXT}};

static const struct pg_statement resume = {
    .name = "",
    .sql = "SELECT pausada_em, pausada_por, (situacao = 'ok')::int::bigint"
           " FROM fila_retomar(" AUDITORIA_QUEM ", $2)",
    .n_params = 4,
    .types = {AUDITORIA_TYPES}};

/* What is pending is counted along its index, in the order in which it is due. */
static const struct pg_statement inspect = {
    .name = "",
    .sql = "SELECT count(*) FILTER (WHERE tentativas = 0), count(*) FILTER (WHERE tentativas > 0),"
           " min(proxima_em) FILTER (WHERE tentativas > 0),"
           " (SELECT count(*) FROM (SELECT FROM entregas WHERE estado = 'morta' LIMIT 10001) m),"
           " (SELECT pausada_em FROM fila_controle), (SELECT pausada_por FROM fila_controle)"
           " FROM (SELECT tentativas, proxima_em FROM entregas WHERE estado = 'pendente'"
           " ORDER BY proxima_em, id LIMIT 10001) p"};
_Static_assert(STORE_FILA_COUNT_MAX == 10000, "the limits above are one more");

const struct pg_statement *const store_fila_statements[] = {&read_pause, NULL};

static void copy_name(char to[static STORE_FILA_NAME_MAX], const PGresult *res, int column)
{
    struct pg_text text = pg_get_text(res, 0, column);
    size_t n = text.len < STORE_FILA_NAME_MAX ? text.len : STORE_FILA_NAME_MAX - 1;
    memcpy(to, text.data, n);
    to[n] = '\0';
}

/* ---- pause ---- */

static void on_pause(void *ctx, enum status st, const PGresult *res)
{
    struct fila_pause *p = ctx;
    p->st = st;
    if (st != STATUS_OK)
        return;
    p->since_us = STORE_NO_TIME;
    p->by[0] = '\0';
    if (PQntuples(res) == 1) {
        p->since_us = store_time_at(res, 0, 0);
        copy_name(p->by, res, 1);
        if (PQnfields(res) == 3 && pg_get_int8(res, 0, 2) != 1)
            p->st = STATUS_UNAUTHORIZED;
    }
}

static void on_pause_end(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    struct fila_pause *p = ctx;
    p->done(p, p->st == STATUS_OK ? st : p->st);
}

static enum status send(struct pg *pg, const struct pg_statement *s, const struct pg_values *v,
                        struct fila_pause *p)
{
    enum status st = pg_query(pg, s, v, on_pause, p);
    return st == STATUS_OK ? pg_sync(pg, on_pause_end, p) : st;
}

enum status store_fila_read(struct pg *pg, struct fila_pause *p)
{
    return send(pg, &read_pause, &(struct pg_values){0}, p);
}

enum status store_fila_pause(struct pg *pg, const struct auditoria_quem *who, const char *by,
                             struct fila_pause *p)
{
    struct store_values v = {0};
    store_auditoria_add(&v, who);
    store_value_text(&v, by);
    return send(pg, &pause, &v.v, p);
}

enum status store_fila_resume(struct pg *pg, const struct auditoria_quem *who, struct fila_pause *p)
{
    struct store_values v = {0};
    store_auditoria_add(&v, who);
    return send(pg, &resume, &v.v, p);
}

/* ---- state ---- */

static void on_inspected(void *ctx, enum status st, const PGresult *res)
{
    struct fila_state *s = ctx;
    if (st == STATUS_OK && PQntuples(res) == 1) {
        s->direct = pg_get_int8(res, 0, 0);
        s->retries = pg_get_int8(res, 0, 1);
        s->next_retry_us = store_time_at(res, 0, 2);
        s->dead = pg_get_int8(res, 0, 3);
        s->paused_us = store_time_at(res, 0, 4);
        copy_name(s->paused_by, res, 5);
    }
    s->done(s, st);
}

enum status store_fila_inspect(struct pg *pg, struct fila_state *s)
{
    enum status st = pg_query(pg, &inspect, &(struct pg_values){0}, on_inspected, s);
    return st == STATUS_OK ? pg_sync(pg, NULL, NULL) : st;
}
