/* A delivery's envelope (jsonscan.c, worker/jobs.c): never a crash, rows always with a key, and
 * what jansson takes for JSON is JSON. The canonical form depends on the meaning alone: it is the
 * same for the text as jansson writes it, without white space and with every character escaped. */
#include <string.h>

#include "fuzz.h"
#include "jsonget.h"
#include "worker/jobs.h"

enum { CANONICAL_CAP = 64 << 20, ARENA_CAP = 16 << 20 };

static bool has_real(const json_t *v)
{
    size_t i;
    json_t *element;
    const char *key;
    if (json_is_real(v))
        return true;
    json_array_foreach(v, i, element) if (has_real(element)) return true;
    json_object_foreach((json_t *)(uintptr_t)v, key, element) if (has_real(element)) return true;
    return false;
}

static void look_at_canonical(struct jsonscan root, const json_t *tree)
{
    struct buf once = buf_init(CANONICAL_CAP), again = buf_init(CANONICAL_CAP);
    struct jsonscan other;
    char *text = json_dumps(tree, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    MUST(text && jsonscan_check(text, strlen(text), &other) == NULL);
    jsonscan_canonical(root, &once);
    jsonscan_canonical(other, &again);
    MUST(once.len == again.len && memcmp(once.data, again.data, once.len) == 0);
    buf_release(&once);
    buf_release(&again);
    free(text);
}

/* Repeated keys are dropped by jansson, and numbers written anew: those are not compared. */
static void look_at_scan(const char *text, size_t size)
{
    json_error_t error;
    struct jsonscan root;
    json_t *tree = json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    /* jansson 2.14 lets a NUL pass behind a number */
    if (tree && !memchr(text, 0, size) && jsonget_depth(text, size) < JSONSCAN_DEPTH) {
        MUST(jsonscan_check(text, size, &root) == NULL);
        if (!has_real(tree) && !memmem(text, size, "-0", 2))
            look_at_canonical(root, tree);
    }
    json_decref(tree);
}

/* A column takes it: PostgreSQL's text is UTF-8 without U+0000. */
static void look_at_text(struct pg_text text, size_t max)
{
    MUST(!text.data || (text.len > 0 && text.len <= max && text_utf8(text.data, text.len, NULL) &&
                        !memchr(text.data, 0, text.len)));
}

static void look_at_evento(const struct new_evento *e)
{
    struct jsonscan root;
    MUST(e->chave.data != NULL);
    look_at_text(e->chave, JOBS_KEY_MAX);
    look_at_text(e->objeto, JOBS_ID_MAX);
    look_at_text(e->campo, JOBS_ID_MAX);
    look_at_text(e->entidade, JOBS_ID_MAX);
    look_at_text(e->assunto, JOBS_PART_MAX);
    look_at_text(e->estado, JOBS_STATE_MAX);
    look_at_text(e->contato, JOBS_ID_MAX);
    if (e->conteudo.data) {
        MUST(jsonscan_check(e->conteudo.data, e->conteudo.len, &root) == NULL);
        MUST(jsonscan_fits_jsonb(root));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *motivo = NULL;
    struct arena arena;
    arena_init(&arena, ARENA_CAP);
    struct job_rows rows = {.arena = &arena};
    look_at_scan(text, size);
    enum status st = jobs_run(text, size, &rows, &motivo);
    MUST(st == STATUS_OK || st == STATUS_INVALID);
    MUST((st == STATUS_INVALID) == (motivo != NULL));
    for (size_t i = 0; i < rows.n_eventos; i++)
        look_at_evento(&rows.eventos[i]);
    for (size_t i = 0; i < rows.n_leads; i++)
        MUST(rows.leads[i].leadgen_id.data != NULL && rows.leads[i].leadgen_id.len > 0);
    job_rows_release(&rows);
    arena_reset(&arena, ARENA_CAP);
    return 0;
}
