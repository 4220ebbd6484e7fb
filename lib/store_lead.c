/* store_lead: owns the SQL of leads. The event of a lead stands in the same transaction before it
 * and knows the delivery: entrega_id is taken from there. */
#include "store_lead.h"

#include <stdlib.h>
#include <string.h>

/* Unprepared, as in store_evento.c. */
static const struct pg_statement insert = {
    .name = "",
    .sql = "INSERT INTO leads (leadgen_id, pagina_id, formulario_id, anuncio_id, conjunto_id,"
           " criado_em, estado, entrega_id)"
           " SELECT l, p, f, a, c, t, s, (SELECT entrega_id FROM eventos WHERE chave = 'leadgen:' "
           "|| l)"
           " FROM unnest($1, $2, $3, $4, $5, $6, $7) AS u(l, p, f, a, c, t, s)"
           " ON CONFLICT (leadgen_id) DO NOTHING",
    .n_params = 7,
    .types = {PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
              PG_TIMESTAMPTZ_ARRAY, PG_TEXT_ARRAY}};

enum status store_lead_insert(struct store_tx *tx, struct pg *pg,
                              const struct new_lead *const *rows, size_t n)
{
    static const size_t texts[] = {
        offsetof(struct new_lead, leadgen_id), offsetof(struct new_lead, pagina_id),
        offsetof(struct new_lead, formulario_id), offsetof(struct new_lead, anuncio_id),
        offsetof(struct new_lead, conjunto_id)};
    struct store_columns c = store_columns_init();
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        store_column_texts(&c, (const void *const *)rows, n, texts[i]);
    pg_array_begin(&c.b, PG_TIMESTAMPTZ, n, false);
    for (size_t i = 0; i < n; i++)
        pg_array_time(&c.b, rows[i]->criado_us == STORE_NO_TIME
                                ? rows[i]->entrega->event.recebida_us
                                : rows[i]->criado_us);
    store_column_end(&c);
    pg_array_begin(&c.b, PG_TEXT, n, false);
    for (size_t i = 0; i < n; i++) {
        const char *estado = rows[i]->teste ? "teste" : "pendente";
        pg_array_bytes(&c.b, estado, strlen(estado));
    }
    store_column_end(&c);
    return store_columns_query(&c, tx, pg, &insert);
}
