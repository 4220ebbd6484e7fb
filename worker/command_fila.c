/* command_fila: owns the table of words, `status`, `pausar`, `retomar`, and how things are printed.
 */
#include "command_fila.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "fila_args.h"
#include "jsonput.h"
#include "log.h"
#include "queue.h"
#include "session.h"
#include "store_fila.h"
#include "text.h"

enum { PRINT_CAP = 512 << 20 }; /* a page of a thousand events has bodies of up to 3 MiB each */

/* ---- printing ---- */

enum exit_code command_print(struct buf *b)
{
    bool failed = buf_failed(b) || fwrite(b->data ? b->data : "", 1, b->len, stdout) != b->len ||
                  fflush(stdout) != 0;
    buf_release(b);
    if (failed)
        fputs("alicerce-worker: the answer could not be written: see stdout and memory\n", stderr);
    return failed ? EXIT_OS : EXIT_OK;
}

void command_json_name(struct buf *b, const char *name)
{
    bool first = b->len == 0 || strchr("{[\n", b->data[b->len - 1]);
    buf_printf(b, "%s\"%s\":", first ? "" : ",", name);
}

void command_json_int(struct buf *b, const char *name, int64_t value)
{
    command_json_name(b, name);
    buf_int(b, value);
}

void command_json_time(struct buf *b, const char *name, int64_t us)
{
    command_json_name(b, name);
    if (us == STORE_NO_TIME)
        buf_lit(b, "null");
    else
        jsonput_time(b, us);
}

void command_json_text(struct buf *b, const char *name, struct pg_text text)
{
    command_json_name(b, name);
    if (text.data)
        jsonput_string(b, text.data, text.len);
    else
        buf_lit(b, "null");
}

void command_time(struct buf *b, int64_t us)
{
    char text[TEXT_TIME_LEN];
    if (us == STORE_NO_TIME) {
        buf_lit(b, "-");
        return;
    }
    text_time(us, text);
    buf_add(b, text, 19); /* to the second */
    buf_char(b, 'Z');
}

void command_text(struct buf *b, struct pg_text text, size_t max)
{
    if (!text.data || text.len == 0) {
        buf_lit(b, "-");
        return;
    }
    size_t end = text.len <= max ? text.len : max;
    while (end < text.len && end > 0 && ((unsigned char)text.data[end] & 0xc0) == 0x80)
        end--; /* not within a character */
    for (size_t i = 0; i < end; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool c1 = c == 0xc2 && i + 1 < end && (unsigned char)text.data[i + 1] < 0xa0;
        char shown = text.data[i];
        if (c < 0x20 || c == 0x7f || c1)
            shown = '?';
        buf_char(b, shown);
        i += c1;
    }
    if (end < text.len)
        buf_lit(b, "…");
}

static struct pg_text text_of(const char *s)
{
    return (struct pg_text){*s ? s : NULL, strlen(s)};
}

/* ---- status ---- */

struct status_answers {
    struct queue_state queue;
    struct fila_state fila;
    enum status queue_st, fila_st; /* STATUS_PENDING until answered */
};

static void on_queue(struct queue_state *q, enum status st)
{
    struct status_answers *a =
        (struct status_answers *)(void *)((char *)q - offsetof(struct status_answers, queue));
    a->queue_st = st;
}

static void on_fila(struct fila_state *f, enum status st)
{
    struct status_answers *a =
        (struct status_answers *)(void *)((char *)f - offsetof(struct status_answers, fila));
    a->fila_st = st;
}

static void put_line(struct buf *b, const char *name, int64_t n, const char *unit)
{
    buf_printf(b, "%-20s %" PRId64 "%s\n", name, n, unit);
}

/* Counts end at STORE_FILA_COUNT_MAX. */
static void put_count(struct buf *b, const char *name, int64_t n)
{
    bool more = n > STORE_FILA_COUNT_MAX;
    put_line(b, name, more ? STORE_FILA_COUNT_MAX : n, more ? "+" : "");
}

static void put_status(struct buf *b, const struct status_answers *a)
{
    put_line(b, "na fila", a->queue.length, "");
    put_line(b, "mais antiga", queue_oldest_age_s(&a->queue), " s");
    put_line(b, "em processo", a->queue.in_hand, "");
    put_line(b, "memória por entrega", queue_bytes_each(&a->queue), " bytes");
    put_count(b, "diretas a fazer", a->fila.direct);
    put_count(b, "à espera de nova vez", a->fila.retries);
    buf_lit(b, "próxima tentativa    ");
    command_time(b, a->fila.next_retry_us);
    buf_char(b, '\n');
    put_count(b, "mortas", a->fila.dead);
    put_line(b, "workers", a->queue.consumers, "");
    buf_lit(b, "pausada desde        ");
    command_time(b, a->fila.paused_us);
    if (a->fila.paused_us != STORE_NO_TIME) {
        buf_lit(b, " por ");
        command_text(b, text_of(a->fila.paused_by), 100);
    }
    buf_char(b, '\n');
}

static void put_json_count(struct buf *b, const char *name, const char *name_more, int64_t n)
{
    bool more = n > STORE_FILA_COUNT_MAX;
    command_json_int(b, name, more ? STORE_FILA_COUNT_MAX : n);
    command_json_name(b, name_more);
    buf_str(b, more ? "true" : "false");
}

