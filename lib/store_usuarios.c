/* store_usuarios: owns the SQL of accounts and the decoding of its rows. The statements of sign-in
 * and "who am I" are prepared, the rest is rare and planned at each use. */
#include "store_usuarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "store.h"

#define COLUMNS "id, nome, email, papel, ativo::int::bigint, tokens_desde, criado_em"

static const struct pg_statement by_email = {.name = "usuarios_por_email",
                                             .sql = "SELECT " COLUMNS
                                                    ", senha FROM usuarios WHERE lower(email) = $1",
                                             .n_params = 1,
                                             .types = {PG_TEXT}};

static const struct pg_statement by_id = {.name = "usuarios_por_id",
                                          .sql =
                                              "SELECT " COLUMNS ", '' FROM usuarios WHERE id = $1",
                                          .n_params = 1,
                                          .types = {PG_INT8}};

static const struct pg_statement by_ids = {
    .name = "usuarios_por_ids",
    .sql = "SELECT " COLUMNS ", '' FROM usuarios WHERE id = ANY($1) ORDER BY id",
    .n_params = 1,
    .types = {PG_INT8_ARRAY}};

static const struct pg_statement page = {
    .name = "",
    .sql = "SELECT " COLUMNS ", '' FROM usuarios WHERE id > $1 ORDER BY id LIMIT $2",
    .n_params = 2,
    .types = {PG_INT8, PG_INT8}};

/* With its hash, to compare with. Rare. */
static const struct pg_statement secret = {.name = "",
                                           .sql = "SELECT " COLUMNS
                                                  ", senha FROM usuarios WHERE id = $1",
                                           .n_params = 1,
                                           .types = {PG_INT8}};

/* $1 to $4: who. A function that changes is followed by the row of the audit log, if it did. */
#define NOTED(acao, detalhe)                                                                       \
    ", situacao, CASE WHEN situacao = 'ok' THEN auditar(" AUDITORIA_QUEM ", " acao                 \
    ", 'usuario:' || id, " detalhe ") END FROM "

static const struct pg_statement create = {
    .name = "",
    .sql =
        "SELECT " COLUMNS NOTED("'conta_criada'", "jsonb_build_object('email', email, 'papel', "
                                                  "papel)") "usuario_criar($1, $2, $5, $6, $7, $8)",
    .n_params = 8,
    .types = {AUDITORIA_TYPES, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT}};

static const struct pg_statement change = {
    .name = "",
    .sql = "SELECT " COLUMNS NOTED(
        "CASE WHEN $10 = 1 THEN 'senha_mudada' ELSE 'conta_mudada' END",
        "CASE WHEN $10 = 0 THEN jsonb_strip_nulls(jsonb_build_object('mudou', array_remove(ARRAY["
        "CASE WHEN $6 IS NOT NULL THEN 'nome' END, CASE WHEN $7 IS NOT NULL THEN 'papel' END,"
        " CASE WHEN $8 IS NOT NULL THEN 'senha' END, CASE WHEN $9 IS NOT NULL THEN 'ativo' END],"
        " NULL), 'papel', $7, 'ativo', $9 = 1)) END") "usuario_mudar($1, $2, $5, $6, $7, $8, $9)",
    .n_params = 10,
    .types = {AUDITORIA_TYPES, PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8, PG_INT8}};

static const struct pg_statement drop = {
    .name = "",
    .sql = "SELECT " COLUMNS NOTED(
        "'conta_removida'",
        "jsonb_build_object('email', email, 'papel', papel)") "usuario_remover($1, $2, $5)",
    .n_params = 5,
    .types = {AUDITORIA_TYPES, PG_INT8}};

const struct pg_statement *const store_usuarios_statements[] = {&by_email, &by_id, &by_ids, NULL};

/* ---- reading ---- */

static struct usuario row_of(const PGresult *res, int i)
{
    struct pg_text papel = pg_get_text(res, i, 3);
    struct usuario u = {.id = pg_get_int8(res, i, 0),
                        .nome = pg_get_text(res, i, 1),
                        .email = pg_get_text(res, i, 2),
                        .papel = ROLE_READER,
                        .ativo = pg_get_int8(res, i, 4) == 1,
                        .tokens_desde = pg_get_int8(res, i, 5),
                        .criado_em_us = pg_get_time(res, i, 6),
                        .senha = pg_get_text(res, i, 7)};
    account_role_parse(papel.data, papel.len, &u.papel);
    return u;
}

