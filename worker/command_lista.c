/* command_lista: pages of deliveries (mortas, entregas) and of events (eventos). */
#include <inttypes.h>
#include <stdio.h>

#include "buf.h"
#include "command_fila.h"
#include "fila_args.h"
#include "session.h"

enum {
    LIST_CAP = 512 << 20, /* a page of a thousand events of 3 MiB each is refused */
    REASON_BYTES = 120,
    CONTENT_BYTES = 160
};

/* Static: a late answer still reaches it while the session ends. */
static struct list {
    struct arquivo_query query;
    struct arquivo_numbers numbers;
    struct session *session;
    struct buf out;
    bool json;
    int64_t n, last_id;
} list;

static void begin(struct session *s, const struct fila_args *a)
{
    list = (struct list){.session = s, .json = a->json, .out = buf_init(LIST_CAP)};
    if (list.json)
        buf_lit(&list.out, "[");
}

static void on_done(struct arquivo_query *q, enum status st)
{
    (void)q;
    list.session->outcome = st;
}

static void begin_row(int64_t id)
{
    list.last_id = id;
    if (list.json)
        buf_str(&list.out, list.n > 0 ? ",\n" : "\n");
    list.n++;
}

/* More may follow a full page: says how to get it. */
static enum exit_code end(const struct fila_args *a)
{
    if (list.json)
        buf_str(&list.out, list.n > 0 ? "\n]\n" : "]\n");
    if (!a->id && list.n == a->filter.limite && !list.json)
        fprintf(stderr, "a página está cheia: mais com --antes %" PRId64 "\n", list.last_id);
    if (a->id && list.n == 0) {
        buf_release(&list.out);
        fprintf(stderr, "alicerce-worker: --id %" PRId64 ": there is none\n", a->id);
        return EXIT_NOT_FOUND;
    }
    return command_print(&list.out);
}

/* ---- deliveries ---- */

static void put_entrega_json(struct buf *b, const struct entrega *e)
{
    buf_char(b, '{');
    command_json_int(b, "id", e->id);
    command_json_time(b, "recebida_em", e->recebida_us);
    command_json_text(b, "via", e->via);
    command_json_text(b, "estado", e->estado);
    command_json_int(b, "tentativas", e->tentativas);
    command_json_text(b, "motivo", e->motivo);
    command_json_time(b, "processada_em", e->processada_us);
    command_json_int(b, "bytes", e->bytes);
    command_json_text(b, "fila_id", e->fila_id);
    command_json_text(b, "request_id", e->request_id);
    buf_char(b, '}');
}

static void on_entrega(struct arquivo_query *q, const struct entrega *e)
{
    (void)q;
    struct buf *b = &list.out;
    begin_row(e->id);
    if (list.json) {
        put_entrega_json(b, e);
        return;
    }
    buf_printf(b, "%10" PRId64 "  ", e->id);
    command_time(b, e->recebida_us);
    buf_printf(b, "  %-10.*s  %8" PRId64 " bytes  ", (int)e->estado.len, e->estado.data, e->bytes);
    command_text(b, e->motivo, REASON_BYTES);
    buf_char(b, '\n');
}

enum exit_code command_entregas(struct session *s, const struct fila_args *a)
{
    begin(s, a);
    list.query = (struct arquivo_query){.entrega = on_entrega, .done = on_done};
    enum exit_code code =
        session_wait(s, store_arquivo_entregas(s->pg, a->id, &a->filter, &list.query));
    if (code == EXIT_OK)
        return end(a);
    buf_release(&list.out);
    return code;
}

/* ---- events ---- */

static void put_evento_json(struct buf *b, const struct arquivo_evento *e)
{
    buf_char(b, '{');
    command_json_int(b, "id", e->id);
    command_json_int(b, "entrega_id", e->entrega_id);
    command_json_time(b, "criado_em", e->criado_us);
    command_json_time(b, "ocorrido_em", e->ocorrido_us);
    command_json_text(b, "chave", e->chave);
    command_json_text(b, "objeto", e->objeto);
    command_json_text(b, "campo", e->campo);
    command_json_text(b, "entidade", e->entidade);
    command_json_name(b, "conteudo");
    if (e->conteudo.data)
        buf_add(b, e->conteudo.data, e->conteudo.len);
    else
        buf_lit(b, "null");
    buf_char(b, '}');
}

static void on_evento(struct arquivo_query *q, const struct arquivo_evento *e)
{
    (void)q;
    struct buf *b = &list.out;
    begin_row(e->id);
    if (list.json) {
        put_evento_json(b, e);
        return;
    }
    buf_printf(b, "%10" PRId64 "  ", e->id);
    command_time(b, e->criado_us);
    buf_printf(b, "  entrega %" PRId64 "  ", e->entrega_id);
    command_text(b, e->chave, REASON_BYTES);
    buf_lit(b, "  ");
    command_text(b, e->conteudo, CONTENT_BYTES);
    buf_char(b, '\n');
}

static void on_lag(struct arquivo_numbers *n, enum status st)
{
    (void)n;
    list.session->outcome = st;
}

/* A search that did not read everything must say so. */
static enum exit_code warn_of_lag(struct session *s)
{
    list.numbers = (struct arquivo_numbers){.done = on_lag};
    enum exit_code code = session_wait(s, store_arquivo_lag(s->pg, &list.numbers));
    if (code == EXIT_OK && list.numbers.atraso > ARQUIVO_DIRECT)
        fprintf(stderr,
                "o índice está %" PRId64 " eventos atrasado: dos que faltam só os %d mais novos "
                "foram lidos\n",
                list.numbers.atraso, ARQUIVO_DIRECT);
    return code;
}

enum exit_code command_eventos(struct session *s, const struct fila_args *a)
{
    begin(s, a);
    list.query = (struct arquivo_query){.evento = on_evento, .done = on_done};
    enum exit_code code =
        session_wait(s, store_arquivo_eventos(s->pg, a->id, &a->filter, &list.query));
    if (code == EXIT_OK && a->filter.valor)
        code = warn_of_lag(s);
    if (code == EXIT_OK)
        return end(a);
    buf_release(&list.out);
    return code;
}
