/* job_whatsapp: one change with several messages, statuses or errors becomes an event for each.
 *
 * {"field":"messages","value":{"metadata":{…},"contacts":[…],"messages":[…],"statuses":[…],
 * "errors":[…]}}; "smb_message_echoes" has message_echoes[], "history" has messages[] in threads[]
 * in history[]. An event's content is the change as if it had brought that element alone, so that
 * it can be read by itself. Source: Meta, WhatsApp Business Platform, "Webhooks", "messages",
 * "smb_message_echoes", "history", "Business-scoped user IDs". */
#include <string.h>

#include "buf.h"
#include "jobs.h"
#include "jsonput.h"

enum {
    CONTACTS_MAX = 64,   /* of one change that are looked at; Meta sends one */
    METADATA_MAX = 1024, /* bytes: more is left out of the contents */
    CONTACT_MAX = 4096,
    SPARE = 4096 /* the contents may take twice the change's bytes and so many */
};

struct contact {
    struct jsonscan whole;
    struct pg_text wa_id, user_id;
};

struct change {
    struct job_update of; /* of one element */
    struct job_rows *rows;
    struct jsonscan metadata;
    struct contact contacts[CONTACTS_MAX];
    size_t n_contacts;
    size_t spare; /* bytes that contents may still take */
};

/* ---- contacts ---- */

static void find_contacts(struct change *c, struct jsonscan list)
{
    static const char *const names[] = {"wa_id", "user_id"};
    struct jsonscan_walk w = {NULL};
    struct jsonscan contact, v[2];
    while (c->n_contacts < CONTACTS_MAX && jsonscan_next(list, &w, &contact)) {
        jsonscan_pick(contact, 2, names, v);
        c->contacts[c->n_contacts++] =
            (struct contact){contact, job_id(v[0], c->rows->arena), job_id(v[1], c->rows->arena)};
    }
}