static void on_rows(void *ctx, enum status st, const PGresult *res)
{
    struct usuarios_ticket *t = ctx;
    struct usuario few[USUARIOS_PAGE_MAX + 1] = {0};
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    struct usuario *rows = n <= USUARIOS_PAGE_MAX + 1 ? few : calloc((size_t)n, sizeof *rows);
    for (int i = 0; rows && i < n; i++)
        rows[i] = row_of(res, i);
    t->done(t, rows ? st : STATUS_OVERLOADED, rows, rows ? (size_t)n : 0);
    if (rows != few)
        free(rows);
}

enum status store_usuarios_by_email(struct pg *pg, struct pg_text email, struct usuarios_ticket *t)
{
    struct pg_values v = {0};
    pg_bytes(&v, email.data, email.len);
    return pg_query(pg, &by_email, &v, on_rows, t);
}

static enum status ask_by_id(struct pg *pg, const struct pg_statement *s, int64_t id,
                             struct usuarios_ticket *t)
{
    char space[8];
    struct pg_values v = {0};
    pg_int8(&v, id, space);
    return pg_query(pg, s, &v, on_rows, t);
}

enum status store_usuarios_by_id(struct pg *pg, int64_t id, struct usuarios_ticket *t)
{
    return ask_by_id(pg, &by_id, id, t);
}

enum status store_usuarios_by_ids(struct pg *pg, const int64_t *ids, size_t n,
                                  struct usuarios_ticket *t)
{
    return store_query_ids(pg, &by_id, &by_ids, ids, n, on_rows, t);
}

enum status store_usuarios_secret(struct pg *pg, int64_t id, struct usuarios_ticket *t)
{
    return ask_by_id(pg, &secret, id, t);
}

enum status store_usuarios_page(struct pg *pg, int64_t after, int64_t limit,
                                struct usuarios_ticket *t)
{
    char space[2][8];
    struct pg_values v = {0};
    pg_int8(&v, after, space[0]);
    pg_int8(&v, limit, space[1]);
    return pg_query(pg, &page, &v, on_rows, t);
}

/* ---- changing ---- */

static enum usuario_outcome outcome_of(struct pg_text text)
{
    static const char *const names[] = {[USUARIO_OK] = "ok",
                                        [USUARIO_ACTOR] = "ator",
                                        [USUARIO_ABSENT] = "ausente",
                                        [USUARIO_TAKEN] = "repetido",
                                        [USUARIO_LAST_ADMIN] = "ultimo_admin"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text.len == strlen(names[i]) && memcmp(text.data, names[i], text.len) == 0)
            return (enum usuario_outcome)i;
    return USUARIO_ACTOR;
}

static void on_committed(void *ctx, enum status st, const PGresult *res)
{
    struct usuario_change *t = ctx;
    PGresult *kept = (PGresult *)(uintptr_t)t->result;
    (void)res;
    if (t->st == STATUS_OK)
        t->st = st;
    if (t->st == STATUS_OK) {
        enum usuario_outcome outcome = outcome_of(pg_get_text(kept, 0, 7));
        struct usuario row = {0};
        if (outcome == USUARIO_OK)
            row = row_of(kept, 0);
        t->done(t, STATUS_OK, outcome, outcome == USUARIO_OK ? &row : NULL);
    } else {
        t->done(t, t->st, USUARIO_ACTOR, NULL);
    }
    PQclear(kept);
}

static void on_changed(void *ctx, enum status st, const PGresult *res)
{
    struct usuario_change *t = ctx;
    t->st = st == STATUS_OK && PQntuples(res) != 1 ? STATUS_INTERNAL : st;
    t->result = t->st == STATUS_OK ? PQcopyResult(res, PG_COPYRES_TUPLES) : NULL;
    if (t->st == STATUS_OK && !t->result)
        t->st = STATUS_DATABASE_AWAY; /* no memory for the answer: as good as lost */
    if (t->unsynced)
        on_committed(t, STATUS_DATABASE_AWAY, NULL);
}

