/* store_fila: owns the SQL of fila_controle and of the counts. */
#include "store_fila.h"

#include <string.h>

#include "store.h"

static const struct pg_statement read_pause = {
    .name = "fila_pausa", .sql = "SELECT pausada_em, pausada_por FROM fila_controle"};

static const struct pg_statement pause = {
    .name = "",
    .sql = "INSERT INTO fila_controle AS c (unica, pausada_em, pausada_por)"
           " VALUES (true, now(), left($1, 100)) ON CONFLICT (unica) DO UPDATE SET"
           " pausada_em = coalesce(c.pausada_em, excluded.pausada_em), pausada_por ="
           " CASE WHEN c.pausada_em IS NULL THEN excluded.pausada_por ELSE c.pausada_por END"
           " RETURNING pausada_em, pausada_por",
    .n_params = 1,
    .types = {PG_TEXT}};

static const struct pg_statement resume = {
    .name = "",
    .sql = "UPDATE fila_controle SET pausada_em = NULL, pausada_por = NULL"
           " RETURNING pausada_em, pausada_por"};

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

static int64_t time_at(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? STORE_NO_TIME : pg_get_time(res, row, column);
}

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
        p->since_us = time_at(res, 0, 0);
        copy_name(p->by, res, 1);
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

enum status store_fila_pause(struct pg *pg, const char *by, struct fila_pause *p)
{
    struct pg_values v = {0};
    if (by)
        pg_bytes(&v, by, strlen(by));
    else
        pg_null(&v);
    return send(pg, &pause, &v, p);
}

enum status store_fila_resume(struct pg *pg, struct fila_pause *p)
{
    return send(pg, &resume, &(struct pg_values){0}, p);
}

/* ---- state ---- */

static void on_inspected(void *ctx, enum status st, const PGresult *res)
{
    struct fila_state *s = ctx;
    if (st == STATUS_OK && PQntuples(res) == 1) {
        s->direct = pg_get_int8(res, 0, 0);
        s->retries = pg_get_int8(res, 0, 1);
        s->next_retry_us = time_at(res, 0, 2);
        s->dead = pg_get_int8(res, 0, 3);
        s->paused_us = time_at(res, 0, 4);
        copy_name(s->paused_by, res, 5);
    }
    s->done(s, st);
}

enum status store_fila_inspect(struct pg *pg, struct fila_state *s)
{
    enum status st = pg_query(pg, &inspect, &(struct pg_values){0}, on_inspected, s);
    return st == STATUS_OK ? pg_sync(pg, NULL, NULL) : st;
}
