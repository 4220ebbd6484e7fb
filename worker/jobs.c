/* jobs: owns the table of forms and the splitting of an envelope. */
#include "jobs.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define PERSON "sender.id|recipient.id" /* the one that is not the page */
#define TARGET "photo_id|video_id|share_id|album_id|event_id|link_id"

/* clang-format off */
static const struct job_form forms[] = {
    /* Page: leads, and what happens on it */
    {.nome = "leadgen", .list = "changes", .objeto = "page", .campo = "leadgen",
     .chave = {"leadgen", "leadgen_id"}, .run = job_lead},
    {.nome = "feed", .list = "changes", .objeto = "page", .campo = "feed",
     .when = {"item=reaction|item=like", "comment_id"},
     .chave = {"comment", "comment_id", "item", "verb", "from.id|sender_id|user_id"},
     .assunto = "comment_id", .estado = "verb", .contato = "from.id|sender_id|user_id"},
    {.nome = "feed", .list = "changes", .objeto = "page", .campo = "feed",
     .when = {"item=reaction|item=like"},
     .chave = {"post", "post_id", "item", "verb", "from.id|sender_id|user_id"},
     .assunto = "post_id", .estado = "verb", .contato = "from.id|sender_id|user_id"},
    {.nome = "feed", .list = "changes", .objeto = "page", .campo = "feed", .when = {"item=comment"},
     .chave = {"comment", "comment_id", "verb"},
     .assunto = "comment_id", .estado = "verb", .contato = "from.id|sender_id"},
    {.nome = "feed", .list = "changes", .objeto = "page", .campo = "feed",
     .chave = {"post", "post_id", "item", "verb", "?" TARGET},
     .assunto = "post_id", .estado = "verb", .contato = "from.id|sender_id"},
    {.nome = "mention", .list = "changes", .objeto = "page", .campo = "mention",
     .when = {"comment_id"},
     .chave = {"mention", "@", "=comment", "comment_id", "verb"},
     .assunto = "comment_id", .estado = "verb", .contato = "from.id|sender_id"},
    {.nome = "mention", .list = "changes", .objeto = "page", .campo = "mention",
     .chave = {"mention", "@", "=post", "post_id", "verb"},
     .assunto = "post_id", .estado = "verb", .contato = "from.id|sender_id"},
    {.nome = "ratings", .list = "changes", .objeto = "page", .campo = "ratings",
     .when = {"item=rating"},
     .chave = {"rating", "open_graph_story_id", "verb"},
     .assunto = "open_graph_story_id", .estado = "verb", .contato = "reviewer_id|from.id"},
    {.nome = "ratings", .list = "changes", .objeto = "page", .campo = "ratings",
     .when = {"item=comment"},
     .chave = {"rating", "open_graph_story_id", "comment_id", "verb"},
     .assunto = "open_graph_story_id", .estado = "verb", .contato = "from.id|sender_id"},

    /* Instagram */
    {.nome = "comments", .list = "changes", .objeto = "instagram", .campo = "comments|live_comments",
     .chave = {"ig_comment", "id"}, .assunto = "id", .contato = "from.id"},
    {.nome = "mentions", .list = "changes", .objeto = "instagram", .campo = "mentions",
     .chave = {"ig_mention", "@", "media_id", "?comment_id"}, .assunto = "media_id"},
    {.nome = "story_insights", .list = "changes", .objeto = "instagram", .campo = "story_insights",
     .chave = {"ig_story", "media_id"}, .assunto = "media_id"},

    /* WhatsApp: lists in one change, and their elements */
    {.nome = "messages", .list = "changes", .objeto = "whatsapp_business_account",
     .campo = "messages|smb_message_echoes|message_echoes|history", .run = job_whatsapp},
    {.nome = "messages", .list = "messages", .objeto = "whatsapp_business_account",
     .chave = {"wamid", "id"}, .assunto = "id",
     .contato = "to|to_user_id|from|from_user_id|user_id"},
    {.nome = "message_echoes", .list = "message_echoes", .objeto = "whatsapp_business_account",
     .chave = {"wamid", "id"}, .assunto = "id", .contato = "to|to_user_id|recipient_user_id"},
    {.nome = "statuses", .list = "statuses", .objeto = "whatsapp_business_account",
     .chave = {"wamid", "id", "status", "?recipient_participant_id|recipient_participant_user_id"},
     .assunto = "id", .estado = "status",
     .contato = "recipient_participant_id|recipient_id|recipient_participant_user_id|"
                "recipient_user_id|user_id"},
    {.nome = "errors", .list = "errors", .objeto = "whatsapp_business_account"},

    /* Messenger and Instagram: messaging[], standby[], and the same as changes */
    {.nome = "message_deleted", .objeto = "page|instagram",
     .when = {"message.mid", "message.is_deleted"},
     .chave = {"mid", "message.mid", "=deleted"},
     .assunto = "message.mid", .estado = "=deleted", .contato = PERSON},
    {.nome = "message", .objeto = "page|instagram", .when = {"message.mid"},
     .chave = {"mid", "message.mid"}, .assunto = "message.mid", .contato = PERSON},
    {.nome = "message_edit", .objeto = "page|instagram", .when = {"message_edit.mid"},
     .chave = {"mid", "message_edit.mid", "=edit", "message_edit.num_edit"},
     .assunto = "message_edit.mid", .estado = "=edit", .contato = PERSON},
    {.nome = "reaction", .objeto = "page|instagram", .when = {"reaction.mid"},
     .chave = {"mid", "reaction.mid", "=reaction", "reaction.action", "sender.id"},
     .assunto = "reaction.mid", .estado = "reaction.action", .contato = PERSON},
    {.nome = "postback", .objeto = "page|instagram", .when = {"postback.mid"},
     .chave = {"postback", "postback.mid"}, .assunto = "postback.mid", .contato = PERSON},
    {.nome = "read", .objeto = "page|instagram", .when = {"read.mid"},
     .chave = {"mid", "read.mid", "=read"},
     .assunto = "read.mid", .estado = "=read", .contato = PERSON},
    {.nome = "read", .objeto = "page|instagram", .when = {"read.watermark"},
     .chave = {"read", "recipient.id", "sender.id", "read.watermark"},
     .estado = "=read", .contato = PERSON},
    {.nome = "delivery", .objeto = "page|instagram", .when = {"delivery.watermark"},
     .chave = {"delivery", "recipient.id", "sender.id", "delivery.watermark"},
     .estado = "=delivered", .contato = PERSON},
    {.nome = "optin", .objeto = "page|instagram", .when = {"optin"}, .contato = PERSON "|optin.user_ref"},
    {.nome = "referral", .objeto = "page|instagram", .when = {"referral"}, .contato = PERSON},
    {.nome = "account_linking", .objeto = "page|instagram", .when = {"account_linking"},
     .estado = "account_linking.status", .contato = PERSON},
    {.nome = "pass_thread_control", .objeto = "page|instagram", .when = {"pass_thread_control"}, .contato = PERSON},
    {.nome = "take_thread_control", .objeto = "page|instagram", .when = {"take_thread_control"}, .contato = PERSON},
    {.nome = "request_thread_control", .objeto = "page|instagram", .when = {"request_thread_control"}, .contato = PERSON},
    {.nome = "app_roles", .objeto = "page|instagram", .when = {"app_roles"}, .contato = PERSON},
    {.nome = "policy_enforcement", .objeto = "page|instagram", .when = {"policy_enforcement"},
     .estado = "policy_enforcement.action", .contato = PERSON},
    {.nome = "postback", .objeto = "page|instagram", .when = {"postback"}, .contato = PERSON},
};
/* clang-format on */
enum { N_FORMS = sizeof forms / sizeof forms[0] };

