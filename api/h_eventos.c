/* h_eventos: the events that deliveries brought: pages, search by any field of the payload, one. */
#include "handlers.h"

#include "account_call.h"
#include "archive.h"
#include "evento_json.h"
#include "loop.h"
#include "reply.h"
#include "store_eventos.h"
#include "text.h"

/* A page: 100 contents of 16 KiB, which escaping and redaction may make longer. */
enum { PAGE_CAP = 8 << 20, ONE_CAP = 8 << 20 };
#define PLACE_KIND 'v'

struct call {
    struct eventos_ticket ticket;
    struct request *request;
    struct buf text;
    int64_t limit, n;
    struct archive_place last;
    bool one, redacted;
};

static void on_row(struct eventos_ticket *t, const struct evento *e)
{
    struct call *c = (struct call *)(void *)t;
    if (!c->one && c->n++ == c->limit)
        return;
    if (!c->one && c->n > 1)
        buf_char(&c->text, ',');
    evento_json(&c->text, e, c->redacted);
    c->last = (struct archive_place){e->criado_us, e->id};
}

static void end_page(struct call *c)
{
    archive_end_rows(&c->text, PLACE_KIND, c->n > c->limit ? c->last : (struct archive_place){0});
    if (c->ticket.atraso > 0)
        archive_put_int(&c->text, "atraso", c->ticket.atraso);
    buf_printf(&c->text, ",\"redigido\":%s}", c->redacted ? "true" : "false");
}

static void on_done(struct eventos_ticket *t, enum status st, size_t n)
{
    struct call *c = (struct call *)(void *)t;
    struct request *r = c->request;
    if (account_call_waits(r)) {
        if (!c->one)
            end_page(c);
        if (st == STATUS_DEADLINE)
            reply_problem(r, st, "A procura levou tempo demais: use um filtro mais estreito.");
        else if (st != STATUS_OK)
            account_call_refuse(r, st, false);
        else if (c->one && n == 0)
            reply_problem(r, STATUS_NOT_FOUND, "Não há evento com este id.");
        else
            archive_answer(r, REPLY_JSON, &c->text);
    }
    buf_release(&c->text);
    account_call_end(r);
}

static struct call *make(struct request *r, size_t cap)
{
    struct call *c = arena_alloc(&r->arena, sizeof *c);
    if (c)
        *c = (struct call){.ticket = {.row = on_row, .done = on_done},
                           .request = r,
                           .text = buf_init(cap),
                           .limit = ARCHIVE_LIMIT_DEFAULT,
                           .redacted = archive_redacts(r)};
    return c;
}

static enum status sent(struct call *c, enum status st)
{
    if (st != STATUS_OK)
        buf_release(&c->text);
    return account_call_sent(c->request, st);
}

static enum status read_delivery(struct request *r, int64_t *ret)
{
    struct slice given = request_param(r, "entrega");
    if (!given.data || text_int(given.data, given.len, 1, INT64_MAX, ret))
        return STATUS_OK;
    return reply_field(r, STATUS_BAD_REQUEST, "entrega", "deve ser o id de uma entrega");
}

static enum status read_filter(struct request *r, struct eventos_filter *f)
{
    struct archive_place place = {0};
    f->limite = ARCHIVE_LIMIT_DEFAULT;
    f->desde_us = f->ate_us = STORE_NO_TIME;
    enum status st = archive_read_page(r, PLACE_KIND, &f->limite, &place);
    if (st == STATUS_OK)
        st = archive_read_times(r, &f->desde_us, &f->ate_us);
    if (st == STATUS_OK)
        st = read_delivery(r, &f->entrega_id);
    if (st == STATUS_OK)
        st = archive_read_field(r, &f->caminho, &f->valor);
    f->antes_us = place.us;
    f->antes_id = place.id;
    return st;
}

enum status h_events(struct request *r)
{
    struct eventos_filter f = {0};
    struct call *c = make(r, PAGE_CAP);
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = read_filter(r, &f);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    c->limit = f.limite++;
    buf_lit(&c->text, "{\"eventos\":[");
    return sent(c, store_eventos_page(r->loop->searches, &f, &c->ticket));
}

enum status h_event(struct request *r)
{
    struct call *c = make(r, ONE_CAP);
    int64_t id;
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = archive_read_id(r, &id);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    c->one = true;
    return sent(c, store_eventos_one(r->loop->searches, id, &c->ticket));
}
