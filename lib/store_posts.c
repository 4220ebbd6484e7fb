/* store_posts: owns the SQL of posts and the decoding of its rows. */
#include "store_posts.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "store.h"

#define COLUMNS "id, titulo, conteudo, autor, data_criacao"

enum {
    INSERT_CAP = 160 << 20
}; /* 1,000 rows of 100,000 characters would be 400 MB: bodies are <= 1 MiB
      each and the loop's cap on bodies keeps the sum below this */

static const struct pg_statement page_any = {
    .name = "posts_page",
    .sql = "SELECT " COLUMNS " FROM posts WHERE id < $1 ORDER BY id DESC LIMIT $2",
    .n_params = 2,
    .types = {PG_INT8, PG_INT8}};

static const struct pg_statement page_author = {
    .name = "posts_page_autor",
    .sql = "SELECT " COLUMNS " FROM posts WHERE autor = $3 AND id < $1 ORDER BY id DESC LIMIT $2",
    .n_params = 3,
    .types = {PG_INT8, PG_INT8, PG_TEXT}};

static const struct pg_statement by_id = {.name = "posts_um",
                                          .sql = "SELECT " COLUMNS " FROM posts WHERE id = $1",
                                          .n_params = 1,
                                          .types = {PG_INT8}};

static const struct pg_statement by_ids = {.name = "posts_por_id",
                                           .sql = "SELECT " COLUMNS
                                                  " FROM posts WHERE id = ANY($1) ORDER BY id",
                                           .n_params = 1,
                                           .types = {PG_INT8_ARRAY}};

static const struct pg_statement count_all = {
    .name = "posts_total",
    .sql = "SELECT coalesce(sum(n), 0)::bigint FROM posts_contagem",
    .n_params = 0};

/* RETURNING has no documented order, so the ids are drawn with the ordinal, before the insert. */
static const struct pg_statement insert_rows = {
    .name = "posts_criar",
    .sql = "WITH novos AS MATERIALIZED ("
           " SELECT nextval('posts_id_seq') AS id, t, c, a, o"
           " FROM unnest($1, $2, $3) WITH ORDINALITY AS u(t, c, a, o)),"
           " gravados AS (INSERT INTO posts (id, titulo, conteudo, autor, data_criacao)"
           " SELECT id, t, c, a, now() FROM novos)"
           " SELECT id, now() FROM novos ORDER BY o",
    .n_params = 3,
    .types = {PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY}};

/* What one client at a time sends: no array to build, unfold and sort. */
static const struct pg_statement insert_row = {
    .name = "posts_criar_um",
    .sql = "INSERT INTO posts (titulo, conteudo, autor, data_criacao) VALUES ($1, $2, $3, now())"
           " RETURNING id, data_criacao",
    .n_params = 3,
    .types = {PG_TEXT, PG_TEXT, PG_TEXT}};

static const struct pg_statement insert_once = {
    .name = "posts_criar_uma_vez",
    .sql = "SELECT " COLUMNS ", situacao FROM criar_post_idempotente($1, $2, $3, $4, $5)",
    .n_params = 5,
    .types = {PG_TEXT, PG_BYTEA, PG_TEXT, PG_TEXT, PG_TEXT}};

static const struct pg_statement version_of = {
    .name = "posts_versao",
    .sql = "SELECT " COLUMNS ", xmin::text::bigint FROM posts WHERE id = $1",
    .n_params = 1,
    .types = {PG_INT8}};

/* One row always: does the token still count, and the post, if it was changed. $1 to $4: who. */
#define CHANGE(how, acao, detalhe)                                                                 \
    "WITH ator AS MATERIALIZED (SELECT usuario_ator_vale($1, $2) AS vale),"                        \
    " mudado AS (" how " WHERE id = $5 AND ($6 = 0 OR xmin::text::bigint = $6)"                    \
    " AND (SELECT vale FROM ator) RETURNING " COLUMNS "),"                                         \
    " auditado AS (INSERT INTO auditoria (ator_id, ator, papel, acao, alvo, detalhe, request_id,"  \
    " endereco) SELECT q.ator_id, q.ator, q.papel, '" acao "', 'post:' || m.id, " detalhe ","      \
    " q.request_id, q.endereco FROM mudado m CROSS JOIN " AUDITORIA_QUEM " q)"                     \
    " SELECT " COLUMNS ", vale::int::bigint FROM ator LEFT JOIN mudado ON true"

