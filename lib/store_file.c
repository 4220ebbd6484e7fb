/* store_file: owns the SQL of files and the decoding of its rows. All are rare and planned at each
 * use. */
#include "store_file.h"

#include <string.h>

#include "store_values.h"

#define COLUMNS "id, nome, tipo, bytes, sha256, criado_em, criado_por"
enum { FILE_COLUMNS = 7 };         /* so many */
#define LAST_US 253370764800000000 /* the year 9999: behind every row */

static const struct pg_statement by_id = {.name = "",
                                          .sql = "SELECT " COLUMNS ", 0::bigint FROM arquivos"
                                                 " WHERE id = $1",
                                          .n_params = 1,
                                          .types = {PG_TEXT}};

static const struct pg_statement page = {
    .name = "",
    .sql = "SELECT a.id, a.nome, a.tipo, a.bytes, a.sha256, a.criado_em, a.criado_por, u.bytes"
           " FROM arquivos_uso u LEFT JOIN LATERAL (SELECT * FROM arquivos"
           " WHERE (criado_em, id) < ($1, $2) ORDER BY criado_em DESC, id DESC LIMIT $3) a ON true"
           " ORDER BY a.criado_em DESC, a.id DESC",
    .n_params = 3,
    .types = {PG_TIMESTAMPTZ, PG_TEXT, PG_INT8}};

static const struct pg_statement announce = {
    .name = "",
    .sql = "SELECT arquivo_anunciar($1, $2, $3, $4, $5)",
    .n_params = 5,
    .types = {PG_INT8, PG_INT8, PG_TEXT, PG_INT8, PG_INT8}};

static const struct pg_statement keep = {
    .name = "",
    .sql = "SELECT situacao, " COLUMNS ", CASE WHEN situacao = 'ok' THEN auditar(" AUDITORIA_QUEM
           ", 'arquivo_enviado', 'arquivo:' || id,"
           " jsonb_build_object('nome', nome, 'tipo', tipo, 'bytes', bytes)) END"
           " FROM arquivo_guardar($1, $2, $5, $6, $7, $8, $9, $10)",
    .n_params = 10,
    .types = {AUDITORIA_TYPES, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8, PG_BYTEA, PG_INT8}};

static const struct pg_statement drop = {
    .name = "",
    .sql = "SELECT situacao, CASE WHEN situacao = 'ok' THEN auditar(" AUDITORIA_QUEM
           ", 'arquivo_removido', 'arquivo:' || $5, NULL) END"
           " FROM arquivo_remover($1, $2, $5) situacao",
    .n_params = 5,
    .types = {AUDITORIA_TYPES, PG_TEXT}};

static const struct pg_statement sweep = {
    .name = "", .sql = "SELECT arquivos_restos_tomar($1)", .n_params = 1, .types = {PG_INT8}};

static const struct pg_statement swept = {
    .name = "",
    .sql = "DELETE FROM arquivos_restos WHERE id = $1 AND apagar",
    .n_params = 1,
    .types = {PG_TEXT}};

/* ---- reading ---- */

static struct file_row row_of(const PGresult *res, int row, int column)
{
    return (struct file_row){.id = pg_get_text(res, row, column),
                             .nome = pg_get_text(res, row, column + 1),
                             .tipo = pg_get_text(res, row, column + 2),
                             .bytes = pg_get_int8(res, row, column + 3),
                             .sha256 = pg_get_text(res, row, column + 4),
                             .criado_us = pg_get_time(res, row, column + 5),
                             .criado_por = pg_get_text(res, row, column + 6)};
}

static void on_rows(void *ctx, enum status st, const PGresult *res)
{
    struct file_query *q = ctx;
    struct file_row rows[FILE_PAGE_MAX + 1] = {0};
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    int64_t used = n > 0 ? pg_get_int8(res, 0, 7) : 0;
    if (n > FILE_PAGE_MAX + 1)
        n = FILE_PAGE_MAX + 1;
    if (n > 0 && PQgetisnull(res, 0, 0)) /* what is used, and no file */
        n = 0;
    for (int i = 0; i < n; i++)
        rows[i] = row_of(res, i, 0);
    q->done(q, st, rows, (size_t)n, used);
}

enum status store_file_by_id(struct pg *pg, struct pg_text id, struct file_query *q)
{
    struct pg_values v = {0};
    pg_bytes(&v, id.data, id.len);
    return pg_query(pg, &by_id, &v, on_rows, q);
}

enum status store_file_page(struct pg *pg, int64_t antes_us, struct pg_text antes_id,
                            int64_t limite, struct file_query *q)
{
    char space[2][8];
    struct pg_values v = {0};
    pg_time(&v, antes_id.data ? antes_us : LAST_US, space[0]);
    pg_bytes(&v, antes_id.data, antes_id.data ? antes_id.len : 0);
    pg_int8(&v, limite, space[1]);
    return pg_query(pg, &page, &v, on_rows, q);
}

/* ---- changing ---- */

