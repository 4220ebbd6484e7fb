/* An answer of the Graph API and its usage headers (worker/graph_answer.c, graph_pace.c): never a
 * crash, always a verdict with a reason, and texts that a column takes. The first line of the input
 * is the headers' text, the rest the body. */
#include <string.h>

#include "fuzz.h"
#include "jsonscan.h"
#include "worker/graph_answer.h"
#include "worker/graph_pace.h"

static void look_at_text(struct pg_text text, size_t most)
{
    if (!text.data)
        return;
    MUST(text.len > 0 && text.len <= most);
    MUST(text_utf8(text.data, text.len, NULL) && !memchr(text.data, '\0', text.len));
}

static void look_at_row(const struct consulta_answer *row)
{
    struct jsonscan campos;
    look_at_text(row->nome, GRAPH_TEXT_MAX);
    look_at_text(row->email, GRAPH_TEXT_MAX);
    look_at_text(row->telefone, GRAPH_TEXT_MAX);
    look_at_text(row->formulario_id, 128);
    look_at_text(row->anuncio_id, 128);
    look_at_text(row->conjunto_id, 128);
    if (row->campos.data)
        MUST(jsonscan_check(row->campos.data, row->campos.len, &campos) == NULL &&
             campos.type == JSONSCAN_ARRAY);
}

static void look_at_answer(const char *body, size_t len, unsigned http)
{
    struct arena arena;
    struct graph_answer a;
    arena_init(&arena, GRAPH_ARENA);
    graph_answer_read((struct pg_text){"1", 1}, http, body, len, &arena, &a);
    MUST((a.verdict == GRAPH_COMPLETE) == (a.motivo[0] == '\0'));
    MUST((a.verdict == GRAPH_MISCONFIGURED) == (a.advice != NULL));
    MUST(text_utf8(a.motivo, strlen(a.motivo), NULL));
    if (a.verdict == GRAPH_COMPLETE)
        look_at_row(&a.row);
    arena_reset(&arena, 0);
}

static void look_at_usage(const char *header)
{
    struct graph_pace pace = {.seed = 1};
    struct graph_usage u = graph_usage_read(header, header, header);
    MUST(u.app_percent >= -1 && u.page_percent >= -1 && u.regain_ms >= 0);
    int64_t ms = graph_pace_limited(&pace, (struct pg_text){"1", 1}, &u, 0);
    MUST(ms > 0 && ms <= GRAPH_REST_MAX_MS);
    graph_pace_good(&pace, (struct pg_text){"2", 1}, &u, 0);
    MUST(graph_pace_page_ms(&pace, (struct pg_text){"2", 1}, 0) <= GRAPH_REST_MAX_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = size ? memchr(text, '\n', size) : NULL;
    size_t head = end ? (size_t)(end - text) : 0;
    char header[4096];
    size_t n = head < sizeof header ? head : sizeof header - 1;
    if (n > 0)
        memcpy(header, text, n);
    header[n] = '\0';
    look_at_usage(header);
    look_at_answer(end ? end + 1 : text, end ? size - head - 1 : size, 200);
    look_at_answer(end ? end + 1 : text, end ? size - head - 1 : size, 500);
    return 0;
}