static enum status run(struct pg *pg, const struct pg_statement *s, const struct pg_values *v,
                       struct usuario_change *t)
{
    t->result = NULL;
    t->st = STATUS_DATABASE_AWAY;
    t->unsynced = false;
    enum status st = pg_query(pg, s, v, on_changed, t);
    if (st == STATUS_OK)
        t->unsynced = pg_sync(pg, on_committed, t) != STATUS_OK;
    return st;
}

enum status store_usuarios_create(struct pg *pg, const struct auditoria_quem *actor,
                                  struct pg_text nome, struct pg_text email,
                                  enum account_role papel, const char *senha,
                                  struct usuario_change *t)
{
    struct store_values v = {0};
    store_auditoria_add(&v, actor);
    pg_bytes(&v.v, nome.data, nome.len);
    pg_bytes(&v.v, email.data, email.len);
    store_value_text(&v, account_role_name(papel));
    store_value_text(&v, senha);
    return run(pg, &create, &v.v, t);
}

enum status store_usuarios_change(struct pg *pg, const struct auditoria_quem *actor, int64_t id,
                                  const struct usuario_fields *f, struct usuario_change *t)
{
    struct store_values v = {0};
    store_auditoria_add(&v, actor);
    store_value_int(&v, id);
    if (f->nome.data)
        pg_bytes(&v.v, f->nome.data, f->nome.len);
    else
        pg_null(&v.v);
    store_value_text(&v, f->papel ? account_role_name(*f->papel) : NULL);
    store_value_text(&v, f->senha);
    if (f->ativo)
        store_value_int(&v, *f->ativo);
    else
        pg_null(&v.v);
    store_value_int(&v, f->own);
    return run(pg, &change, &v.v, t);
}

enum status store_usuarios_remove(struct pg *pg, const struct auditoria_quem *actor, int64_t id,
                                  struct usuario_change *t)
{
    struct store_values v = {0};
    store_auditoria_add(&v, actor);
    store_value_int(&v, id);
    return run(pg, &drop, &v.v, t);
}

/* ---- the first one ---- */

static PGresult *ask(PGconn *conn, const char *sql, int n, const char *const *values)
{
    PGresult *res = PQexecParams(conn, sql, n, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(res) == PGRES_TUPLES_OK)
        return res;
    PQclear(res);
    return NULL;
}

static bool is_empty(PGconn *conn, bool *ret_empty)
{
    PGresult *res = ask(conn, "SELECT EXISTS (SELECT 1 FROM usuarios)", 0, NULL);
    if (res)
        *ret_empty = strcmp(PQgetvalue(res, 0, 0), "f") == 0;
    PQclear(res);
    return res != NULL;
}

static bool insert_first(PGconn *conn, const char *nome, const char *email, const char *hash,
                         bool *ret_made)
{
    const char *values[] = {nome, email, hash};
    PGresult *res = ask(conn, "SELECT usuario_primeiro($1, $2, $3)", 3, values);
    if (res)
        *ret_made = strcmp(PQgetvalue(res, 0, 0), "1") == 0;
    PQclear(res);
    return res != NULL;
}

enum status store_usuarios_first(const char *conninfo, const char *nome, const char *email,
                                 bool (*hash)(void *ctx, char *ret, size_t size), void *ctx,
                                 bool *ret_made, char ret_message[256])
{
    char hashed[160];
    bool empty = false, good = false;
    const char *keys[] = {"dbname", "application_name", "connect_timeout", NULL},
               *values[] = {conninfo, "alicerce-api", "5", NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);
    *ret_made = false;
    if (PQstatus(conn) == CONNECTION_OK) {
        good = is_empty(conn, &empty);
        if (good && empty)
            good = hash(ctx, hashed, sizeof hashed) &&
                   insert_first(conn, nome, email, hashed, ret_made);
    }
    bool away = PQstatus(conn) != CONNECTION_OK;
    if (!good)
        snprintf(ret_message, 256, "%.*s", (int)strcspn(PQerrorMessage(conn), "\n"),
                 PQerrorMessage(conn));
    PQfinish(conn);
    return good ? STATUS_OK : away ? STATUS_DATABASE_AWAY : STATUS_INTERNAL;
}