static const struct pg_statement update = {
    .name = "posts_mudar",
    .sql = CHANGE("UPDATE posts SET titulo = coalesce($7, titulo),"
                  " conteudo = coalesce($8, conteudo), autor = coalesce($9, autor)",
                  "post_mudado",
                  "jsonb_build_object('mudou', array_remove(ARRAY["
                  "CASE WHEN $7 IS NOT NULL THEN 'titulo' END,"
                  " CASE WHEN $8 IS NOT NULL THEN 'conteudo' END,"
                  " CASE WHEN $9 IS NOT NULL THEN 'autor' END], NULL))"),
    .n_params = 9,
    .types = {AUDITORIA_TYPES, PG_INT8, PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT}};

static const struct pg_statement delete = {
    .name = "posts_remover",
    .sql = CHANGE("DELETE FROM posts", "post_removido", "jsonb_build_object('titulo', m.titulo)"),
    .n_params = 6,
    .types = {AUDITORIA_TYPES, PG_INT8, PG_INT8}};

const struct pg_statement *const store_posts_reads[] = {&page_any,  &page_author, &by_id, &by_ids,
                                                        &count_all, &version_of,  NULL};
const struct pg_statement *const store_posts_writes[] = {&insert_row, &insert_rows, &insert_once,
                                                         &update,     &delete,      NULL};

static struct post row_of(const PGresult *res, int i)
{
    return (struct post){.id = pg_get_int8(res, i, 0),
                         .titulo = pg_get_text(res, i, 1),
                         .conteudo = pg_get_text(res, i, 2),
                         .autor = pg_get_text(res, i, 3),
                         .data_criacao_us = pg_get_time(res, i, 4)};
}

/* ---- pages ---- */

static void on_rows(void *ctx, enum status st, const PGresult *res)
{
    struct posts_ticket *t = ctx;
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    struct post few[POSTS_PAGE_MAX + 1];
    few[0] = (struct post){0};
    struct post *rows = n <= POSTS_PAGE_MAX + 1 ? few : calloc((size_t)n, sizeof *rows);
    if (!rows) {
        t->done(t, STATUS_OVERLOADED, NULL, 0);
        return;
    }
    for (int i = 0; i < n; i++)
        rows[i] = row_of(res, i);
    t->done(t, st, rows, (size_t)n);
    if (rows != few)
        free(rows);
}

/* The plan depends on how rare the words are, so it has no name: planned with the values. */
static enum status search(struct pg *pg, const struct posts_query *q, struct posts_ticket *t)
{
    static const struct pg_statement any = {.name = "",
                                            .sql = "SELECT " COLUMNS
                                                   " FROM posts_buscar($3, $1, $2, $4)",
                                            .n_params = 4,
                                            .types = {PG_INT8, PG_INT8, PG_TEXT, PG_TEXT}};
    char before[8], limit[8];
    struct pg_values v = {0};
    pg_int8(&v, q->before, before);
    pg_int8(&v, q->limit, limit);
    pg_bytes(&v, q->busca.data, q->busca.len);
    if (q->autor.data)
        pg_bytes(&v, q->autor.data, q->autor.len);
    else
        pg_null(&v);
    return pg_query(pg, &any, &v, on_rows, t);
}

enum status store_posts_page(struct pg *pg, const struct posts_query *q, struct posts_ticket *t)
{
    if (q->busca.data)
        return search(pg, q, t);
    char before[8], limit[8];
    struct pg_values v = {0};
    pg_int8(&v, q->before, before);
    pg_int8(&v, q->limit, limit);
    if (q->autor.data)
        pg_bytes(&v, q->autor.data, q->autor.len);
    return pg_query(pg, q->autor.data ? &page_author : &page_any, &v, on_rows, t);
}

enum status store_posts_by_ids(struct pg *pg, const int64_t *ids, size_t n, struct posts_ticket *t)
{
    return store_query_ids(pg, &by_id, &by_ids, ids, n, on_rows, t);
}

/* ---- inserts ---- */

/* An error that lies with the row itself (SQLSTATE classes 22 data, 23 constraints, 54 limits, and
 * P0001, a trigger's RAISE) is STATUS_INVALID. `error` gets the server's words for the log, also
 * those of a server that cannot write (a full disk, a standby). */
static enum status refine(enum status st, const PGresult *res, char *error, size_t size)
{
    const char *code = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    if ((st != STATUS_INTERNAL && st != STATUS_DATABASE_AWAY) || !code)
        return st;
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(error, size, "%s: %s", code, text ? text : "?");
    if (st == STATUS_DATABASE_AWAY)
        return st;
    bool row = strncmp(code, "22", 2) == 0 || strncmp(code, "23", 2) == 0 ||
               strncmp(code, "54", 2) == 0 || strcmp(code, "P0001") == 0;
    return row ? STATUS_INVALID : STATUS_INTERNAL;
}

/* The sync: what was inserted is committed now (or nothing is). */
static void on_committed(void *ctx, enum status st, const PGresult *res)
{
    struct posts_insert *t = ctx;
    if (t->st == STATUS_OK)
        t->st = refine(st, res, t->error, sizeof t->error);
    int64_t *ids = t->ids;
    t->done(t, t->st, ids, t->n, t->data_criacao_us);
    free(ids);
}

