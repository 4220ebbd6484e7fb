/* store_evento: owns the SQL of events. */
#include "store_evento.h"

#include <endian.h>
#include <string.h>

#define COLUMNS                                                                                    \
    "chave, objeto, campo, entidade, assunto, estado, contato, ocorrido_em, conteudo, ordem"
#define VALUES "k, o, c, e, a, s, p, t, j, n"
/* The newest wins; entrega_id stays that of the first delivery. */
#define UNLESS_NEWER                                                                               \
    " ON CONFLICT (chave) DO UPDATE SET conteudo = excluded.conteudo,"                             \
    " ocorrido_em = excluded.ocorrido_em, estado = excluded.estado, ordem = excluded.ordem,"       \
    " contato = excluded.contato"                                                                  \
    " WHERE excluded.ocorrido_em > eventos.ocorrido_em"                                            \
    " OR (eventos.ocorrido_em IS NULL AND excluded.ocorrido_em IS NOT NULL)"
#define TYPES                                                                                      \
    PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,      \
        PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_JSONB_ARRAY, PG_INT8_ARRAY

/* A scalar subquery, and unprepared: it is a probe of an index for each row, in the order of the
 * rows, as they are sorted. A join could be done in another order, and a plan that was kept from
 * when the table was small would read all of it for each row. */
static const struct pg_statement insert_queued = {
    .name = "",
    .sql = "INSERT INTO eventos (entrega_id, " COLUMNS ") SELECT (SELECT id FROM entregas"
           " WHERE fila_id = f AND recebida_em = r), " VALUES
           " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
           " AS u(" VALUES ", f, r)" UNLESS_NEWER,
    .n_params = 12,
    .types = {TYPES, PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY}};

static const struct pg_statement insert_direct = {
    .name = "",
    .sql = "INSERT INTO eventos (entrega_id, " COLUMNS ") SELECT i, " VALUES
           " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
           " AS u(" VALUES ", i)" UNLESS_NEWER,
    .n_params = 11,
    .types = {TYPES, PG_INT8_ARRAY}};

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
    static const size_t texts[] = {
        offsetof(struct new_evento, chave),   offsetof(struct new_evento, objeto),
        offsetof(struct new_evento, campo),   offsetof(struct new_evento, entidade),
        offsetof(struct new_evento, assunto), offsetof(struct new_evento, estado),
        offsetof(struct new_evento, contato)};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        store_column_texts(c, (const void *const *)rows, n, texts[i]);
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
    pg_array_begin(&c->b, PG_INT8, n, true);
    for (size_t i = 0; i < n; i++) {
        if (rows[i]->ordem == 0)
            pg_array_bytes(&c->b, NULL, 0);
        else
            pg_array_int8(&c->b, rows[i]->ordem);
    }
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