static bool is_same(struct pg_text a, struct pg_text b)
{
    return a.data && b.data && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The element's own; the only one there is, for phone and wa_id may differ; or none. */
static const struct contact *contact_of(const struct change *c, struct jsonscan element)
{
    struct arena *arena = c->rows->arena;
    struct pg_text phone = job_id(job_at(element, "recipient_id|to|from"), arena);
    struct pg_text user =
        job_id(job_at(element, "recipient_user_id|to_user_id|from_user_id|user_id"), arena);
    for (size_t i = 0; i < c->n_contacts; i++)
        if (is_same(c->contacts[i].user_id, user) || is_same(c->contacts[i].wa_id, phone))
            return &c->contacts[i];
    return c->n_contacts == 1 ? &c->contacts[0] : NULL;
}

/* ---- content ---- */

static bool may_add(struct jsonscan v, size_t max)
{
    return v.type != JSONSCAN_NONE && v.len <= max && jsonscan_fits_jsonb(v);
}

static void put_change(const struct change *c, struct jsonscan element, const struct contact *k,
                       struct buf *b)
{
    buf_lit(b, "{\"field\":");
    jsonput_string(b, c->of.campo.data, c->of.campo.len);
    buf_lit(b, ",\"value\":{");
    if (may_add(c->metadata, METADATA_MAX)) {
        buf_lit(b, "\"metadata\":");
        buf_add(b, c->metadata.text, c->metadata.len);
        buf_char(b, ',');
    }
    if (k && may_add(k->whole, CONTACT_MAX)) {
        buf_lit(b, "\"contacts\":[");
        buf_add(b, k->whole.text, k->whole.len);
        buf_lit(b, "],");
    }
    buf_printf(b, "\"%s\":[", c->of.list);
    buf_add(b, element.text, element.len);
    buf_lit(b, "]}}");
}

/* Sets u's content: the element alone when more would be too much, NULL when jsonb does not take
 * it.
 */
static enum status compose(struct change *c, struct job_update *u, const struct contact *k)
{
    enum status st = STATUS_OK;
    if (!jsonscan_fits_jsonb(u->body))
        return STATUS_OK;
    struct buf b = buf_init(c->spare);
    put_change(c, u->body, k, &b);
    if (buf_failed(&b)) {
        u->conteudo = (struct pg_text){u->body.text, u->body.len};
    } else {
        u->conteudo = (struct pg_text){arena_copy(c->rows->arena, b.data, b.len), b.len};
        st = u->conteudo.data ? STATUS_OK : STATUS_OVERLOADED;
        c->spare -= b.len;
    }
    buf_release(&b);
    return st;
}

/* ---- splitting ---- */

/* A status never goes backwards, whatever the order in which they come: failed beats sent alone. */
static int16_t rank_of(struct pg_text status)
{
    static const char *const ranks[] = {"sent", "failed", "delivered", "read", "played"};
    for (unsigned i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        if (status.len == strlen(ranks[i]) && memcmp(status.data, ranks[i], status.len) == 0)
            return (int16_t)(i + 1);
    return 0;
}

static enum status add_element(struct change *c, struct jsonscan element)
{
    struct job_update u = c->of;
    if (c->rows->n_eventos >= c->rows->max_eventos)
        return STATUS_INVALID;
    const struct contact *k = contact_of(c, element);
    u.body = u.root = element;
    enum status st = compose(c, &u, k);
    if (st == STATUS_OK)
        st = jobs_run_update(&u, c->rows);
    if (st != STATUS_OK)
        return st;
    struct new_evento *evento = &c->rows->eventos[c->rows->n_eventos - 1];
    if (strcmp(u.list, "statuses") == 0)
        evento->ordem = rank_of(evento->estado);
    if (!evento->contato.data && k)
        evento->contato = k->wa_id.data ? k->wa_id : k->user_id;
    return STATUS_OK;
}

static enum status add_list(struct change *c, const char *name, struct jsonscan list)
{
    struct jsonscan_walk w = {NULL};
    struct jsonscan element;
    enum status st = STATUS_OK;
    c->of.list = name;
    while (st == STATUS_OK && jsonscan_next(list, &w, &element))
        st = add_element(c, element);
    return st;
}

static enum status add_threads(struct change *c, struct jsonscan chunk)
{
    struct jsonscan_walk w = {NULL};
    struct jsonscan thread;
    enum status st = add_list(c, "errors", jsonscan_get(chunk, "errors"));
    while (st == STATUS_OK && jsonscan_next(jsonscan_get(chunk, "threads"), &w, &thread))
        st = add_list(c, "messages", jsonscan_get(thread, "messages"));
    return st;
}

static enum status add_all(struct change *c, struct jsonscan value)
{
    static const char *const lists[] = {"messages", "message_echoes", "statuses", "errors"};
    struct jsonscan_walk w = {NULL};
    struct jsonscan chunk;
    enum status st = STATUS_OK;
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0] && st == STATUS_OK; i++)
        st = add_list(c, lists[i], jsonscan_get(value, lists[i]));
    while (st == STATUS_OK && jsonscan_next(jsonscan_get(value, "history"), &w, &chunk))
        st = add_threads(c, chunk);
    return st;
}

/* A change without any of them, or with more than a delivery may have, is kept as it came. */
enum status job_whatsapp(const struct job_update *u, struct job_rows *rows)
{
    size_t start = rows->n_eventos;
    struct change c = {.of = *u, .rows = rows, .spare = 2 * u->body.len + SPARE};
    c.of.composed = true;
    c.of.context = c.metadata = jsonscan_get(u->root, "metadata");
    find_contacts(&c, jsonscan_get(u->root, "contacts"));
    enum status st = add_all(&c, u->root);
    if (st == STATUS_INVALID)
        rows->n_eventos = start;
    if (st == STATUS_INVALID || (st == STATUS_OK && rows->n_eventos == start))
        return STATUS_NOT_FOUND;
    return st;
}