static enum file_outcome outcome_of(struct pg_text text)
{
    static const char *const names[] = {[FILE_OK] = "ok",
                                        [FILE_ACTOR] = "ator",
                                        [FILE_FULL] = "cheio",
                                        [FILE_LATE] = "tarde",
                                        [FILE_ABSENT] = "ausente"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text.len == strlen(names[i]) && memcmp(text.data, names[i], text.len) == 0)
            return (enum file_outcome)i;
    return FILE_ABSENT;
}

static void on_changed(void *ctx, enum status st, const PGresult *res)
{
    struct file_change *c = ctx;
    c->st = st;
    if (st != STATUS_OK || PQntuples(res) != 1) {
        c->st = st == STATUS_OK ? STATUS_INTERNAL : st;
        return;
    }
    c->outcome = outcome_of(pg_get_text(res, 0, 0));
    if (c->outcome != FILE_OK || PQnfields(res) <= FILE_COLUMNS)
        return;
    c->result = PQcopyResult(res, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (!c->result)
        c->st = STATUS_DATABASE_AWAY; /* no memory for the answer: as good as lost */
}

static void on_committed(void *ctx, enum status st, const PGresult *none)
{
    (void)none;
    struct file_change *c = ctx;
    PGresult *res = (PGresult *)(uintptr_t)c->result;
    struct file_row row = {0};
    if (c->st == STATUS_OK)
        c->st = st;
    if (res)
        row = row_of(res, 0, 1);
    c->done(c, c->st, c->outcome, c->st == STATUS_OK && res ? &row : NULL);
    PQclear(res);
}

/* One transaction; what changes a file notes it itself. */
static enum status run(struct pg *pg, const struct pg_statement *s, const struct pg_values *v,
                       struct file_change *c)
{
    c->result = NULL;
    c->st = STATUS_DATABASE_AWAY;
    c->outcome = FILE_ABSENT;
    enum status st = pg_query(pg, s, v, on_changed, c);
    if (st == STATUS_OK) /* behind a query it is always taken */
        pg_sync(pg, on_committed, c);
    return st;
}

static void put_text(struct store_values *v, struct pg_text text)
{
    pg_bytes(&v->v, text.data, text.len);
}

enum status store_file_announce(struct pg *pg, const struct auditoria_quem *quem, struct pg_text id,
                                int64_t bytes, int64_t limite, struct file_change *c)
{
    struct store_values v = {0};
    store_value_int(&v, quem->id);
    store_value_int(&v, quem->desde);
    put_text(&v, id);
    store_value_int(&v, bytes);
    store_value_int(&v, limite);
    return run(pg, &announce, &v.v, c);
}

enum status store_file_keep(struct pg *pg, const struct auditoria_quem *quem,
                            const struct file_new *f, int64_t limite, struct file_change *c)
{
    struct store_values v = {0};
    store_auditoria_add(&v, quem);
    put_text(&v, f->id);
    put_text(&v, f->nome);
    put_text(&v, f->tipo);
    store_value_int(&v, f->bytes);
    pg_bytes(&v.v, f->sha256, sizeof f->sha256);
    store_value_int(&v, limite);
    return run(pg, &keep, &v.v, c);
}

enum status store_file_remove(struct pg *pg, const struct auditoria_quem *quem, struct pg_text id,
                              struct file_change *c)
{
    struct store_values v = {0};
    store_auditoria_add(&v, quem);
    put_text(&v, id);
    return run(pg, &drop, &v.v, c);
}

/* ---- sweeping ---- */

static void on_taken(void *ctx, enum status st, const PGresult *res)
{
    struct file_sweep *s = ctx;
    s->st = st;
    int n = st == STATUS_OK ? PQntuples(res) : 0;
    for (int i = 0; i < n && s->n < FILE_SWEEP_MAX; i++) {
        struct pg_text id = pg_get_text(res, i, 0);
        if (id.len != FILE_ID_LEN)
            continue;
        memcpy(s->ids[s->n], id.data, FILE_ID_LEN);
        s->ids[s->n++][FILE_ID_LEN] = '\0';
    }
}

static void on_swept(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    struct file_sweep *s = ctx;
    if (s->st == STATUS_OK)
        s->st = st;
    s->done(s, s->st, s->st == STATUS_OK ? s->n : 0);
}

enum status store_file_sweep(struct pg *pg, struct file_sweep *s)
{
    char space[8];
    struct pg_values v = {0};
    pg_int8(&v, FILE_SWEEP_MAX, space);
    s->n = 0;
    enum status st = pg_query(pg, &sweep, &v, on_taken, s);
    if (st == STATUS_OK)
        pg_sync(pg, on_swept, s);
    return st;
}

static void on_gone(void *ctx, enum status st, const PGresult *res)
{
    (void)ctx;
    (void)st;
    (void)res;
}

void store_file_swept(struct pg *pg, struct pg_text id)
{
    struct pg_values v = {0};
    pg_bytes(&v, id.data, id.len);
    if (pg_query(pg, &swept, &v, on_gone, NULL) == STATUS_OK)
        pg_sync(pg, NULL, NULL);
}