const struct job_form *jobs_forms(size_t *ret_n)
{
    *ret_n = N_FORMS;
    return forms;
}

/* Where an entry keeps its updates. */
static const char *const lists[] = {"changes", "messaging", "standby", "changed_fields"};
enum { N_LISTS = sizeof lists / sizeof lists[0] };

/* ---- rows ---- */

static void *add_row(void **rows, size_t *n, size_t *size, size_t row_size)
{
    if (*n == *size) {
        size_t bigger = *size ? *size * 2 : 64;
        void *moved = realloc(*rows, bigger * row_size);
        if (!moved)
            return NULL;
        *rows = moved;
        *size = bigger;
    }
    void *row = (char *)*rows + (*n)++ * row_size;
    memset(row, 0, row_size);
    return row;
}

struct new_evento *job_add_evento(struct job_rows *rows)
{
    void *all = rows->eventos;
    struct new_evento *row =
        add_row(&all, &rows->n_eventos, &rows->size_eventos, sizeof *rows->eventos);
    rows->eventos = all;
    return row;
}

struct new_lead *job_add_lead(struct job_rows *rows)
{
    void *all = rows->leads;
    struct new_lead *row = add_row(&all, &rows->n_leads, &rows->size_leads, sizeof *rows->leads);
    rows->leads = all;
    return row;
}

void job_rows_release(struct job_rows *rows)
{
    free(rows->eventos);
    free(rows->leads);
    rows->eventos = NULL;
    rows->leads = NULL;
    rows->n_eventos = rows->size_eventos = rows->n_leads = rows->size_leads = 0;
}

