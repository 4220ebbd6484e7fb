/* store_entrega: owns the SQL of deliveries.
 *
 * A batch goes in as one array for each column; text that is missing is NULL. */
#include "store_entrega.h"

#include <stdlib.h>
#include <string.h>

/* The columns of enum event_text_name, in its order. */
#define TEXTS "request_id, traceparent, assinatura, agente"
_Static_assert(EVENT_TEXTS == 4, "the columns above, and the parameters below");

static const struct pg_statement insert_direct = {
    .name = "entregas_diretas",
    .sql = "INSERT INTO entregas (recebida_em, via, corpo, " TEXTS ", estado)"
           " SELECT r, 'direta', c, q, t, s, a, 'pendente'"
           " FROM unnest($1, $2, $3, $4, $5, $6) AS u(r, c, q, t, s, a)",
    .n_params = 2 + EVENT_TEXTS,
    .types = {PG_TIMESTAMPTZ_ARRAY, PG_BYTEA_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
              PG_TEXT_ARRAY}};

/* m: why it failed, NULL for not at all; e: microseconds until the next attempt, NULL for none. */
#define STATE                                                                                      \
    "CASE WHEN m IS NULL THEN 'processada' WHEN e IS NULL THEN 'morta' ELSE 'pendente' END"
#define NEXT     "now() + e * interval '1 microsecond'"
#define FINISHED "CASE WHEN m IS NULL THEN now() END"

#define RESULT   "CASE estado WHEN 'pendente' THEN 'erro' ELSE estado END"

#define INSERT_QUEUED                                                                              \
    "INSERT INTO entregas (fila_id, recebida_em, via, corpo, " TEXTS ", estado, motivo,"           \
    " tentativas, proxima_em, processada_em)"                                                      \
    " SELECT f, r, 'fila', c, q, t, s, a, " STATE ", m, n, " NEXT ", " FINISHED                    \
    " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS u(f, r, c, q, t, s, a, m, n, e)"     \
    " ON CONFLICT (fila_id, recebida_em) WHERE fila_id IS NOT NULL DO NOTHING"
#define QUEUED_TYPES                                                                               \
    PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_BYTEA_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,             \
        PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY

static const struct pg_statement insert_queued = {.name = "entregas_da_fila",
                                                  .sql = INSERT_QUEUED,
                                                  .n_params = 6 + EVENT_TEXTS,
                                                  .types = {QUEUED_TYPES}};

/* The same when some of them failed: those are noted in their history, if they are new. */
static const struct pg_statement insert_failed = {
    .name = "entregas_da_fila_falhas",
    .sql = "WITH novas AS (" INSERT_QUEUED " RETURNING id, estado, motivo)"
           " INSERT INTO entregas_historico (entrega_id, acao, resultado, motivo)"
           " SELECT id, 'tentativa', " RESULT ", motivo FROM novas WHERE motivo IS NOT NULL",
    .n_params = 6 + EVENT_TEXTS,
    .types = {QUEUED_TYPES}};

/* With the history of those that failed or were sent again, and what a job has to count: a row of
 * its own, so that workers that finish deliveries of one job do not wait for each other.
 * Unprepared: planned for the number of ids that it gets. */
static const struct pg_statement finish_direct = {
    .name = "",
    .sql = "WITH feitas AS (UPDATE entregas SET estado = " STATE ", motivo = m, tentativas = n,"
           " proxima_em = " NEXT ", processada_em = " FINISHED
           " FROM unnest($1, $2, $3, $4) AS u(i, m, n, e) WHERE id = i AND estado = 'pendente'"
           " RETURNING id, estado, motivo, reenvio_id),"
           " historico AS (INSERT INTO entregas_historico (entrega_id, acao, resultado, motivo)"
           " SELECT id, 'tentativa', " RESULT ", motivo FROM feitas"
           " WHERE motivo IS NOT NULL OR reenvio_id IS NOT NULL)"
           " INSERT INTO reenvios_parcelas (reenvio_id, processadas, mortas)"
           " SELECT reenvio_id, count(*) FILTER (WHERE estado = 'processada'),"
           " count(*) FILTER (WHERE estado = 'morta') FROM feitas"
           " WHERE reenvio_id > 0 AND estado <> 'pendente' GROUP BY reenvio_id",
    .n_params = 4,
    .types = {PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY}};

static const struct pg_statement begin = {.name = "entregas_begin", .sql = "BEGIN"};
/* A worker that freezes or loses its network in here must not keep the rows from the others. */
static const struct pg_statement limit_idle = {
    .name = "entregas_prazo", .sql = "SET LOCAL idle_in_transaction_session_timeout = '5s'"};
