/* h_reenvios: sending deliveries again: one, or by a job that the worker does. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>

#include "account_call.h"
#include "archive.h"
#include "audit.h"
#include "entrega_json.h"
#include "jsonget.h"
#include "jsonput.h"
#include "loop.h"
#include "reply.h"
#include "store_reenvio.h"
#include "text.h"

enum { ANSWER_CAP = 1 << 20, TEXT_MAX = 1000, PLACE_KIND = 'r' };

struct call {
    struct reenvio_call store;
    struct request *request;
    struct buf text;        /* what was rendered so far */
    int64_t limit, n, last; /* of a page */
    bool page, created, counted;
};

/* ---- JSON ---- */

/* Only what was asked for. */
static void put_filter(struct buf *b, const struct reenvio *row, bool hidden)
{
    buf_lit(b, ",\"filtro\":{\"estado\":");
    jsonput_string(b, row->filtro_estado.data, row->filtro_estado.len);
    if (row->motivo.data)
        archive_put_reason(b, "motivo", row->motivo, hidden);
    if (row->formulario.data)
        archive_put_text(b, "formulario", row->formulario);
    if (row->desde_us != STORE_NO_TIME)
        archive_put_time(b, "desde", row->desde_us);
    if (row->ate_us != STORE_NO_TIME)
        archive_put_time(b, "ate", row->ate_us);
    buf_char(b, '}');
}

static void put_job(struct buf *b, const struct reenvio *row, bool hidden)
{
    buf_printf(b, "{\"id\":%lld", (long long)row->id);
    archive_put_text(b, "estado", row->estado);
    put_filter(b, row, hidden);
    archive_put_int(b, "maximo", row->maximo);
    archive_put_int(b, "marcadas", row->marcadas);
    archive_put_int(b, "processadas", row->processadas);
    archive_put_int(b, "mortas", row->mortas);
    archive_put_int(b, "por_fazer", row->por_fazer);
    archive_put_time(b, "criado_em", row->criado_us);
    archive_put_text(b, "criado_por", row->criado_por);
    archive_put_time(b, "terminado_em", row->terminado_us);
    archive_put_reason(b, "erro", row->erro, hidden);
    buf_char(b, '}');
}

static void on_job(struct reenvio_call *t, const struct reenvio *row)
{
    struct call *c = (struct call *)(void *)t;
    if (c->page && c->n++ == c->limit)
        return;
    if (c->page && c->n > 1)
        buf_char(&c->text, ',');
    put_job(&c->text, row, archive_redacts(c->request));
    c->last = row->id;
}

static void on_entrega(struct reenvio_call *t, const struct entrega *row)
{
    struct call *c = (struct call *)(void *)t;
    entrega_json(&c->text, row, archive_redacts(c->request));
    buf_char(&c->text, '}');
}

/* ---- answers ---- */

static void refuse(struct request *r, enum reenvio_outcome outcome)
{
    if (outcome == REENVIO_ACTOR)
        auth_refuse_token(r, "O token foi revogado.");
    else if (outcome == REENVIO_ABSENT)
        reply_problem(r, STATUS_NOT_FOUND, "Não há nada com este id.");
    else if (outcome == REENVIO_PENDING)
        reply_problem(r, STATUS_CONFLICT, "A entrega já espera pelo worker.");
    else if (outcome == REENVIO_TOO_MANY)
        reply_problem(r, STATUS_CONFLICT, "Já há 20 reenvios em andamento.");
    else
        reply_problem(r, STATUS_CONFLICT, "O reenvio já terminou.");
}

static void end_page(struct call *c)
{
    archive_end_rows(&c->text, PLACE_KIND,
                     (struct archive_place){.id = c->n > c->limit ? c->last : 0});
    buf_char(&c->text, '}');
}

static void answer(struct call *c)
{
    struct request *r = c->request;
    enum status st = STATUS_OK;
    if (c->page)
        end_page(c);
    if (c->counted)
        buf_printf(&c->text, "{\"encontradas\":%lld,\"ou_mais\":%s}",
                   (long long)(c->store.found > c->limit ? c->limit : c->store.found),
                   c->store.found > c->limit ? "true" : "false");
    if (c->created)
        st = STATUS_ACCEPTED;
    reply_buf(r, st, REPLY_JSON, &c->text);
    r->reply.secret = true;
    if (c->created && c->last)
        snprintf(r->reply.location, sizeof r->reply.location, "/api/reenvios/%lld",
                 (long long)c->last);
}

static void on_done(struct reenvio_call *t, enum status st, enum reenvio_outcome outcome)
{
    struct call *c = (struct call *)(void *)t;
    struct request *r = c->request;
    if (account_call_waits(r)) {
        bool found = c->page || c->counted || c->text.len > 0;
        if (st != STATUS_OK)
            account_call_refuse(r, st, !c->page && !c->counted);
        else if (outcome != REENVIO_OK)
            refuse(r, outcome);
        else if (!found)
            refuse(r, REENVIO_ABSENT);
        else
            answer(c);
    }
    buf_release(&c->text);
    account_call_end(r);
}

