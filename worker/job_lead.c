/* job_lead: someone filled in a lead ad's form.
 *
 * {"field":"leadgen","value":{"leadgen_id":…,"page_id":…,"form_id":…,"adgroup_id":…,"ad_id":…,
 * "created_time":…}}. The answers are not in it: they are looked up in the Graph API later.
 * Source: Meta, "Webhooks for Leads". */
#include <string.h>

#include "jobs.h"

/* The dashboard's test button sends ids that are nothing but fours: 444444444444, and shorter kin;
 * our own test deliveries have twelve more digits, which makes them longer than any of Meta's. */
static bool is_test(struct pg_text id)
{
    enum { OWN_FOURS = 12, OWN_LEN = 24, FOURS_MIN = 8 };
    size_t fours = 0;
    while (fours < id.len && id.data[fours] == '4')
        fours++;
    return fours == id.len ? fours >= FOURS_MIN : id.len == OWN_LEN && fours >= OWN_FOURS;
}

static struct pg_text key_of(struct pg_text id, struct arena *arena)
{
    static const char prefix[] = "leadgen:";
    size_t len = sizeof prefix - 1 + id.len;
    char *key = arena_alloc(arena, len);
    if (!key)
        return (struct pg_text){NULL, 0};
    memcpy(key, prefix, sizeof prefix - 1);
    memcpy(key + sizeof prefix - 1, id.data, id.len);
    return (struct pg_text){key, len};
}

/* Without an id of its own it is an event like any other. */
enum status job_lead(const struct job_update *u, struct job_rows *rows)
{
    enum { LEADGEN, PAGE, FORM, ADGROUP, AD, CREATED, N };
    static const char *const names[N] = {"leadgen_id", "page_id", "form_id",
                                         "adgroup_id", "ad_id",   "created_time"};
    struct jsonscan v[N];
    jsonscan_pick(u->root, N, names, v);
    struct pg_text id = job_id(v[LEADGEN], rows->arena);
    if (!id.data)
        return STATUS_NOT_FOUND;
    struct new_evento *evento = job_add_evento_of(u, rows);
    struct new_lead *lead = evento ? job_add_lead(rows) : NULL;
    if (!lead)
        return STATUS_OVERLOADED;
    evento->chave = key_of(id, rows->arena);
    evento->ocorrido_us = job_time_us(v[CREATED]);
    *lead = (struct new_lead){.leadgen_id = id,
                              .pagina_id = job_id(v[PAGE], rows->arena),
                              .formulario_id = job_id(v[FORM], rows->arena),
                              .anuncio_id = job_id(v[AD], rows->arena),
                              .conjunto_id = job_id(v[ADGROUP], rows->arena),
                              .criado_us = evento->ocorrido_us,
                              .teste = is_test(id)};
    if (!lead->pagina_id.data)
        lead->pagina_id = u->entidade;
    return evento->chave.data ? STATUS_OK : STATUS_OVERLOADED;
}