static void put_json_status(struct buf *b, const struct status_answers *a)
{
    buf_char(b, '{');
    command_json_int(b, "na_fila", a->queue.length);
    command_json_int(b, "mais_antiga_s", queue_oldest_age_s(&a->queue));
    command_json_int(b, "em_processo", a->queue.in_hand);
    command_json_int(b, "memoria_bytes", a->queue.memory);
    command_json_int(b, "memoria_por_entrega_bytes", queue_bytes_each(&a->queue));
    put_json_count(b, "diretas_a_fazer", "diretas_ha_mais", a->fila.direct);
    put_json_count(b, "retentativas", "retentativas_ha_mais", a->fila.retries);
    command_json_time(b, "proxima_tentativa", a->fila.next_retry_us);
    put_json_count(b, "mortas", "mortas_ha_mais", a->fila.dead);
    command_json_int(b, "workers", a->queue.consumers);
    command_json_time(b, "pausada_em", a->fila.paused_us);
    command_json_text(b, "pausada_por", text_of(a->fila.paused_by));
    buf_lit(b, "}\n");
}

static enum exit_code say_unanswered(const struct status_answers *a)
{
    if (a->queue_st != STATUS_OK)
        session_refused("Redis did not tell the state of the queue", a->queue_st,
                        "see REDIS_URL and the server's log");
    if (a->fila_st != STATUS_OK)
        session_refused("PostgreSQL did not tell the state of entregas", a->fila_st,
                        "see DATABASE_URL, and apply sql/ with --migrate");
    return EXIT_UNAVAILABLE;
}

static enum exit_code status(struct session *s, const struct fila_args *args)
{
    static struct status_answers a; /* outlives the session: a late answer still reaches it */
    a = (struct status_answers){.queue.done = on_queue,
                                .fila.done = on_fila,
                                .queue_st = STATUS_PENDING,
                                .fila_st = STATUS_PENDING};
    session_extend(s, SESSION_WAIT_MS);
    enum status st = queue_inspect(s->rds, &a.queue);
    a.queue_st = st == STATUS_OK ? a.queue_st : st;
    st = store_fila_inspect(s->pg, &a.fila);
    a.fila_st = st == STATUS_OK ? a.fila_st : st;
    while ((a.queue_st == STATUS_PENDING || a.fila_st == STATUS_PENDING) && session_step(s))
        continue;
    if (a.queue_st != STATUS_OK || a.fila_st != STATUS_OK)
        return say_unanswered(&a);
    struct buf b = buf_init(PRINT_CAP);
    if (args->json)
        put_json_status(&b, &a);
    else
        put_status(&b, &a);
    return command_print(&b);
}

/* ---- pausar, retomar ---- */

struct pause_answer {
    struct fila_pause pause;
    struct session *session;
};

static void on_pause(struct fila_pause *p, enum status st)
{
    ((struct pause_answer *)(void *)p)->session->outcome = st;
}

static void put_pause(struct buf *b, const struct fila_pause *p, bool json)
{
    if (json) {
        buf_char(b, '{');
        command_json_time(b, "pausada_em", p->since_us);
        command_json_text(b, "pausada_por", text_of(p->by));
        buf_lit(b, "}\n");
    } else if (p->since_us == STORE_NO_TIME) {
        buf_lit(b, "retomada\n");
    } else {
        buf_lit(b, "pausada desde ");
        command_time(b, p->since_us);
        buf_lit(b, " por ");
        command_text(b, text_of(p->by), 100);
        buf_char(b, '\n');
    }
}

static enum exit_code set_pause(struct session *s, const struct fila_args *args, bool yes)
{
    static const struct auditoria_quem nobody; /* the command line */
    static struct pause_answer a; /* outlives the session: a late answer still reaches it */
    a = (struct pause_answer){.pause.done = on_pause, .session = s};
    enum exit_code code =
        session_wait(s, yes ? store_fila_pause(s->pg, &nobody, args->por, &a.pause)
                            : store_fila_resume(s->pg, &nobody, &a.pause));
    if (code != EXIT_OK)
        return code;
    struct buf b = buf_init(PRINT_CAP);
    put_pause(&b, &a.pause, args->json);
    return command_print(&b);
}

static enum exit_code pausar(struct session *s, const struct fila_args *args)
{
    return set_pause(s, args, true);
}

static enum exit_code retomar(struct session *s, const struct fila_args *args)
{
    return set_pause(s, args, false);
}

/* ---- the words ---- */

static const struct {
    enum exit_code (*run)(struct session *s, const struct fila_args *args);
    bool redis;
} table[FILA_WORDS] = {
    [FILA_STATUS] = {status, true},
    [FILA_PAUSAR] = {pausar, false},
    [FILA_RETOMAR] = {retomar, false},
    [FILA_MORTAS] = {command_entregas, false},
    [FILA_ENTREGAS] = {command_entregas, false},
    [FILA_EVENTOS] = {command_eventos, false},
    [FILA_REENVIAR] = {command_reenviar, false},
};

enum exit_code command_fila(int argc, char **argv)
{
    struct fila_args args;
    struct session s;
    char why[200];
    if (!fila_args_parse(argc, argv, &args, why)) {
        fprintf(stderr, "alicerce-worker: %s: see alicerce-worker --help\n", why);
        return EXIT_USAGE;
    }
    struct config *c = config_load(CONFIG_WORKER, stderr);
    if (!c)
        return EXIT_BAD_CONFIG;
    log_setup("alicerce-worker", LOG_ERROR, c->log_format);
    enum exit_code code = session_begin(&s, c, table[args.word].redis);
    if (code == EXIT_OK)
        code = table[args.word].run(&s, &args);
    session_end(&s);
    config_free(c);
    return code;
}
