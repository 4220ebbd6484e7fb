/* command_reenviar: sends deliveries again, in steps that are a transaction each: by ids, or by a
 * filter until it finds no more or the limit is reached. With --esperar it looks what becomes of
 * them, step by step: the ids are kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "command_fila.h"
#include "ev.h"
#include "fila_args.h"
#include "session.h"
#include "stop.h"
#include "text.h"

enum { LOOK_EVERY_MS = 200, RESULT_CAP = 1 << 20 };

/* Static: a late answer still reaches it while the session ends. */
static struct replay {
    struct arquivo_query query;
    struct arquivo_numbers numbers;
    struct session *session;
    int64_t *ids; /* of those that were marked */
    size_t n, size;
    size_t asked;                /* of the present step */
    int64_t last_us, last_id;    /* of the last one */
    int64_t *unknown;            /* asked for by id, and not there */
    size_t n_unknown, n_waiting; /* the latter were pending already */
    int64_t processed, dead, gone;
    bool progress, failed;
} r;

static bool push(int64_t **list, size_t n, size_t *size, int64_t id)
{
    if (n == *size) {
        size_t more = *size ? 2 * *size : 1024;
        int64_t *bigger = realloc(*list, more * sizeof *bigger);
        if (!bigger)
            return false;
        *list = bigger;
        *size = more;
    }
    (*list)[n] = id;
    return true;
}

static void on_marked(struct arquivo_query *q, int64_t id, int64_t recebida_us,
                      struct pg_text estado)
{
    (void)q;
    r.asked++;
    r.last_us = recebida_us;
    r.last_id = id;
    if (!estado.data)
        r.unknown[r.n_unknown++] = id;
    else if (estado.len == 8 && memcmp(estado.data, "pendente", 8) == 0)
        r.n_waiting++;
    else if (push(&r.ids, r.n, &r.size, id))
        r.n++;
    else
        r.failed = true;
}

static void on_done(struct arquivo_query *q, enum status st)
{
    (void)q;
    r.session->outcome = st;
}

static void tell_progress(const char *what, size_t n)
{
    if (r.progress)
        fprintf(stderr, "%s %zu\n", what, n);
}

/* ---- marking ---- */

static enum exit_code mark_ids(struct session *s, const struct fila_args *a)
{
    int64_t ids[ARQUIVO_STEP];
    enum exit_code code = EXIT_OK;
    for (size_t from = 0; code == EXIT_OK && from < a->n_ids; from += ARQUIVO_STEP) {
        size_t n = a->n_ids - from < ARQUIVO_STEP ? a->n_ids - from : ARQUIVO_STEP;
        for (size_t i = 0; i < n; i++) /* checked when the line was read */
            text_int(a->ids[from + i], strlen(a->ids[from + i]), 1, INT64_MAX, &ids[i]);
        code = session_wait(s, store_arquivo_reenviar(s->pg, ids, n, &r.query));
        tell_progress("marcadas", r.n);
    }
    return code;
}

static enum exit_code mark_filtered(struct session *s, const struct fila_args *a)
{
    struct arquivo_filter f = a->filter;
    size_t limit = (size_t)f.limite;
    enum exit_code code = EXIT_OK;
    do {
        size_t left = limit - r.n;
        f.limite = (int64_t)(left < ARQUIVO_STEP ? left : ARQUIVO_STEP);
        r.asked = 0;
        code = session_wait(
            s, store_arquivo_reenviar_filtro(s->pg, &f, r.last_us, r.last_id, &r.query));
        tell_progress("marcadas", r.n);
    } while (code == EXIT_OK && !r.failed && r.asked == (size_t)f.limite && r.n < limit);
    return code;
}

/* ---- waiting ---- */

static void on_numbers(struct arquivo_numbers *c, enum status st)
{
    (void)c;
    r.session->outcome = st;
}

static void sleep_a_little(struct session *s)
{
    int64_t until = ev_now_ms(s->ev) + LOOK_EVERY_MS;
    session_extend(s, 2 * LOOK_EVERY_MS);
    while (ev_now_ms(s->ev) < until && session_step(s))
        continue;
}

/* One step's after the other: when none of its is pending the next ones are looked at. EXIT_OK also
 * when the time is over before all are done. */
