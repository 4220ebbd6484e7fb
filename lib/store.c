/* store: owns the meaning of SQLSTATE for those who have to decide what to do with their data. */
#include "store.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

void store_tx_begin(struct store_tx *t)
{
    t->open = 0;
    t->st = STATUS_OK;
    t->reason[0] = '\0';
}

/* PostgreSQL 15 documentation, appendix A. pg told the lost connection and the time-outs apart. */
static enum status status_of(enum status st, const PGresult *res)
{
    bool told = st == STATUS_INTERNAL || st == STATUS_DEADLINE;
    const char *code = told ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    if (!code)
        return st;
    if (strcmp(code, "55P03") == 0)
        return STATUS_LOCKED;
    if (strcmp(code, "40P01") == 0 || strcmp(code, "40001") == 0)
        return STATUS_CONFLICT;
    if (strncmp(code, "22", 2) == 0 || strncmp(code, "23", 2) == 0 || strncmp(code, "54", 2) == 0)
        return STATUS_INVALID;
    return st;
}

static void note_reason(struct store_tx *t, const PGresult *res)
{
    const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    if (!code) /* libpq's own, about the connection: pg has told of it */
        return;
    snprintf(t->reason, sizeof t->reason, "%s: %s", code, message ? message : "");
    size_t len = strlen(t->reason);
    while (len > 0 && !text_utf8(t->reason, len, NULL)) /* cut within a character */
        t->reason[--len] = '\0';
}

/* After a failure the rest answers STATUS_CONFLICT (not run), which says nothing new. */
void store_tx_answer(struct store_tx *t, enum status st, const PGresult *res)
{
    if (st != STATUS_OK && t->st == STATUS_OK) {
        t->st = status_of(st, res);
        if (res && PQresultStatus(res) == PGRES_FATAL_ERROR)
            note_reason(t, res);
    }
    if (--t->open == 0)
        t->done(t, t->st);
}

static void on_answer(void *ctx, enum status st, const PGresult *res)
{
    store_tx_answer(ctx, st, res);
}

void store_tx_expect(struct store_tx *t)
{
    t->open++;
}

enum status store_tx_query(struct store_tx *t, struct pg *pg, const struct pg_statement *s,
                           const struct pg_values *v)
{
    enum status st = pg_query(pg, s, v, on_answer, t);
    if (st == STATUS_OK)
        t->open++;
    return st;
}

/* Without a sync of its own the transaction ends with the next one, or with the connection: either
 * way its statements answer, and the outcome is unknown. */
enum status store_tx_commit(struct store_tx *t, struct pg *pg)
{
    enum status st = pg_sync(pg, on_answer, t);
    if (st == STATUS_OK)
        t->open++;
    else if (t->open > 0)
        t->st = STATUS_DATABASE_AWAY;
    return t->open > 0 ? STATUS_OK : st;
}

enum { COLUMNS_CAP = 768 << 20 }; /* below the 1 GiB that PostgreSQL takes in one message */

struct store_columns store_columns_init(void)
{
    return (struct store_columns){.b = buf_init(COLUMNS_CAP)};
}

void store_column_end(struct store_columns *c)
{
    c->end[c->n++] = c->b.len;
}

void store_column_texts(struct store_columns *c, const void *const *rows, size_t n, size_t offset)
{
    pg_array_begin(&c->b, PG_TEXT, n, true);
    for (size_t i = 0; i < n; i++) {
        const struct pg_text *text = (const void *)((const char *)rows[i] + offset);
        pg_array_bytes(&c->b, text->data, text->len);
    }
    store_column_end(c);
}

enum status store_columns_query(struct store_columns *c, struct store_tx *t, struct pg *pg,
                                const struct pg_statement *s)
{
    struct pg_values v = {0};
    size_t start = 0;
    for (int i = 0; i < c->n && !buf_failed(&c->b); i++) {
        pg_array(&v, c->b.data + start, c->end[i] - start);
        start = c->end[i];
    }
    enum status st = buf_failed(&c->b) ? STATUS_OVERLOADED : store_tx_query(t, pg, s, &v);
    buf_release(&c->b);
    return st;
}

size_t store_ids_add(int64_t *ids, size_t n, int64_t id)
{
    enum { LOOK_BACK = 8 };
    size_t i = n > LOOK_BACK ? n - LOOK_BACK : 0;
    while (i < n && ids[i] != id)
        i++;
    ids[i] = id;
    return i == n ? n + 1 : n;
}

static enum status query_id(struct pg *pg, const struct pg_statement *s, int64_t id, pg_fn fn,
                            void *ctx)
{
    char space[8];
    struct pg_values v = {0};
    pg_int8(&v, id, space);
    return pg_query(pg, s, &v, fn, ctx);
}

enum status store_query_ids(struct pg *pg, const struct pg_statement *one,
                            const struct pg_statement *many, const int64_t *ids, size_t n, pg_fn fn,
                            void *ctx)
{
    if (n == 1)
        return query_id(pg, one, ids[0], fn, ctx);
    struct buf array = buf_init(20 + n * 12); /* its head, and 12 bytes each */
    pg_array_begin(&array, PG_INT8, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_int8(&array, ids[i]);
    struct pg_values v = {0};
    pg_array(&v, array.data, array.len);
    enum status st = buf_failed(&array) ? STATUS_OVERLOADED : pg_query(pg, many, &v, fn, ctx);
    buf_release(&array);
    return st;
}