static void on_inserted(void *ctx, enum status st, const PGresult *res)
{
    struct posts_insert *t = ctx;
    t->st = refine(st, res, t->error, sizeof t->error);
    if (st == STATUS_OK && (size_t)PQntuples(res) == t->n) {
        for (size_t i = 0; i < t->n; i++)
            t->ids[i] = pg_get_int8(res, (int)i, 0);
        t->data_criacao_us = pg_get_time(res, 0, 1);
    } else if (st == STATUS_OK) {
        t->st = STATUS_INTERNAL; /* somebody's trigger dropped the row */
    }
    if (t->unsynced)
        on_committed(t, STATUS_DATABASE_AWAY, NULL);
}

static void add_column(struct buf *b, const struct new_post *rows, size_t n, size_t offset)
{
    pg_array_begin(b, PG_TEXT, n, false);
    for (size_t i = 0; i < n; i++) {
        const struct pg_text *text = (const void *)((const char *)&rows[i] + offset);
        pg_array_bytes(b, text->data, text->len);
    }
}

static void add_row(struct pg_values *v, const struct new_post *row)
{
    pg_bytes(v, row->titulo.data, row->titulo.len);
    pg_bytes(v, row->conteudo.data, row->conteudo.len);
    pg_bytes(v, row->autor.data, row->autor.len);
}

static enum status send_row(struct pg *pg, const struct new_post *row, struct posts_insert *t)
{
    struct pg_values v = {0};
    add_row(&v, row);
    return pg_query(pg, &insert_row, &v, on_inserted, t);
}

static enum status send_rows(struct pg *pg, const struct new_post *rows, size_t n,
                             struct posts_insert *t)
{
    static const size_t column[] = {offsetof(struct new_post, titulo),
                                    offsetof(struct new_post, conteudo),
                                    offsetof(struct new_post, autor)};
    struct buf b = buf_init(INSERT_CAP);
    size_t end[3];
    for (int i = 0; i < 3; i++) {
        add_column(&b, rows, n, column[i]);
        end[i] = b.len;
    }
    struct pg_values v = {0};
    pg_array(&v, b.data, end[0]);
    pg_array(&v, b.data + end[0], end[1] - end[0]);
    pg_array(&v, b.data + end[1], end[2] - end[1]);
    enum status st =
        buf_failed(&b) ? STATUS_OVERLOADED : pg_query(pg, &insert_rows, &v, on_inserted, t);
    buf_release(&b);
    return st;
}

enum status store_posts_insert(struct pg *pg, const struct new_post *rows, size_t n,
                               struct posts_insert *t)
{
    t->n = n;
    t->st = STATUS_DATABASE_AWAY;
    t->ids = calloc(n, sizeof *t->ids);
    if (!t->ids)
        return STATUS_OVERLOADED;
    enum status st = n == 1 ? send_row(pg, rows, t) : send_rows(pg, rows, n, t);
    if (st == STATUS_OK)
        t->unsynced = pg_sync(pg, on_committed, t) != STATUS_OK;
    else
        free(t->ids);
    return st;
}

static enum posts_once_outcome outcome_of(struct pg_text text)
{
    static const char *const names[] = {"criado", "repetido", "divergente", "removido"};
    for (unsigned i = 0; i < 4; i++)
        if (text.len == strlen(names[i]) && memcmp(text.data, names[i], text.len) == 0)
            return (enum posts_once_outcome)i;
    return POSTS_ONCE_GONE;
}

static void on_once_committed(void *ctx, enum status st, const PGresult *res)
{
    struct posts_once *t = ctx;
    PGresult *kept = (PGresult *)(uintptr_t)t->result;
    if (t->st == STATUS_OK)
        t->st = refine(st, res, t->error, sizeof t->error);
    if (t->st == STATUS_OK) {
        enum posts_once_outcome outcome = outcome_of(pg_get_text(kept, 0, 5));
        struct post row = row_of(kept, 0);
        t->done(t, STATUS_OK, outcome, outcome <= POSTS_ONCE_AGAIN ? &row : NULL);
    } else {
        t->done(t, t->st, POSTS_ONCE_GONE, NULL);
    }
    PQclear(kept);
}

static void on_once(void *ctx, enum status st, const PGresult *res)
{
    struct posts_once *t = ctx;
    t->st = refine(st, res, t->error, sizeof t->error);
    if (st == STATUS_OK && PQntuples(res) != 1)
        t->st = STATUS_INTERNAL;
    t->result = t->st == STATUS_OK ? PQcopyResult(res, PG_COPYRES_TUPLES) : NULL;
    if (t->st == STATUS_OK && !t->result)
        t->st = STATUS_DATABASE_AWAY; /* no memory for the answer: as good as lost */
    if (t->unsynced)
        on_once_committed(t, STATUS_DATABASE_AWAY, NULL);
}

