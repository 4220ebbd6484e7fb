/* evento_json: owns what of an event names a person, beside its content: a WhatsApp message's id
 * holds a telephone number, and keys of messages and comments hold ids of their authors. */
#include "evento_json.h"

#include <string.h>

#include "archive.h"
#include "jsonput.h"
#include "redact.h"

static bool is(struct pg_text text, const char *word)
{
    return text.data && text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

/* Of a key only its kind: "wamid:[oculto]". A lead's id names nobody. */
static void put_key(struct buf *b, struct pg_text key, bool redacted)
{
    static const char open[] = "leadgen:";
    const char *colon = key.data ? memchr(key.data, ':', key.len) : NULL;
    bool lead =
        key.data && key.len >= sizeof open - 1 && memcmp(key.data, open, sizeof open - 1) == 0;
    char kind[64];
    size_t n = colon ? (size_t)(colon - key.data) + 1 : 0;
    if (!redacted || lead || !key.data) {
        archive_put_text(b, "chave", key);
    } else if (n == 0 || n + sizeof REDACT_MARK > sizeof kind) {
        archive_put_hidden(b, "chave", key);
    } else {
        memcpy(kind, key.data, n);
        memcpy(kind + n, REDACT_MARK, sizeof REDACT_MARK - 1);
        archive_put_text(b, "chave", (struct pg_text){kind, n + sizeof REDACT_MARK - 1});
    }
}

/* A page or account is no person; of other objects nobody knows. */
static bool entity_is_open(const struct evento *e)
{
    return is(e->objeto, "page") || is(e->objeto, "instagram") ||
           is(e->objeto, "whatsapp_business_account");
}

static void put_content(struct buf *b, struct pg_text content, bool redacted)
{
    buf_lit(b, ",\"conteudo\":");
    if (!content.data || (redacted && !redact_json(b, content.data, content.len)))
        buf_lit(b, "null");
    else if (!redacted)
        buf_add(b, content.data, content.len);
}

void evento_json(struct buf *b, const struct evento *e, bool redacted)
{
    void (*person)(struct buf *, const char *, struct pg_text) =
        redacted ? archive_put_hidden : archive_put_text;
    buf_printf(b, "{\"id\":%lld,\"entrega_id\":%lld", (long long)e->id, (long long)e->entrega_id);
    put_key(b, e->chave, redacted);
    archive_put_text(b, "objeto", e->objeto);
    archive_put_text(b, "campo", e->campo);
    if (entity_is_open(e))
        archive_put_text(b, "entidade", e->entidade);
    else
        person(b, "entidade", e->entidade);
    person(b, "assunto", e->assunto);
    archive_put_text(b, "estado", e->estado);
    person(b, "contato", e->contato);
    archive_put_time(b, "ocorrido_em", e->ocorrido_us);
    archive_put_time(b, "criado_em", e->criado_us);
    put_content(b, e->conteudo, redacted);
    buf_printf(b, ",\"conteudo_omitido\":%s}", e->omitido ? "true" : "false");
}

void evento_json_short(struct buf *b, const struct evento *e, bool redacted)
{
    buf_printf(b, "{\"id\":%lld", (long long)e->id);
    put_key(b, e->chave, redacted);
    archive_put_text(b, "objeto", e->objeto);
    archive_put_text(b, "campo", e->campo);
    archive_put_text(b, "estado", e->estado);
    buf_char(b, '}');
}
