/* Unit tests of the table of forms: every delivery in tests/fixtures/webhook becomes the events
 * that esperado.tsv says, and docs/webhooks.md names every row. Run from the project's folder. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/jobs.h"

Suite *suite_job_forms(void);

#define FIXTURES "tests/fixtures/webhook/"

static struct arena arena;
static struct job_rows rows;
static char corpo[64 << 10]; /* larger than any fixture */

static void set_up(void)
{
    arena_init(&arena, 64 << 20);
    rows = (struct job_rows){.arena = &arena};
}

static void tear_down(void)
{
    job_rows_release(&rows);
    arena_reset(&arena, 0);
}

static size_t read_file(const char *path, char *room, size_t size)
{
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s is not there", path);
    size_t n = fread(room, 1, size, f);
    fclose(f);
    ck_assert_uint_lt(n, size);
    room[n] = '\0';
    return n;
}

/* ---- the fixtures ---- */

static void run_fixture(const char *name)
{
    char path[256];
    const char *motivo = NULL;
    snprintf(path, sizeof path, FIXTURES "%s.json", name);
    size_t len = read_file(path, corpo, sizeof corpo);
    rows.n_eventos = rows.n_leads = 0;
    ck_assert_msg(jobs_run(corpo, len, &rows, &motivo) == STATUS_OK, "%s: %s", name, motivo);
}

static bool is(struct pg_text text, const char *expected)
{
    if (strcmp(expected, "-") == 0)
        return !text.data;
    return text.data && text.len == strlen(expected) && memcmp(text.data, expected, text.len) == 0;
}

static bool is_key(struct pg_text key, const char *expected)
{
    if (strcmp(expected, "hash:") != 0)
        return is(key, expected);
    return key.len == 5 + 64 && memcmp(key.data, "hash:", 5) == 0;
}

enum { FILE_NAME, CHAVE, CAMPO, ESTADO, ORDEM, CONTATO, N_COLUMNS };

static void look_at_row(const struct new_evento *e, char *const column[], const char *line)
{
    int ordem = column[ORDEM][0] == '-' ? 0 : column[ORDEM][0] - '0';
    ck_assert_msg(is_key(e->chave, column[CHAVE]), "%s: key %.*s", line, (int)e->chave.len,
                  e->chave.data);
    ck_assert_msg(is(e->campo, column[CAMPO]), "%s: campo %.*s", line, (int)e->campo.len,
                  e->campo.data);
    ck_assert_msg(is(e->estado, column[ESTADO]), "%s: estado", line);
    ck_assert_msg(e->ordem == ordem, "%s: ordem %d", line, e->ordem);
    ck_assert_msg(is(e->contato, column[CONTATO]), "%s: contato", line);
    bool hash = memcmp(e->chave.data, "hash:", 5) == 0;
    bool lead = memcmp(e->chave.data, "leadgen:", 8) == 0;
    ck_assert_msg(e->conteudo.data != NULL, "%s: content", line);
    if (hash || lead)
        ck_assert_msg(!e->assunto.data, "%s: assunto", line);
}

START_TEST(test_every_fixture_becomes_the_events_that_are_written_down)
{
    char table[64 << 10], copy[1024], present[64] = "", *rest = table, *line;
    size_t at = 0, n_lines = 0;
    read_file(FIXTURES "esperado.tsv", table, sizeof table);
    while ((line = strsep(&rest, "\n"))) {
        char *column[N_COLUMNS], *fields = copy;
        if (*line == '#' || !*line)
            continue;
        snprintf(copy, sizeof copy, "%s", line);
        for (unsigned i = 0; i < N_COLUMNS; i++) {
            column[i] = strsep(&fields, "\t");
            ck_assert_msg(column[i] != NULL, "%s", line);
        }
        if (strcmp(column[FILE_NAME], present) != 0) {
            ck_assert_msg(at == rows.n_eventos, "%s has more events", present);
            snprintf(present, sizeof present, "%s", column[FILE_NAME]);
            run_fixture(present);
            at = 0;
        }
        ck_assert_msg(at < rows.n_eventos, "%s: no such event", line);
        look_at_row(&rows.eventos[at++], column, line);
        n_lines++;
    }
    ck_assert_uint_eq(at, rows.n_eventos);
    ck_assert_uint_gt(n_lines, 70);
}
END_TEST

/* ---- the document ---- */

/* "mid:{message.mid}:deleted": as the document writes a key. */
static void write_key(const struct job_form *f, char *out, size_t size)
{
    FILE *to = fmemopen(out, size, "w");
    ck_assert_ptr_nonnull(to);
    fprintf(to, "`%s", f->chave[0] ? f->chave[0] : f->run == job_whatsapp ? "…" : "hash:");
    for (unsigned i = 1; i < JOBS_PARTS && f->chave[i]; i++) {
        const char *part = f->chave[i];
        if (*part == '=')
            fprintf(to, ":%s", part + 1);
        else if (*part == '@')
            fprintf(to, ":{entry.id}");
        else if (*part == '?')
            fprintf(to, "[:{%.*s}]", (int)strcspn(part + 1, "|"), part + 1);
        else
            fprintf(to, ":{%.*s}", (int)strcspn(part, "|"), part);
    }
    fprintf(to, "`");
    fclose(to);
}

/* A line of the document that has all of it. */
static bool has_line(const char *doc, const char *name, const char *key)
{
    for (const char *line = doc; line; line = strchr(line, '\n')) {
        char text[1024];
        line += *line == '\n';
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        if (strstr(text, name) && strstr(text, key))
            return true;
    }
    return false;
}

START_TEST(test_the_document_names_every_row_and_its_key)
{
    static char doc[64 << 10];
    size_t n;
    const struct job_form *forms = jobs_forms(&n);
    read_file("docs/webhooks.md", doc, sizeof doc);
    for (size_t i = 0; i < n; i++) {
        char key[256], name[64];
        write_key(&forms[i], key, sizeof key);
        snprintf(name, sizeof name, "`%s`", forms[i].nome);
        ck_assert_msg(has_line(doc, name, key), "no line with %s and %s", name, key);
    }
}
END_TEST

Suite *suite_job_forms(void)
{
    Suite *s = suite_create("job_forms");
    TCase *c = tcase_create("table");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_every_fixture_becomes_the_events_that_are_written_down);
    tcase_add_test(c, test_the_document_names_every_row_and_its_key);
    suite_add_tcase(s, c);
    return s;
}
