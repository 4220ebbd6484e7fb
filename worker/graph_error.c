/* graph_error: owns the table of Graph errors. A new one is a row.
 *
 * A client goes by the code: Meta does not tie codes to HTTP statuses, and is_transient is set for
 * rate limits too. The first row that fits counts, so the particular stands before the general. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_answer.h"

enum { ANY = -1 };

static const struct row {
    int from, to; /* code */
    int subcode;  /* ANY, or this one alone */
    enum graph_verdict verdict;
    const char *text; /* NULL, or what the message must hold */
    const char *motivo, *advice;
} table[] = {
#define TOKEN                                                                                      \
    "make a new access token with the permission leads_retrieval and set META_ACCESS_TOKEN"
#define RIGHTS                                                                                     \
    "give the token's user or system user the page and leads_retrieval, or set "                   \
    "META_ACCESS_TOKEN to one that has them"
    {4, 4, ANY, GRAPH_LIMITED_ALL, NULL, "limite de chamadas do aplicativo", NULL},
    {17, 17, ANY, GRAPH_LIMITED_ALL, NULL, "limite de chamadas do usuário", NULL},
    {341, 341, ANY, GRAPH_LIMITED_ALL, NULL, "limite do aplicativo", NULL},
    {368, 368, ANY, GRAPH_LIMITED_ALL, NULL, "bloqueio temporário pela Meta", NULL},
    {32, 32, ANY, GRAPH_LIMITED_PAGE, NULL, "limite de chamadas da página", NULL},
    {613, 613, ANY, GRAPH_LIMITED_PAGE, NULL, "limite de chamadas", NULL},
    {80000, 80014, ANY, GRAPH_LIMITED_PAGE, NULL, "limite de chamadas da página", NULL},
    {190, 190, ANY, GRAPH_MISCONFIGURED, NULL, "token recusado", TOKEN},
    {102, 102, ANY, GRAPH_MISCONFIGURED, NULL, "token recusado", TOKEN},
    {104, 104, ANY, GRAPH_MISCONFIGURED, NULL, "token ou prova recusados", TOKEN},
    {100, 100, ANY, GRAPH_MISCONFIGURED, "appsecret_proof", "appsecret_proof recusado",
     "set META_APP_SECRET to the secret of the app that META_ACCESS_TOKEN belongs to"},
    {100, 100, ANY, GRAPH_MISCONFIGURED, "nonexisting field", "a versão da API não tem os campos",
     "set GRAPH_URL to a version that serves them"},
    {3, 3, ANY, GRAPH_MISCONFIGURED, NULL, "falta permissão ao token", RIGHTS},
    {10, 10, ANY, GRAPH_MISCONFIGURED, NULL, "falta permissão ao token", RIGHTS},
    {200, 299, ANY, GRAPH_MISCONFIGURED, NULL, "falta permissão ao token", RIGHTS},
    {12, 12, ANY, GRAPH_MISCONFIGURED, NULL, "versão da API recusada",
     "set GRAPH_URL to a version that Meta still serves"},
    {2635, 2635, ANY, GRAPH_MISCONFIGURED, NULL, "versão da API recusada",
     "set GRAPH_URL to a version that Meta still serves"},
    {1, 2, ANY, GRAPH_RETRY, NULL, "falha da Meta", NULL},
    {100, 100, 33, GRAPH_REFUSED, NULL, "o lead não existe ou o token não o alcança", NULL},
    {100, 100, ANY, GRAPH_REFUSED, NULL, "pedido recusado", NULL},
    {803, 803, ANY, GRAPH_REFUSED, NULL, "o lead não existe", NULL},
};
enum { N_ROWS = sizeof table / sizeof table[0] };

/* What no row knows: by what Meta says of it, else by HTTP. */
static const struct row transient = {.verdict = GRAPH_RETRY, .motivo = "falha passageira da Meta"};
static const struct row busy = {.verdict = GRAPH_LIMITED_ALL, .motivo = "chamadas demais"};
static const struct row refused = {.verdict = GRAPH_REFUSED, .motivo = "recusado pela Meta"};

static bool holds(struct jsonscan message, const char *text)
{
    return message.type == JSONSCAN_STRING &&
           memmem(message.text, message.len, text, strlen(text)) != NULL;
}

static const struct row *find(int64_t code, int64_t subcode, struct jsonscan message)
{
    for (unsigned i = 0; i < N_ROWS; i++) {
        const struct row *r = &table[i];
        if (code >= r->from && code <= r->to && (r->subcode == ANY || subcode == r->subcode) &&
            (!r->text || holds(message, r->text)))
            return r;
    }
    return NULL;
}

static int64_t number(struct jsonscan v, int64_t otherwise)
{
    int64_t n;
    return jsonscan_int(v, INT32_MIN, INT32_MAX, &n) ? n : otherwise;
}

void graph_error_read(struct jsonscan error, unsigned http, struct graph_answer *ret)
{
    enum { CODE, SUBCODE, MESSAGE, TRANSIENT, N };
    static const char *const names[N] = {"code", "error_subcode", "message", "is_transient"};
    struct jsonscan v[N];
    jsonscan_pick(error, N, names, v);
    int64_t code = number(v[CODE], 0), subcode = number(v[SUBCODE], 0);
    const struct row *r = find(code, subcode, v[MESSAGE]);
    if (!r && (v[TRANSIENT].type == JSONSCAN_TRUE || http >= 500))
        r = &transient;
    if (!r)
        r = http == 429 ? &busy : code == 0 ? &transient : &refused;
    ret->verdict = r->verdict;
    ret->advice = r->advice;
    snprintf(ret->motivo, sizeof ret->motivo, "%s (Graph %" PRId64 "/%" PRId64 ", HTTP %u)",
             r->motivo, code, subcode, http);
}
