/* job_keyed: an update whose key its form can say: parts of it, joined by colons.
 *
 * In each part ':' and '%' are written %3A and %25. So a key can be taken apart again in one way
 * only, and what differs in any part never shares one, whatever the ids look like. */
#include <string.h>

#include "jobs.h"

/* ---- paths ---- */

static struct jsonscan down(struct jsonscan v, const char *path, size_t len)
{
    char name[JOBS_STATE_MAX];
    while (len > 0 && v.type != JSONSCAN_NONE) {
        const char *dot = memchr(path, '.', len);
        size_t n = dot ? (size_t)(dot - path) : len;
        memcpy(name, path, n);
        name[n] = '\0';
        v = jsonscan_get(v, name);
        path += dot ? n + 1 : n;
        len -= dot ? n + 1 : n;
    }
    return v;
}

/* The path behind `path`; NULL behind the last one. */
static const char *next_path(const char *path)
{
    const char *bar = strchr(path, '|');
    return bar ? bar + 1 : NULL;
}

static struct jsonscan first_at(struct jsonscan root, const char *path)
{
    return down(root, path, strcspn(path, "|="));
}

struct jsonscan job_at(struct jsonscan root, const char *path)
{
    struct jsonscan v = {JSONSCAN_NONE, NULL, 0};
    for (; path && (v.type == JSONSCAN_NONE || v.type == JSONSCAN_NULL); path = next_path(path))
        v = first_at(root, path);
    return v;
}

static bool is_there(struct jsonscan v)
{
    return v.type != JSONSCAN_NONE && v.type != JSONSCAN_NULL && v.type != JSONSCAN_FALSE;
}

/* At a condition: "comment_id", or "item=comment" */
static bool holds(struct jsonscan root, const char *condition)
{
    char wanted[JOBS_STATE_MAX];
    struct jsonscan v = first_at(root, condition);
    size_t n = strcspn(condition, "|=");
    if (condition[n] != '=')
        return is_there(v);
    size_t len = strcspn(condition + n + 1, "|");
    memcpy(wanted, condition + n + 1, len);
    wanted[len] = '\0';
    return jsonscan_equals(v, wanted);
}

bool job_holds(struct jsonscan root, const char *conditions)
{
    for (; conditions; conditions = next_path(conditions))
        if (holds(root, conditions))
            return true;
    return false;
}

/* The first that is usable: a phone that is null or {} hides no user id behind it. */
static struct pg_text text_at(const struct job_update *u, const char *path, size_t max,
                              struct arena *arena)
{
    struct pg_text text = {NULL, 0};
    if (path && *path == '=')
        return (struct pg_text){path + 1, strlen(path + 1)};
    if (path && *path == '@')
        return u->entidade;
    for (; path && !text.data; path = next_path(path))
        text = job_text(first_at(u->root, path), max, arena);
    return text;
}

/* ---- the key ---- */

struct key {
    char text[JOBS_KEY_MAX];
    size_t len;
    bool failed; /* a part is missing, or there is no room */
};

static void put(struct key *k, const char *s, size_t n)
{
    if (k->failed || n > sizeof k->text - k->len) {
        k->failed = true;
        return;
    }
    memcpy(k->text + k->len, s, n);
    k->len += n;
}

static void put_part(struct key *k, struct pg_text part)
{
    put(k, ":", 1);
    for (size_t i = 0; i < part.len; i++) {
        if (part.data[i] == ':')
            put(k, "%3A", 3);
        else if (part.data[i] == '%')
            put(k, "%25", 3);
        else
            put(k, part.data + i, 1);
    }
}

/* A part that may be missing, but is there and no id, fails like any other. */
static void add_part(struct key *k, const struct job_update *u, const char *path,
                     struct arena *arena)
{
    if (*path == '?') {
        enum jsonscan_type type = job_at(u->root, ++path).type;
        if (type == JSONSCAN_NONE || type == JSONSCAN_NULL)
            return;
    }
    struct pg_text part = text_at(u, path, JOBS_PART_MAX, arena);
    if (part.data)
        put_part(k, part);
    else
        k->failed = true;
}

/* STATUS_NOT_FOUND: a part is missing. */
static enum status key_of(const struct job_update *u, struct arena *arena, struct pg_text *ret)
{
    const char *const *parts = u->form->chave;
    struct key k;
    k.len = 0;
    k.failed = false;
    put(&k, parts[0], strlen(parts[0]));
    for (unsigned i = 1; i < JOBS_PARTS && parts[i] && !k.failed; i++)
        add_part(&k, u, parts[i], arena);
    if (k.failed)
        return STATUS_NOT_FOUND;
    *ret = (struct pg_text){arena_copy(arena, k.text, k.len), k.len};
    return ret->data ? STATUS_OK : STATUS_OVERLOADED;
}

/* ---- the event ---- */

static bool same(struct pg_text a, struct pg_text b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static struct pg_text person_of(const struct job_update *u, struct arena *arena)
{
    struct pg_text none = {NULL, 0};
    for (const char *path = u->form->contato; path; path = next_path(path)) {
        struct pg_text id = job_id(first_at(u->root, path), arena);
        if (id.data && !(u->entidade.data && same(id, u->entidade)))
            return id;
    }
    return none;
}

void job_describe(const struct job_update *u, struct new_evento *evento, struct arena *arena)
{
    if (!u->form)
        return;
    evento->estado = text_at(u, u->form->estado, JOBS_STATE_MAX, arena);
    evento->contato = person_of(u, arena);
}

enum status job_keyed(const struct job_update *u, struct job_rows *rows)
{
    struct pg_text chave;
    enum status st = key_of(u, rows->arena, &chave);
    if (st != STATUS_OK)
        return st;
    struct new_evento *evento = job_add_evento_of(u, rows);
    if (!evento)
        return STATUS_OVERLOADED;
    evento->chave = chave;
    evento->assunto = text_at(u, u->form->assunto, JOBS_PART_MAX, rows->arena);
    evento->ocorrido_us = job_time_of(u);
    job_describe(u, evento, rows->arena);
    return STATUS_OK;
}
