/* store_consulta: owns the SQL of the leads' look-ups. All unprepared, so that they are planned
 * with their limits and never with a plan from when the table was small. */
#include "store_consulta.h"

#include <string.h>

/* Both branches of the join are at most CONSULTA_SEEN_MAX rows. Rows that are seen, neither claimed
 * nor moved, are free again at the commit. */
static const struct pg_statement claim = {
    .name = "",
    .sql = "WITH vistos AS MATERIALIZED ("
           " SELECT leadgen_id, pagina_id, proxima_em FROM leads_devidos($2)),"
           " divididos AS MATERIALIZED ("
           " SELECT v.leadgen_id, p.ms,"
           " row_number() OVER (PARTITION BY p.ms IS NULL ORDER BY v.proxima_em) AS n"
           " FROM vistos v LEFT JOIN unnest($4, $5) AS p(pagina_id, ms)"
           " ON p.pagina_id = v.pagina_id)"
           " UPDATE leads l SET proxima_em ="
           " now() + coalesce(d.ms, $3) * interval '1 millisecond'"
           " FROM divididos d WHERE l.leadgen_id = d.leadgen_id"
           " AND (d.ms IS NOT NULL OR d.n <= $1)"
           " RETURNING l.leadgen_id, l.pagina_id, l.tentativas::bigint, l.proxima_em,"
           " (d.ms IS NOT NULL)::int::bigint",
    .n_params = 5,
    .types = {PG_INT8, PG_INT8, PG_INT8, PG_TEXT_ARRAY, PG_INT8_ARRAY}};

static const struct pg_statement complete = {
    .name = "",
    .sql = "UPDATE leads SET estado = $2, nome = $3, email = $4, telefone = $5,"
           " campos = $6::jsonb, formulario_id = coalesce(formulario_id, $7),"
           " anuncio_id = coalesce(anuncio_id, $8), conjunto_id = coalesce(conjunto_id, $9),"
           " consultado_em = now(), ultimo_erro = NULL"
           " WHERE leadgen_id = $1 AND estado = 'pendente'",
    .n_params = 9,
    .types = {PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT}};

static const struct pg_statement fail = {
    .name = "",
    .sql = "UPDATE leads SET estado = $3, proxima_em = now() + $4 * interval '1 millisecond',"
           " tentativas = tentativas + $5::int, ultimo_erro = coalesce($6, ultimo_erro),"
           " consultado_em = CASE WHEN $7 = 1 THEN now() ELSE consultado_em END"
           " WHERE leadgen_id = $1 AND estado = 'pendente' AND proxima_em = $2",
    .n_params = 7,
    .types = {PG_TEXT, PG_TIMESTAMPTZ, PG_TEXT, PG_INT8, PG_INT8, PG_TEXT, PG_INT8}};

/* ---- claiming ---- */

static void claim_answer(struct consulta_claim *c, enum status st)
{
    if (st != STATUS_OK && c->st == STATUS_OK)
        c->st = st;
    if (--c->open == 0)
        c->done(c, c->st, c->n, c->moved);
}

static void on_claimed(void *ctx, enum status st, const PGresult *res)
{
    struct consulta_claim *c = ctx;
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    for (int i = 0; i < n; i++) {
        if (pg_get_int8(res, i, 4)) {
            c->moved++;
            continue;
        }
        struct consulta_lead l = {.leadgen_id = pg_get_text(res, i, 0),
                                  .tentativas = pg_get_int8(res, i, 2),
                                  .lease_us = pg_get_time(res, i, 3)};
        if (!PQgetisnull(res, i, 1))
            l.pagina_id = pg_get_text(res, i, 1);
        c->n++;
        c->lead(c, &l);
    }
    claim_answer(c, st);
}

static void on_committed(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    claim_answer(ctx, st);
}

static enum status send_claim(struct pg *pg, struct pg_values *v, struct consulta_claim *c)
{
    enum status st = pg_query(pg, &claim, v, on_claimed, c);
    if (st != STATUS_OK)
        return st;
    c->open++;
    if (pg_sync(pg, on_committed, c) == STATUS_OK)
        c->open++;
    else
        c->st = STATUS_DATABASE_AWAY;
    return STATUS_OK;
}

enum status store_consulta_claim(struct pg *pg, size_t most, int64_t lease_ms,
                                 const struct consulta_rest *rests, size_t n_rests,
                                 struct consulta_claim *c)
{
    char space[3][8];
    struct pg_values v = {0};
    struct buf pages = buf_init(64 << 10), times = buf_init(64 << 10);
    c->n = c->moved = 0;
    c->open = 0;
    c->st = STATUS_OK;
    pg_int8(&v, (int64_t)most, space[0]);
    pg_int8(&v, n_rests > 0 ? CONSULTA_SEEN_MAX : (int64_t)most, space[1]);
    pg_int8(&v, lease_ms, space[2]);
    pg_array_begin(&pages, PG_TEXT, n_rests, false);
    pg_array_begin(&times, PG_INT8, n_rests, false);
    for (size_t i = 0; i < n_rests; i++) {
        pg_array_bytes(&pages, rests[i].pagina_id.data, rests[i].pagina_id.len);
        pg_array_int8(&times, rests[i].ms);
    }
    pg_array(&v, pages.data, pages.len);
    pg_array(&v, times.data, times.len);
    bool failed = buf_failed(&pages) || buf_failed(&times);
    enum status st = failed ? STATUS_OVERLOADED : send_claim(pg, &v, c);
    buf_release(&pages);
    buf_release(&times);
    return st;
}

/* ---- outcomes ---- */

static void add_text(struct pg_values *v, struct pg_text text)
{
    if (text.data)
        pg_bytes(v, text.data, text.len);
    else
        pg_null(v);
}

static void add_string(struct pg_values *v, const char *s)
{
    add_text(v, (struct pg_text){s, s ? strlen(s) : 0});
}

static enum status send(struct store_tx *t, struct pg *pg, const struct pg_statement *s,
                        const struct pg_values *v)
{
    store_tx_begin(t);
    enum status st = store_tx_query(t, pg, s, v);
    return st == STATUS_OK ? store_tx_commit(t, pg) : st;
}

enum status store_consulta_complete(struct store_tx *t, struct pg *pg, struct pg_text leadgen_id,
                                    const struct consulta_answer *a)
{
    struct pg_values v = {0};
    add_text(&v, leadgen_id);
    add_string(&v, a->teste ? "teste" : "completo");
    const struct pg_text texts[] = {a->nome,          a->email,      a->telefone,   a->campos,
                                    a->formulario_id, a->anuncio_id, a->conjunto_id};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add_text(&v, texts[i]);
    return send(t, pg, &complete, &v);
}

enum status store_consulta_fail(struct store_tx *t, struct pg *pg, struct pg_text leadgen_id,
                                int64_t lease_us, const struct consulta_failure *f)
{
    char space[4][8];
    struct pg_values v = {0};
    add_text(&v, leadgen_id);
    pg_time(&v, lease_us, space[0]);
    add_string(&v, f->final ? "falhou" : "pendente");
    pg_int8(&v, f->wait_ms, space[1]);
    pg_int8(&v, f->counts, space[2]);
    add_string(&v, f->motivo);
    pg_int8(&v, f->answered, space[3]);
    return send(t, pg, &fail, &v);
}