/* The bodies come out of their storage only for rows that are returned. Unprepared: a plan that was
 * kept from when there were a few deliveries reads all of them at each look. */
static const struct pg_statement claim = {
    .name = "",
    .sql =
        "WITH tomadas AS MATERIALIZED ("
        " SELECT id, recebida_em, corpo, tentativas, proxima_em, " TEXTS " FROM entregas"
        " WHERE estado = 'pendente' AND proxima_em <= now()"
        " ORDER BY proxima_em, id LIMIT $1 FOR UPDATE SKIP LOCKED)"
        " SELECT id, recebida_em, corpo, tentativas::bigint, " TEXTS " FROM ("
        " SELECT *, sum(octet_length(corpo)) OVER (ORDER BY proxima_em, id)"
        " - octet_length(corpo) AS antes FROM tomadas) t WHERE antes < $2 ORDER BY proxima_em, id",
    .n_params = 2,
    .types = {PG_INT8, PG_INT8}};
static const struct pg_statement save = {.name = "entregas_marco", .sql = "SAVEPOINT marco"};
static const struct pg_statement undo = {.name = "entregas_voltar",
                                         .sql = "ROLLBACK TO SAVEPOINT marco"};
static const struct pg_statement commit = {.name = "entregas_commit", .sql = "COMMIT"};
static const struct pg_statement rollback = {.name = "entregas_rollback", .sql = "ROLLBACK"};

const struct pg_statement *const store_entrega_statements[] = {&insert_direct, NULL};
const struct pg_statement *const store_entrega_worker_statements[] = {
    &insert_queued, &insert_failed, &begin, &limit_idle, &save, &undo, &commit, &rollback, NULL};

static void add_text(struct store_columns *c, struct event_text text)
{
    pg_array_bytes(&c->b, text.data, text.len);
}

/* ---- direct inserts ---- */

struct direct {
    struct store_tx tx;
    struct store_ticket *ticket;
};

static void on_direct(struct store_tx *tx, enum status st)
{
    struct direct *d = (struct direct *)(void *)tx;
    struct store_ticket *t = d->ticket;
    free(d);
    t->done(t, st);
}

static void add_messages(struct store_columns *c, const struct queue_message *m, size_t n)
{
    pg_array_begin(&c->b, PG_TIMESTAMPTZ, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_time(&c->b, m[i].recebida_us);
    store_column_end(c);
    pg_array_begin(&c->b, PG_BYTEA, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_bytes(&c->b, m[i].corpo_len ? m[i].corpo : "", m[i].corpo_len);
    store_column_end(c);
    for (unsigned t = 0; t < EVENT_TEXTS; t++) {
        pg_array_begin(&c->b, PG_TEXT, n, true);
        for (size_t i = 0; i < n; i++)
            add_text(c, event_clean_text(m[i].text[t], strlen(m[i].text[t])));
        store_column_end(c);
    }
}

enum status store_entrega_insert_direct(struct pg *pg, const struct queue_message *messages,
                                        size_t n, struct store_ticket *t)
{
    struct direct *d = malloc(sizeof *d);
    if (!d)
        return STATUS_OVERLOADED;
    d->tx.done = on_direct;
    d->ticket = t;
    store_tx_begin(&d->tx);
    struct store_columns c = store_columns_init();
    add_messages(&c, messages, n);
    enum status st = store_columns_query(&c, &d->tx, pg, &insert_direct);
    if (st == STATUS_OK)
        st = store_tx_commit(&d->tx, pg);
    if (st != STATUS_OK)
        free(d); /* nothing was accepted: done will not run */
    return st;
}

/* ---- what was worked on ---- */

static void add_queued(struct store_columns *c, const struct new_entrega *rows, size_t n)
{
    char id[EVENT_ID_MAX];
    pg_array_begin(&c->b, PG_TEXT, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_bytes(&c->b, id, event_id_format(rows[i].event.id, id));
    store_column_end(c);
    pg_array_begin(&c->b, PG_TIMESTAMPTZ, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_time(&c->b, rows[i].event.recebida_us);
    store_column_end(c);
    pg_array_begin(&c->b, PG_BYTEA, n, false);
    for (size_t i = 0; i < n; i++)
        add_text(c, rows[i].event.corpo);
    store_column_end(c);
    for (unsigned t = 0; t < EVENT_TEXTS; t++) {
        pg_array_begin(&c->b, PG_TEXT, n, true);
        for (size_t i = 0; i < n; i++)
            add_text(c, rows[i].event.text[t]);
        store_column_end(c);
    }
}

/* What became of it: motivo, tentativas, microseconds until the next attempt. */
static void add_outcomes(struct store_columns *c, const struct new_entrega *rows, size_t n)
{
    pg_array_begin(&c->b, PG_TEXT, n, true);
    for (size_t i = 0; i < n; i++)
        pg_array_bytes(&c->b, rows[i].motivo, rows[i].motivo ? strlen(rows[i].motivo) : 0);
    store_column_end(c);
    pg_array_begin(&c->b, PG_INT8, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_int8(&c->b, rows[i].tentativas);
    store_column_end(c);
    pg_array_begin(&c->b, PG_INT8, n, true);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].espera_us > 0)
            pg_array_int8(&c->b, rows[i].espera_us);
        else
            pg_array_bytes(&c->b, NULL, 0);
    }
    store_column_end(c);
}

static bool any_failed(const struct new_entrega *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].motivo)
            return true;
    return false;
}