struct new_evento *job_add_evento_of(const struct job_update *u, struct job_rows *rows)
{
    struct new_evento *row = job_add_evento(rows);
    if (!row)
        return NULL;
    row->objeto = u->objeto;
    row->campo = u->campo;
    row->entidade = u->entidade;
    row->ocorrido_us = STORE_NO_TIME;
    if (u->composed)
        row->conteudo = u->conteudo;
    else if (jsonscan_fits_jsonb(u->body))
        row->conteudo = (struct pg_text){u->body.text, u->body.len};
    return row;
}

/* ---- values ---- */

static struct pg_text decoded(struct jsonscan v, struct arena *arena)
{
    struct pg_text text = {NULL, 0};
    char *out = arena_alloc(arena, v.len);
    size_t len;
    if (out && jsonscan_decode(v, out, &len))
        text = (struct pg_text){out, len};
    return text;
}

struct pg_text job_text(struct jsonscan v, size_t max, struct arena *arena)
{
    struct pg_text text = {NULL, 0};
    if (v.type == JSONSCAN_STRING && v.len <= 6 * max + 2 && memchr(v.text, '\\', v.len))
        text = decoded(v, arena);
    else if (v.type == JSONSCAN_STRING)
        text = (struct pg_text){v.text + 1, v.len - 2};
    else if (v.type == JSONSCAN_NUMBER)
        text = (struct pg_text){v.text, v.len};
    if (text.len == 0 || text.len > max)
        text = (struct pg_text){NULL, 0};
    return text;
}

struct pg_text job_id(struct jsonscan v, struct arena *arena)
{
    return job_text(v, JOBS_ID_MAX, arena);
}

int64_t job_time_us(struct jsonscan v)
{
    const int64_t last_second = INT64_C(253402300799), first_ms = INT64_C(100000000000);
    int64_t n;
    if (!jsonscan_int(v, 0, last_second * 1000, &n))
        return STORE_NO_TIME;
    return n < first_ms ? n * 1000000 : n * 1000; /* seconds until the year 5138 */
}

int64_t job_time_of(const struct job_update *u)
{
    static const char *const names[] = {"created_time", "timestamp"};
    struct jsonscan v[2];
    jsonscan_pick(u->root, 2, names, v);
    int64_t created = job_time_us(v[0]);
    return created != STORE_NO_TIME ? created : job_time_us(v[1]);
}

/* ---- forms ---- */

/* Is it one of the names, "page|instagram"? */
static bool is_one_of(struct pg_text text, const char *names)
{
    size_t n;
    for (; text.len > 0; names += n + 1) {
        n = strcspn(names, "|");
        if (text.len == n && memcmp(text.data, names, n) == 0)
            return true;
        if (!names[n])
            return false;
    }
    return false;
}

static bool form_knows(const struct job_form *f, const struct job_update *u)
{
    return (!f->list || strcmp(f->list, u->list) == 0) &&
           (!f->objeto || is_one_of(u->objeto, f->objeto)) &&
           (!f->campo || is_one_of(u->campo, f->campo)) &&
           (!f->when[0] || job_holds(u->root, f->when[0])) &&
           (!f->when[1] || job_holds(u->root, f->when[1]));
}

static const struct job_form *form_of(const struct job_update *u)
{
    for (unsigned i = 0; i < N_FORMS; i++)
        if (form_knows(&forms[i], u))
            return &forms[i];
    return NULL;
}

static job_fn job_of(const struct job_form *f)
{
    if (!f)
        return job_archive;
    return f->run ? f->run : f->chave[0] ? job_keyed : job_archive;
}

/* What came as a message has no field: its form's name stands for it. */
enum status jobs_run_update(struct job_update *u, struct job_rows *rows)
{
    u->form = form_of(u);
    if (u->form && (strcmp(u->list, "messaging") == 0 || strcmp(u->list, "standby") == 0))
        u->campo = (struct pg_text){u->form->nome, strlen(u->form->nome)};
    enum status st = job_of(u->form)(u, rows);
    return st == STATUS_NOT_FOUND ? job_archive(u, rows) : st;
}

/* ---- splitting ---- */

/* A change names its field; a changed field is nothing but its name; the others go by their list.
 */
static struct pg_text campo_of(const char *list, struct jsonscan body, struct jsonscan field,
                               struct arena *arena)
{
    struct jsonscan name = field.type == JSONSCAN_NONE ? body : field;
    struct pg_text none = {list, strlen(list)};
    struct pg_text text = name.type == JSONSCAN_STRING ? job_id(name, arena) : none;
    return text.data ? text : none;
}

struct split {
    struct job_rows *rows;
    struct job_update update; /* what is the same for all updates of an entry */
    size_t n;                 /* updates so far */
};

