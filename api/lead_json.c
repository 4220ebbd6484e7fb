/* lead_json: owns the rule of what of a lead names a person: all that the person filled in. */
#include "lead_json.h"

#include <string.h>

#include "archive.h"
#include "jsonput.h"
#include "jsonscan.h"
#include "redact.h"

bool lead_is_test(const struct lead *l)
{
    return l->estado.len == 5 && memcmp(l->estado.data, "teste", 5) == 0;
}

void lead_json_begin(struct buf *b, const struct lead *l, bool hidden)
{
    void (*person)(struct buf *, const char *, struct pg_text) =
        hidden ? archive_put_hidden : archive_put_text;
    buf_lit(b, "{\"leadgen_id\":");
    jsonput_string(b, l->leadgen_id.data, l->leadgen_id.len);
    archive_put_text(b, "pagina_id", l->pagina_id);
    archive_put_text(b, "formulario_id", l->formulario_id);
    archive_put_text(b, "anuncio_id", l->anuncio_id);
    archive_put_text(b, "conjunto_id", l->conjunto_id);
    archive_put_text(b, "estado", l->estado);
    buf_printf(b, ",\"teste\":%s", lead_is_test(l) ? "true" : "false");
    person(b, "nome", l->nome);
    person(b, "email", l->email);
    person(b, "telefone", l->telefone);
    archive_put_time(b, "criado_em", l->criado_us);
    archive_put_time(b, "recebido_em", l->recebido_us);
    if (l->entrega_id)
        archive_put_int(b, "entrega_id", l->entrega_id);
    else
        buf_lit(b, ",\"entrega_id\":null");
}

/* ---- the fields ---- */

static void put_value(struct buf *b, struct jsonscan v)
{
    if (v.type == JSONSCAN_NULL)
        buf_lit(b, "null");
    else
        buf_lit(b, "\"" REDACT_MARK "\"");
}

static void put_hidden_field(struct buf *b, struct jsonscan field)
{
    struct jsonscan name = jsonscan_get(field, "name"), values = jsonscan_get(field, "values"), v;
    struct jsonscan_walk walk = {0};
    buf_lit(b, "{\"name\":");
    if (name.type == JSONSCAN_STRING)
        buf_add(b, name.text, name.len);
    else
        buf_lit(b, "null");
    buf_lit(b, ",\"values\":[");
    for (bool first = true; jsonscan_next(values, &walk, &v); first = false) {
        buf_str(b, first ? "" : ",");
        put_value(b, v);
    }
    buf_lit(b, "]}");
}

void lead_json_fields(struct buf *b, struct pg_text campos, bool hidden)
{
    struct jsonscan list, field;
    struct jsonscan_walk walk = {0};
    if (!campos.data || jsonscan_check(campos.data, campos.len, &list) ||
        list.type != JSONSCAN_ARRAY) {
        buf_lit(b, "null");
        return;
    }
    if (!hidden) {
        buf_add(b, campos.data, campos.len);
        return;
    }
    buf_char(b, '[');
    for (bool first = true; jsonscan_next(list, &walk, &field); first = false) {
        buf_str(b, first ? "" : ",");
        put_hidden_field(b, field);
    }
    buf_char(b, ']');
}
