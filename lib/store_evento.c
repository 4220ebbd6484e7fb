/* store_evento: owns the SQL of events. */
#include "store_evento.h"

#include <endian.h>
#include <string.h>

#define COLUMNS "chave, objeto, campo, entidade, ocorrido_em, conteudo"

/* A scalar subquery, and unprepared: it is a probe of an index for each row, in the order of the
 * rows, as they are sorted. A join could be done in another order, and a plan that was kept from
 * when the table was small would read all of it for each row. */
static const struct pg_statement insert_queued = {
    .name = "",
    .sql = "INSERT INTO eventos (entrega_id, " COLUMNS ") SELECT (SELECT id FROM entregas"
           " WHERE fila_id = f AND recebida_em = r), k, o, c, e, t, j"
           " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS u(k, o, c, e, t, j, f, r)"
           " ON CONFLICT (chave) DO NOTHING",
    .n_params = 8,
    .types = {PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY,
              PG_JSONB_ARRAY, PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY}};

static const struct pg_statement insert_direct = {
    .name = "",
    .sql = "INSERT INTO eventos (entrega_id, " COLUMNS ") SELECT i, k, o, c, e, t, j"
           " FROM unnest($1, $2, $3, $4, $5, $6, $7) AS u(k, o, c, e, t, j, i)"
           " ON CONFLICT (chave) DO NOTHING",
    .n_params = 7,
    .types = {PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY,
              PG_JSONB_ARRAY, PG_INT8_ARRAY}};

static void add_texts(struct store_columns *c, const struct new_evento *const *rows, size_t n,
                      size_t offset)
{
    pg_array_begin(&c->b, PG_TEXT, n, true);
    for (size_t i = 0; i < n; i++) {
        const struct pg_text *text = (const void *)((const char *)rows[i] + offset);
        pg_array_bytes(&c->b, text->data, text->len);
    }
    store_column_end(c);
}

/* jsonb's binary form is a version byte and the text (jsonb_recv). */
static void add_json(struct buf *b, struct pg_text json)
{
    if (!json.data) {
        pg_array_bytes(b, NULL, 0);
        return;
    }
    uint32_t len = htobe32((uint32_t)json.len + 1);
    buf_add(b, &len, sizeof len);
    buf_char(b, 1);
    buf_add(b, json.data, json.len);
}

static void add_columns(struct store_columns *c, const struct new_evento *const *rows, size_t n)
{
    add_texts(c, rows, n, offsetof(struct new_evento, chave));
    add_texts(c, rows, n, offsetof(struct new_evento, objeto));
    add_texts(c, rows, n, offsetof(struct new_evento, campo));
    add_texts(c, rows, n, offsetof(struct new_evento, entidade));
    pg_array_begin(&c->b, PG_TIMESTAMPTZ, n, true);
    for (size_t i = 0; i < n; i++) {
        if (rows[i]->ocorrido_us == STORE_NO_TIME)
            pg_array_bytes(&c->b, NULL, 0);
        else
            pg_array_time(&c->b, rows[i]->ocorrido_us);
    }
    store_column_end(c);
    pg_array_begin(&c->b, PG_JSONB, n, true);
    for (size_t i = 0; i < n; i++)
        add_json(&c->b, rows[i]->conteudo);
    store_column_end(c);
}

enum status store_evento_insert(struct store_tx *tx, struct pg *pg,
                                const struct new_evento *const *rows, size_t n)
{
    struct store_columns c = store_columns_init();
    bool direct = n > 0 && rows[0]->entrega->id;
    add_columns(&c, rows, n);
    if (direct) {
        pg_array_begin(&c.b, PG_INT8, n, false);
        for (size_t i = 0; i < n; i++)
            pg_array_int8(&c.b, rows[i]->entrega->id);
        store_column_end(&c);
        return store_columns_query(&c, tx, pg, &insert_direct);
    }
    char id[EVENT_ID_MAX];
    pg_array_begin(&c.b, PG_TEXT, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_bytes(&c.b, id, event_id_format(rows[i]->entrega->event.id, id));
    store_column_end(&c);
    pg_array_begin(&c.b, PG_TIMESTAMPTZ, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_time(&c.b, rows[i]->entrega->event.recebida_us);
    store_column_end(&c);
    return store_columns_query(&c, tx, pg, &insert_queued);
}
