/* store_chore: one statement a chore; a step is short enough to hold up nobody. */
#include "store_chore.h"

static const struct pg_statement search = {.name = "tarefa_busca",
                                           .sql = "SELECT posts_indexar(500)::bigint"};
static const struct pg_statement keys = {.name = "tarefa_idempotencia",
                                         .sql = "SELECT idempotencia_limpar(1000)::bigint"};
static const struct pg_statement events = {.name = "tarefa_eventos",
                                           .sql = "SELECT eventos_indexar(2000)::bigint"};
static const struct pg_statement archive = {.name = "tarefa_arquivo",
                                            .sql = "SELECT entregas_expirar($1::int, 1000)::bigint",
                                            .n_params = 1,
                                            .types = {PG_INT8}};

static const struct pg_statement replay = {.name = "tarefa_reenvios",
                                           .sql = "SELECT reenvios_passo(500, 5000)"};
static const struct pg_statement audit = {.name = "tarefa_auditoria",
                                          .sql = "SELECT auditoria_expirar($1::int, 1000)::bigint",
                                          .n_params = 1,
                                          .types = {PG_INT8}};

/* A worker that was frozen, or cut off, with half of a batch sent: its server process waits for the
 * rest and holds locks on keys that others bring, too. It has no time-out of its own amid a
 * pipeline. What of ours waits so long for its client inside of a transaction is ended. */
static const struct pg_statement stuck = {
    .name = "tarefa_presas",
    .sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
           " WHERE application_name = 'alicerce-worker' AND datname = current_database()"
           " AND usename = current_user AND pid <> pg_backend_pid() AND wait_event = 'ClientRead'"
           " AND xact_start < now() - interval '10 s'"};

static const struct pg_statement *const chores[STORE_CHORES] = {
    [STORE_CHORE_SEARCH] = &search, [STORE_CHORE_KEYS] = &keys,
    [STORE_CHORE_EVENTS] = &events, [STORE_CHORE_ARCHIVE] = &archive,
    [STORE_CHORE_REPLAY] = &replay, [STORE_CHORE_AUDIT] = &audit,
    [STORE_CHORE_STUCK] = &stuck};

const struct pg_statement *const store_chore_statements[] = {&search, &keys,  &events, &archive,
                                                             &replay, &audit, &stuck,  NULL};

static void on_step(void *ctx, enum status st, const PGresult *res)
{
    struct store_chore_ticket *t = ctx;
    t->st = st;
    t->n = st == STATUS_OK && PQntuples(res) == 1 ? pg_get_int8(res, 0, 0) : 0;
}

static void on_committed(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    struct store_chore_ticket *t = ctx;
    if (t->st == STATUS_OK)
        t->st = st;
    t->done(t, t->st, t->st == STATUS_OK ? t->n : 0);
}

/* The sync fails only together with the connection; the query's own answer is then of no interest.
 */
enum status store_chore_step(struct pg *pg, enum store_chore chore, int64_t arg,
                             struct store_chore_ticket *t)
{
    char space[8];
    struct pg_values v = {0};
    if (chores[chore]->n_params == 1)
        pg_int8(&v, arg, space);
    enum status st = pg_query(pg, chores[chore], &v, on_step, t);
    return st == STATUS_OK ? pg_sync(pg, on_committed, t) : st;
}