static enum status split_list(struct split *s, struct jsonscan list)
{
    static const char *const names[] = {"field", "value"};
    struct jsonscan_walk w = {NULL};
    struct jsonscan members[2];
    bool change = strcmp(s->update.list, "changes") == 0;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && jsonscan_next(list, &w, &s->update.body)) {
        if (++s->n > JOBS_UPDATES_MAX)
            return STATUS_INVALID;
        jsonscan_pick(s->update.body, 2, names, members);
        s->update.root = change ? members[1] : s->update.body;
        s->update.campo = campo_of(s->update.list, s->update.body, members[0], s->rows->arena);
        st = jobs_run_update(&s->update, s->rows);
    }
    return st;
}

/* Instagram's own login leaves the list out: {"id":…,"time":…,"field":…,"value":…}. The same change
 * in a list, so that it is the same event; JSONSCAN_NONE without memory. Source: Meta, "Instagram
 * Platform", "Webhook Notification Examples". */
static struct jsonscan bare_change(struct jsonscan field, struct jsonscan value,
                                   struct arena *arena)
{
    struct jsonscan list = {JSONSCAN_NONE, NULL, 0};
    struct buf b = buf_init(field.len + value.len + 32); /* 21 of them are written */
    buf_lit(&b, "[{\"field\":");
    buf_add(&b, field.text, field.len);
    buf_lit(&b, ",\"value\":");
    buf_add(&b, value.text, value.len);
    buf_lit(&b, "}]");
    char *copy = buf_failed(&b) ? NULL : arena_copy(arena, b.data, b.len);
    if (copy)
        list = (struct jsonscan){JSONSCAN_ARRAY, copy, b.len};
    buf_release(&b);
    return list;
}

static enum status split_entry(struct split *s, struct jsonscan entry)
{
    enum { ID = N_LISTS, FIELD, VALUE, N };
    static const char *const names[N] = {"changes", "messaging", "standby", "changed_fields",
                                         "id",      "field",     "value"};
    struct jsonscan members[N];
    enum status st = STATUS_OK;
    jsonscan_pick(entry, N, names, members);
    s->update.entidade = job_id(members[ID], s->rows->arena);
    if (members[0].type == JSONSCAN_NONE && members[FIELD].type == JSONSCAN_STRING &&
        members[VALUE].type != JSONSCAN_NONE) {
        members[0] = bare_change(members[FIELD], members[VALUE], s->rows->arena);
        if (members[0].type == JSONSCAN_NONE)
            return STATUS_OVERLOADED;
    }
    for (unsigned i = 0; i < N_LISTS && st == STATUS_OK; i++) {
        s->update.list = lists[i];
        st = split_list(s, members[i]);
    }
    return st;
}

static enum status split_envelope(struct split *s, struct jsonscan root, const char **ret_motivo)
{
    static const char *const names[] = {"object", "entry"};
    struct jsonscan members[2], entry;
    struct jsonscan_walk w = {NULL};
    enum status st = STATUS_OK;
    jsonscan_pick(root, 2, names, members);
    if (members[0].type != JSONSCAN_STRING || members[1].type != JSONSCAN_ARRAY) {
        *ret_motivo = "envelope desconhecido: faltam object e entry";
        return STATUS_INVALID;
    }
    s->update.objeto = job_id(members[0], s->rows->arena);
    while (st == STATUS_OK && jsonscan_next(members[1], &w, &entry))
        st = split_entry(s, entry);
    if (st == STATUS_INVALID)
        *ret_motivo = "mais de 10000 atualizações em uma entrega";
    if (st == STATUS_OK && s->n == 0) {
        *ret_motivo = "envelope desconhecido: nenhuma atualização em entry";
        st = STATUS_INVALID;
    }
    return st;
}
_Static_assert(JOBS_UPDATES_MAX == 10000, "the message above says 10000");

enum status jobs_run(const char *corpo, size_t len, struct job_rows *rows, const char **ret_motivo)
{
    size_t n_eventos = rows->n_eventos, n_leads = rows->n_leads;
    struct split s = {.rows = rows};
    rows->max_eventos = n_eventos + JOBS_UPDATES_MAX;
    struct jsonscan root;
#ifdef PLANT_POISON /* tests only: a delivery that ends or holds up who decodes it */
    if (memmem(corpo, len, "PLANT-CRASH", 11))
        abort();
    while (memmem(corpo, len, "PLANT-HANG", 10))
        continue;
#endif
    const char *wrong = jsonscan_check(corpo, len, &root);
    if (wrong) {
        *ret_motivo = wrong;
        return STATUS_INVALID;
    }
    enum status st = split_envelope(&s, root, ret_motivo);
    if (st != STATUS_OK) {
        rows->n_eventos = n_eventos;
        rows->n_leads = n_leads;
    }
    return st;
}