enum status store_entrega_finish(struct store_tx *tx, struct pg *pg, const struct new_entrega *rows,
                                 size_t n)
{
    struct store_columns c = store_columns_init();
    bool direct = n > 0 && rows[0].id;
    if (direct) {
        pg_array_begin(&c.b, PG_INT8, n, false);
        for (size_t i = 0; i < n; i++)
            pg_array_int8(&c.b, rows[i].id);
        store_column_end(&c);
    } else {
        add_queued(&c, rows, n);
    }
    add_outcomes(&c, rows, n);
    return store_columns_query(&c, tx, pg,
                               direct                ? &finish_direct
                               : any_failed(rows, n) ? &insert_failed
                                                     : &insert_queued);
}

/* ---- claiming direct ones ---- */

static void claim_answer(struct entrega_claim *c, enum status st)
{
    if (st != STATUS_OK && c->st == STATUS_OK)
        c->st = st;
    if (--c->open == 0)
        c->done(c, c->st, c->n);
}

static void on_claim_step(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    claim_answer(ctx, st);
}

static struct event_text text_at(const PGresult *res, int row, int column)
{
    struct pg_text text = pg_get_text(res, row, column);
    return PQgetisnull(res, row, column) ? (struct event_text){NULL, 0}
                                         : (struct event_text){text.data, text.len};
}

static void on_claimed(void *ctx, enum status st, const PGresult *res)
{
    struct entrega_claim *c = ctx;
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    for (int i = 0; i < n; i++) {
        struct event e = {.recebida_us = pg_get_time(res, i, 1), .corpo = text_at(res, i, 2)};
        for (int t = 0; t < EVENT_TEXTS; t++)
            e.text[t] = text_at(res, i, 4 + t);
        c->entrega(c, &e, pg_get_int8(res, i, 0), (unsigned)pg_get_int8(res, i, 3));
    }
    c->n = (size_t)n;
    claim_answer(c, st);
}

static enum status claim_send(struct pg *pg, const struct pg_statement *s,
                              const struct pg_values *v, struct entrega_claim *c)
{
    enum status st = pg_query(pg, s, v, s == &claim ? on_claimed : on_claim_step, c);
    if (st == STATUS_OK)
        c->open++;
    return st;
}

enum status store_entrega_claim(struct pg *pg, int64_t limit, int64_t bytes,
                                struct entrega_claim *c)
{
    char space[2][8];
    struct pg_values none = {0}, v = {0};
    pg_int8(&v, limit, space[0]);
    pg_int8(&v, bytes, space[1]);
    c->st = STATUS_OK;
    c->n = 0;
    c->open = 0;
    enum status st = claim_send(pg, &begin, &none, c);
    if (st == STATUS_OK)
        st = claim_send(pg, &limit_idle, &none, c);
    if (st == STATUS_OK)
        st = claim_send(pg, &claim, &v, c);
    if (st == STATUS_OK && pg_sync(pg, on_claim_step, c) == STATUS_OK)
        c->open++;
    else if (c->open > 0)
        c->st = STATUS_DATABASE_AWAY;
    return c->open > 0 ? STATUS_OK : st;
}

static enum status plain(struct store_tx *tx, struct pg *pg, const struct pg_statement *s)
{
    return store_tx_query(tx, pg, s, &(struct pg_values){0});
}

enum status store_entrega_save(struct store_tx *tx, struct pg *pg)
{
    return plain(tx, pg, &save);
}

enum status store_entrega_undo(struct store_tx *tx, struct pg *pg)
{
    return plain(tx, pg, &undo);
}

enum status store_entrega_end(struct store_tx *tx, struct pg *pg, bool yes)
{
    return plain(tx, pg, yes ? &commit : &rollback);
}
