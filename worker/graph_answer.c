/* graph_answer: owns the form of a good answer. */
#include "graph_answer.h"

#include <stdio.h>
#include <string.h>

#include "jobs.h"

static void set(struct graph_answer *a, enum graph_verdict verdict, const char *motivo,
                const char *more)
{
    a->verdict = verdict;
    snprintf(a->motivo, sizeof a->motivo, "%s%s", motivo, more);
}

void graph_answer_none(const char *wrong, struct graph_answer *ret)
{
    *ret = (struct graph_answer){0};
    set(ret, GRAPH_RETRY, "sem resposta da Graph API: ", wrong);
}

static void set_http(struct graph_answer *a, const char *motivo, unsigned http)
{
    char status[32];
    snprintf(status, sizeof status, " (HTTP %u)", http);
    set(a, http == 429 ? GRAPH_LIMITED_ALL : GRAPH_RETRY, motivo, status);
}

static bool is_id(struct jsonscan v, struct pg_text id, struct arena *arena)
{
    struct pg_text got = job_id(v, arena);
    return got.data && got.len == id.len && memcmp(got.data, id.data, id.len) == 0;
}

/* Without field_data the token may not read the answers: a complete row without them would be one
 * that nobody asks for again. */
static void read_lead(struct pg_text id, unsigned http, struct jsonscan root, struct arena *arena,
                      struct graph_answer *ret)
{
    enum { ID, FORM, AD, ADSET, FIELDS, N };
    static const char *const names[N] = {"id", "form_id", "ad_id", "adset_id", "field_data"};
    struct jsonscan v[N];
    jsonscan_pick(root, N, names, v);
    if (!is_id(v[ID], id, arena)) {
        set_http(ret, "a resposta é de outro lead, ou de nenhum", http);
        return;
    }
    if (v[FIELDS].type != JSONSCAN_ARRAY) {
        set_http(ret, "a resposta veio sem field_data: falta leads_retrieval ao token?", http);
        return;
    }
    ret->verdict = GRAPH_COMPLETE;
    ret->row.formulario_id = job_id(v[FORM], arena);
    ret->row.anuncio_id = job_id(v[AD], arena);
    ret->row.conjunto_id = job_id(v[ADSET], arena);
    if (jsonscan_fits_jsonb(v[FIELDS]))
        ret->row.campos = (struct pg_text){v[FIELDS].text, v[FIELDS].len};
    graph_fields_read(v[FIELDS], arena, &ret->row);
}

void graph_answer_read(struct pg_text leadgen_id, unsigned http, const char *body, size_t len,
                       struct arena *arena, struct graph_answer *ret)
{
    struct jsonscan root;
    *ret = (struct graph_answer){0};
    if (jsonscan_check(body, len, &root) != NULL || root.type != JSONSCAN_OBJECT) {
        set_http(ret, "a resposta não é da Graph API", http);
        return;
    }
    struct jsonscan error = jsonscan_get(root, "error");
    if (error.type == JSONSCAN_OBJECT)
        graph_error_read(error, http, ret);
    else if (http == 200)
        read_lead(leadgen_id, http, root, arena, ret);
    else
        set_http(ret, "a resposta não é da Graph API", http);
}
