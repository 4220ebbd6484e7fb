/* file_json: owns the members of a file. */
#include "file_json.h"

#include "jsonput.h"
#include "text.h"

static void member(struct buf *b, const char *name, struct pg_text text)
{
    buf_printf(b, ",\"%s\":", name);
    jsonput_string(b, text.data, text.len);
}

void file_json(struct buf *b, const struct file_row *f)
{
    char hex[2 * SHA256_LEN] = {0};
    if (f->sha256.len == SHA256_LEN)
        text_hex((const uint8_t *)f->sha256.data, SHA256_LEN, hex);
    buf_lit(b, "{\"id\":");
    jsonput_string(b, f->id.data, f->id.len);
    member(b, "nome", f->nome);
    member(b, "tipo", f->tipo);
    buf_printf(b, ",\"bytes\":%lld", (long long)f->bytes);
    member(b, "sha256", (struct pg_text){hex, sizeof hex});
    buf_lit(b, ",\"criado_em\":");
    jsonput_time(b, f->criado_us);
    member(b, "criado_por", f->criado_por);
    buf_char(b, '}');
}