static enum exit_code wait_for_all(struct session *s, int64_t seconds)
{
    int64_t until = ev_clock_us() + seconds * 1000000;
    enum exit_code code = EXIT_OK;
    size_t from = 0;
    while (from < r.n && code == EXIT_OK && atomic_load(&stop_asked) == 0) {
        size_t n = r.n - from < ARQUIVO_STEP ? r.n - from : ARQUIVO_STEP;
        r.numbers = (struct arquivo_numbers){.done = on_numbers};
        code = session_wait(s, store_arquivo_states(s->pg, r.ids + from, n, &r.numbers));
        bool over = ev_clock_us() >= until;
        if (code != EXIT_OK || (r.numbers.pendentes > 0 && !over)) {
            sleep_a_little(s);
            continue;
        }
        r.processed += r.numbers.processadas;
        r.dead += r.numbers.mortas;
        r.gone += (int64_t)n - r.numbers.pendentes - r.numbers.processadas - r.numbers.mortas;
        from += n;
        tell_progress("trabalhadas", (size_t)(r.processed + r.dead));
    }
    return code;
}

/* ---- the result ---- */

static int64_t unfinished(void)
{
    return (int64_t)r.n - r.processed - r.dead - r.gone;
}

static void put_result_json(struct buf *b, bool waited)
{
    buf_char(b, '{');
    command_json_int(b, "reenviadas", (int64_t)r.n);
    command_json_int(b, "ja_pendentes", (int64_t)r.n_waiting);
    command_json_name(b, "desconhecidas");
    buf_char(b, '[');
    for (size_t i = 0; i < r.n_unknown; i++)
        buf_printf(b, "%s%" PRId64, i > 0 ? "," : "", r.unknown[i]);
    buf_char(b, ']');
    if (waited) {
        command_json_int(b, "processadas", r.processed);
        command_json_int(b, "mortas", r.dead);
        command_json_int(b, "por_fazer", unfinished());
    }
    buf_lit(b, "}\n");
}

static void put_result(struct buf *b, bool waited)
{
    buf_printf(b, "reenviadas    %zu\n", r.n);
    if (r.n_waiting > 0)
        buf_printf(b, "já pendentes  %zu\n", r.n_waiting);
    if (waited)
        buf_printf(
            b, "processadas   %" PRId64 "\nmortas        %" PRId64 "\npor fazer     %" PRId64 "\n",
            r.processed, r.dead, unfinished());
}

static void say_unknown(void)
{
    if (r.n_unknown == 0)
        return;
    fputs("alicerce-worker: there is no delivery", stderr);
    for (size_t i = 0; i < r.n_unknown; i++)
        fprintf(stderr, "%s %" PRId64, i > 0 ? "," : "", r.unknown[i]);
    fputc('\n', stderr);
}

static enum exit_code tell(const struct fila_args *a)
{
    struct buf b = buf_init(RESULT_CAP);
    if (a->json)
        put_result_json(&b, a->esperar_s > 0);
    else
        put_result(&b, a->esperar_s > 0);
    enum exit_code code = command_print(&b);
    say_unknown();
    if (code == EXIT_OK && r.n_unknown > 0)
        return EXIT_NOT_FOUND;
    return code == EXIT_OK && a->esperar_s > 0 && unfinished() > 0 ? EXIT_UNFINISHED : code;
}

enum exit_code command_reenviar(struct session *s, const struct fila_args *a)
{
    r = (struct replay){.query = {.marked = on_marked, .done = on_done},
                        .session = s,
                        .progress = a->progresso || isatty(STDERR_FILENO)};
    r.unknown = calloc(a->n_ids + 1, sizeof *r.unknown);
    enum exit_code code = !r.unknown     ? EXIT_OS
                          : a->n_ids > 0 ? mark_ids(s, a)
                                         : mark_filtered(s, a);
    if (code == EXIT_OK && a->esperar_s > 0 && !r.failed)
        code = wait_for_all(s, a->esperar_s);
    if (r.failed || code == EXIT_OS) {
        fputs("alicerce-worker: no memory left to remember what was sent again\n", stderr);
        code = EXIT_OS;
    }
    enum exit_code told = r.unknown ? tell(a) : code;
    free(r.ids);
    free(r.unknown);
    r.ids = r.unknown = NULL;
    return code == EXIT_OK ? told : code;
}
