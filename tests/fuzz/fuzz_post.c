/* The body of POST /api/posts (jsonget.c): either texts that SQL takes, or a refusal whose problem
 * document is JSON whatever the body held. */
#include <string.h>

#include "api/reply.h"
#include "fuzz.h"
#include "jsonget.h"

static void look_at_text(const char *text, size_t len, size_t min, size_t max)
{
    size_t chars;
    MUST(text_utf8(text, len, &chars) && chars >= min && chars <= max);
    MUST(!memchr(text, '\0', len));
}

/* What was taken is JSON for jansson, too, and means the same. */
static void look_at_tree(const json_t *tree, const char *titulo, const char *conteudo)
{
    MUST(tree);
    MUST(strcmp(json_string_value(json_object_get(tree, "titulo")), titulo) == 0);
    MUST(strcmp(json_string_value(json_object_get(tree, "conteudo")), conteudo) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jsonget g;
    struct request r;
    size_t title, content, author;
    fuzz_request_begin(&r);
    json_t *tree = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    char *text = malloc(size ? size : 1);
    MUST(text);
    memcpy(text, data, size);
    enum status st = jsonget_parse(&g, text, size);
    if (st == STATUS_OK) {
        MUST(jsonget_depth((const char *)data, size) <= JSONGET_DEPTH);
        const char *titulo = jsonget_string(&g, "titulo", true, 1, 200, &title);
        const char *conteudo = jsonget_string(&g, "conteudo", true, 1, 100000, &content);
        const char *autor = jsonget_string(&g, "autor", false, 0, 100, &author);
        st = jsonget_finish(&g);
        if (st == STATUS_OK) {
            look_at_tree(tree, titulo, conteudo);
            look_at_text(titulo, title, 1, 200);
            look_at_text(conteudo, content, 1, 100000);
            if (autor)
                look_at_text(autor, author, 0, 100);
        }
    }
    if (st != STATUS_OK) {
        MUST(g.n_errors > 0);
        reply_fields(&r, st, g.errors, g.n_errors);
        fuzz_must_be_problem(&r);
    }
    free(text);
    json_decref(tree);
    fuzz_request_end(&r);
    return 0;
}