/* ---- requests ---- */

static struct call *make(struct request *r)
{
    struct call *c = arena_alloc(&r->arena, sizeof *c);
    if (c)
        *c = (struct call){.store = {.job = on_job, .entrega = on_entrega, .done = on_done},
                           .request = r,
                           .text = buf_init(ANSWER_CAP)};
    return c;
}

/* The statement was sent, or not: then nothing was done. */
static enum status sent(struct call *c, enum status st)
{
    if (st != STATUS_OK)
        buf_release(&c->text);
    return account_call_sent(c->request, st);
}

/* With an id, and a call that is begun. */
static enum status begin(struct request *r, struct call **ret, int64_t *ret_id)
{
    *ret = make(r);
    if (!*ret)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = archive_read_id(r, ret_id);
    return st == STATUS_OK ? account_call_begin(r) : st;
}

enum status h_replay(struct request *r)
{
    struct call *c = NULL;
    int64_t id = 0;
    enum status st = begin(r, &c, &id);
    if (st != STATUS_PENDING)
        return st;
    struct auditoria_quem who = audit_who(r);
    c->created = true;
    return sent(c, store_reenvio_one(r->loop->writes, &who, id, &c->store));
}

enum status h_replay_job(struct request *r)
{
    struct call *c = NULL;
    int64_t id = 0;
    enum status st = begin(r, &c, &id);
    if (st != STATUS_PENDING)
        return st;
    return sent(c, store_reenvio_page(r->loop->reads, id, 0, 1, &c->store));
}

enum status h_replay_cancel(struct request *r)
{
    struct call *c = NULL;
    int64_t id = 0;
    enum status st = begin(r, &c, &id);
    if (st != STATUS_PENDING)
        return st;
    struct auditoria_quem who = audit_who(r);
    return sent(c, store_reenvio_cancel(r->loop->writes, &who, id, &c->store));
}

enum status h_replay_jobs(struct request *r)
{
    struct call *c = make(r);
    struct archive_place before = {0};
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    c->page = true;
    c->limit = ARCHIVE_LIMIT_DEFAULT;
    enum status st = archive_read_page(r, PLACE_KIND, &c->limit, &before);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    buf_lit(&c->text, "{\"reenvios\":[");
    return sent(c, store_reenvio_page(r->loop->reads, 0, before.id, c->limit + 1, &c->store));
}

/* ---- a new job ---- */

/* RFC 3339, or a day alone, which begins at 0:00 UTC. */
static int64_t time_of(struct jsonget *g, const char *field)
{
    size_t len;
    char whole[32];
    int64_t us = STORE_NO_TIME;
    const char *text = jsonget_string(g, field, false, 1, 40, &len);
    if (text && len == 10) {
        snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
        text = whole;
        len = strlen(whole);
    }
    if (text && !text_time_parse(text, len, &us))
        jsonget_fail(g, field, "deve ser uma data (AAAA-MM-DD) ou hora (RFC 3339)");
    return us;
}

static void check_filter(struct jsonget *g, const struct arquivo_filter *f)
{
    bool dead = f->estado && strcmp(f->estado, "morta") == 0;
    if (f->estado && !dead && strcmp(f->estado, "processada") != 0)
        jsonget_fail(g, "estado", "deve ser morta ou processada");
    if (dead && f->formulario)
        jsonget_fail(g, "formulario", "só com estado processada: de uma morta não se sabe");
    if (f->estado && !dead && f->motivo)
        jsonget_fail(g, "motivo", "só com estado morta: só elas têm motivo");
}

static enum status read_filter(struct request *r, struct arquivo_filter *f, bool *ret_only_count)
{
    struct jsonget g;
    size_t len;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st == STATUS_OK) {
        f->estado = jsonget_string(&g, "estado", true, 1, 20, &len);
        f->motivo = jsonget_string(&g, "motivo", false, 1, TEXT_MAX, &len);
        f->formulario = jsonget_string(&g, "formulario", false, 1, 100, &len);
        f->desde_us = time_of(&g, "desde");
        f->ate_us = time_of(&g, "ate");
        f->limite = jsonget_int(&g, "maximo", 1, REENVIO_MAX, REENVIO_DEFAULT);
        *ret_only_count = jsonget_bool(&g, "simular", 0) == 1;
        check_filter(&g, f);
        st = jsonget_finish(&g);
    }
    return st == STATUS_OK ? st : reply_jsonget(r, st, &g);
}

enum status h_replay_create(struct request *r)
{
    struct call *c = make(r);
    struct arquivo_filter f = {0};
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = read_filter(r, &f, &c->counted);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    c->limit = f.limite;
    if (c->counted)
        return sent(c, store_reenvio_count(r->loop->searches, &f, &c->store));
    struct auditoria_quem who = audit_who(r);
    c->created = true;
    return sent(c, store_reenvio_create(r->loop->writes, &who, &f, &c->store));
}
