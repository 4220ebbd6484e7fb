/* jobs: owns the table of forms and the splitting of an envelope. */
#include "jobs.h"

#include <stdlib.h>
#include <string.h>

/* The first that knows an update makes its rows; the last knows all. */
static const struct job_form forms[] = {
    {.list = "changes", .objeto = "page", .campo = "leadgen", .run = job_lead},
    {.run = job_archive},
};
enum { N_FORMS = sizeof forms / sizeof forms[0] };

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
    if (jsonscan_fits_jsonb(u->body))
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

struct pg_text job_id(struct jsonscan v, struct arena *arena)
{
    struct pg_text text = {NULL, 0};
    if (v.type == JSONSCAN_STRING && v.len <= 6 * JOBS_ID_MAX && memchr(v.text, '\\', v.len))
        text = decoded(v, arena);
    else if (v.type == JSONSCAN_STRING)
        text = (struct pg_text){v.text + 1, v.len - 2};
    else if (v.type == JSONSCAN_NUMBER)
        text = (struct pg_text){v.text, v.len};
    if (text.len == 0 || text.len > JOBS_ID_MAX)
        text = (struct pg_text){NULL, 0};
    return text;
}

int64_t job_time_us(struct jsonscan v)
{
    const int64_t last_second = INT64_C(253402300799), first_ms = INT64_C(100000000000);
    int64_t n;
    if (!jsonscan_int(v, 0, last_second * 1000, &n))
        return STORE_NO_TIME;
    return n < first_ms ? n * 1000000 : n * 1000; /* seconds until the year 5138 */
}

/* ---- splitting ---- */

static bool is_text(struct pg_text text, const char *s)
{
    return text.len == strlen(s) && text.len > 0 && memcmp(text.data, s, text.len) == 0;
}

static bool form_knows(const struct job_form *f, const struct job_update *u)
{
    return (!f->list || strcmp(f->list, u->list) == 0) &&
           (!f->objeto || is_text(u->objeto, f->objeto)) &&
           (!f->campo || is_text(u->campo, f->campo));
}

static enum status run_update(const struct job_update *u, struct job_rows *rows)
{
    enum status st = STATUS_NOT_FOUND;
    for (unsigned i = 0; i < N_FORMS && st == STATUS_NOT_FOUND; i++)
        if (form_knows(&forms[i], u))
            st = forms[i].run(u, rows);
    return st;
}

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
    enum status st = STATUS_OK;
    while (st == STATUS_OK && jsonscan_next(list, &w, &s->update.body)) {
        if (++s->n > JOBS_UPDATES_MAX)
            return STATUS_INVALID;
        jsonscan_pick(s->update.body, 2, names, members);
        s->update.value = members[1];
        s->update.campo = campo_of(s->update.list, s->update.body, members[0], s->rows->arena);
        st = run_update(&s->update, s->rows);
    }
    return st;
}

static enum status split_entry(struct split *s, struct jsonscan entry)
{
    static const char *const names[N_LISTS + 1] = {"changes", "messaging", "standby",
                                                   "changed_fields", "id"};
    struct jsonscan members[N_LISTS + 1];
    enum status st = STATUS_OK;
    jsonscan_pick(entry, N_LISTS + 1, names, members);
    s->update.entidade = job_id(members[N_LISTS], s->rows->arena);
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