enum status store_posts_insert_once(struct pg *pg, struct pg_text key, const uint8_t digest[32],
                                    const struct new_post *row, struct posts_once *t)
{
    struct pg_values v = {0};
    pg_bytes(&v, key.data, key.len);
    pg_bytes(&v, digest, 32);
    add_row(&v, row);
    t->result = NULL;
    t->st = STATUS_DATABASE_AWAY;
    enum status st = pg_query(pg, &insert_once, &v, on_once, t);
    if (st == STATUS_OK)
        t->unsynced = pg_sync(pg, on_once_committed, t) != STATUS_OK;
    return st;
}

/* ---- changes ---- */

static void on_version(void *ctx, enum status st, const PGresult *res)
{
    struct posts_version *t = ctx;
    bool found = st == STATUS_OK && PQntuples(res) == 1;
    struct post row = {0};
    if (found)
        row = row_of(res, 0);
    t->done(t, st, found ? &row : NULL, found ? pg_get_int8(res, 0, 5) : 0);
}

enum status store_posts_version(struct pg *pg, int64_t id, struct posts_version *t)
{
    char space[8];
    struct pg_values v = {0};
    pg_int8(&v, id, space);
    return pg_query(pg, &version_of, &v, on_version, t);
}

static enum posts_change_outcome change_outcome(const PGresult *res)
{
    if (pg_get_int8(res, 0, 5) != 1)
        return POSTS_CHANGE_ACTOR;
    return PQgetisnull(res, 0, 0) ? POSTS_CHANGE_ABSENT : POSTS_CHANGE_DONE;
}

static void on_change_committed(void *ctx, enum status st, const PGresult *res)
{
    struct posts_change *t = ctx;
    PGresult *kept = (PGresult *)(uintptr_t)t->result;
    if (t->st == STATUS_OK)
        t->st = refine(st, res, t->error, sizeof t->error);
    if (t->st == STATUS_OK) {
        enum posts_change_outcome outcome = change_outcome(kept);
        struct post row = {0};
        if (outcome == POSTS_CHANGE_DONE)
            row = row_of(kept, 0);
        t->done(t, STATUS_OK, outcome, outcome == POSTS_CHANGE_DONE ? &row : NULL);
    } else {
        t->done(t, t->st, POSTS_CHANGE_ABSENT, NULL);
    }
    PQclear(kept);
}

static void on_changed(void *ctx, enum status st, const PGresult *res)
{
    struct posts_change *t = ctx;
    t->st = refine(st, res, t->error, sizeof t->error);
    if (st == STATUS_OK && PQntuples(res) != 1)
        t->st = STATUS_INTERNAL;
    t->result = t->st == STATUS_OK ? PQcopyResult(res, PG_COPYRES_TUPLES) : NULL;
    if (t->st == STATUS_OK && !t->result)
        t->st = STATUS_DATABASE_AWAY; /* no memory for the answer: as good as lost */
    if (t->unsynced)
        on_change_committed(t, STATUS_DATABASE_AWAY, NULL);
}

static void put_text(struct pg_values *v, struct pg_text text)
{
    if (text.data)
        pg_bytes(v, text.data, text.len);
    else
        pg_null(v);
}

enum status store_posts_change(struct pg *pg, struct posts_change *t)
{
    struct store_values v = {0};
    store_auditoria_add(&v, &t->actor);
    store_value_int(&v, t->id);
    store_value_int(&v, t->version);
    if (t->kind == POSTS_UPDATE) {
        put_text(&v.v, t->row.titulo);
        put_text(&v.v, t->row.conteudo);
        put_text(&v.v, t->row.autor);
    }
    t->result = NULL;
    t->st = STATUS_DATABASE_AWAY;
    t->unsynced = false;
    t->error[0] = 0;
    enum status st = pg_query(pg, t->kind == POSTS_UPDATE ? &update : &delete, &v.v, on_changed, t);
    if (st == STATUS_OK)
        t->unsynced = pg_sync(pg, on_change_committed, t) != STATUS_OK;
    return st;
}

/* ---- count ---- */

static void on_count(void *ctx, enum status st, const PGresult *res)
{
    struct posts_count *t = ctx;
    t->done(t, st, st == STATUS_OK && PQntuples(res) == 1 ? pg_get_int8(res, 0, 0) : 0);
}

enum status store_posts_count(struct pg *pg, struct posts_count *t)
{
    struct pg_values v = {0};
    return pg_query(pg, &count_all, &v, on_count, t);
}
