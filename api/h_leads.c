/* h_leads: leads for operators: pages, and one with its events. */
#include "handlers.h"

#include <string.h>

#include "account_call.h"
#include "archive.h"
#include "evento_json.h"
#include "lead_json.h"
#include "lead_query.h"
#include "loop.h"
#include "reply.h"
#include "text.h"

enum { ANSWER_CAP = 8 << 20 };

#define CURSOR_ORDER "l1."
/* Years 0 to 9999: what PostgreSQL takes for sure. */
#define CURSOR_US_MIN INT64_C(-62167219200000000)
#define CURSOR_US_MAX INT64_C(253402300799999999)

/* ---- a page ---- */

struct page_call {
    struct leads_ticket ticket;
    struct request *request;
    struct buf text, last; /* last: the cursor behind the page, as it is before it is coded */
    int64_t limit, n;
    bool hidden;
};

static void on_row(struct leads_ticket *t, const struct lead *l)
{
    struct page_call *c = (struct page_call *)(void *)t;
    if (c->n++ == c->limit)
        return;
    if (c->n > 1)
        buf_char(&c->text, ',');
    lead_json_begin(&c->text, l, c->hidden);
    buf_char(&c->text, '}');
    if (c->n < c->limit)
        return;
    buf_printf(&c->last, CURSOR_ORDER "%lld.", (long long)l->criado_us);
    buf_add(&c->last, l->leadgen_id.data, l->leadgen_id.len);
}

static void end_page(struct page_call *c)
{
    char *coded;
    buf_lit(&c->text, "],\"proximo\":");
    if (c->n <= c->limit) {
        buf_lit(&c->text, "null");
    } else if ((coded = buf_reserve(&c->text, c->last.len * 2 + 4))) {
        size_t n = text_base64url((const uint8_t *)c->last.data, c->last.len, coded + 1);
        coded[0] = coded[n + 1] = '"';
        buf_advance(&c->text, n + 2);
    }
    buf_printf(&c->text, ",\"redigido\":%s}", c->hidden ? "true" : "false");
}

static void page_end(struct page_call *c)
{
    buf_release(&c->text);
    buf_release(&c->last);
    account_call_end(c->request);
}

static void on_page(struct leads_ticket *t, enum status st, size_t n)
{
    (void)n;
    struct page_call *c = (struct page_call *)(void *)t;
    struct request *r = c->request;
    if (account_call_waits(r)) {
        end_page(c);
        if (st == STATUS_OK)
            reply_buf(r, STATUS_OK, REPLY_JSON, &c->text);
        else
            account_call_refuse(r, st, false);
        r->reply.secret = true;
    }
    page_end(c);
}

static bool decode_cursor(struct request *r, struct slice s, struct leads_filter *f)
{
    size_t n, order = sizeof CURSOR_ORDER - 1;
    char *plain = arena_alloc(&r->arena, s.len + 1);
    if (!plain || !text_unbase64url(s.data, s.len, (uint8_t *)plain, s.len, &n) || n <= order ||
        memcmp(plain, CURSOR_ORDER, order) != 0 || memchr(plain, 0, n) ||
        !text_utf8(plain, n, NULL))
        return false;
    plain[n] = 0;
    char *text = plain + order, *dot = strchr(text, '.');
    f->antes_id = dot && dot[1] ? dot + 1 : NULL;
    return f->antes_id &&
           text_int(text, (size_t)(dot - text), CURSOR_US_MIN, CURSOR_US_MAX, &f->antes_us);
}

static enum status read_page(struct request *r, struct leads_filter *f)
{
    struct slice limit = request_param(r, "limite"), cursor = request_param(r, "cursor");
    enum status st = lead_query(r, f);
    if (st != STATUS_OK)
        return st;
    f->limite = ARCHIVE_LIMIT_DEFAULT;
    if (limit.data && !text_int(limit.data, limit.len, 1, ARCHIVE_LIMIT_MAX, &f->limite))
        return reply_field(r, STATUS_BAD_REQUEST, "limite", "deve ser um número de 1 a %d",
                           ARCHIVE_LIMIT_MAX);
    if (cursor.data && !decode_cursor(r, cursor, f))
        return reply_field(r, STATUS_BAD_REQUEST, "cursor",
                           "não é um cursor devolvido por esta rota");
    return STATUS_OK;
}

enum status h_leads(struct request *r)
{
    struct page_call *c = arena_alloc(&r->arena, sizeof *c);
    struct leads_filter f;
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = read_page(r, &f);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    *c = (struct page_call){.ticket = {on_row, on_page},
                            .request = r,
                            .text = buf_init(ANSWER_CAP),
                            .last = buf_init(ANSWER_CAP),
                            .limit = f.limite++,
                            .hidden = archive_redacts(r)};
    buf_lit(&c->text, "{\"leads\":[");
    if (store_leads_page(r->loop->searches, &f, false, &c->ticket) != STATUS_OK) {
        account_call_refuse(r, STATUS_DATABASE_AWAY, false);
        page_end(c);
    }
    return STATUS_PENDING;
}

/* ---- one ---- */

struct one_call {
    struct leads_ticket lead;
    struct eventos_ticket events;
    struct request *request;
    const char *id;
    struct buf text;
    unsigned n_events;
    bool hidden;
};

static void one_end(struct one_call *c)
{
    buf_release(&c->text);
    account_call_end(c->request);
}

static void one_fail(struct one_call *c, enum status st)
{
    if (account_call_waits(c->request))
        account_call_refuse(c->request, st, false);
    one_end(c);
}

static struct one_call *of_events(struct eventos_ticket *t)
{
    return (struct one_call *)(void *)((char *)t - offsetof(struct one_call, events));
}

static void on_event(struct eventos_ticket *t, const struct evento *e)
{
    struct one_call *c = of_events(t);
    if (c->n_events++)
        buf_char(&c->text, ',');
    evento_json(&c->text, e, c->hidden);
}

static void on_events(struct eventos_ticket *t, enum status st, size_t n)
{
    (void)n;
    struct one_call *c = of_events(t);
    struct request *r = c->request;
    if (st != STATUS_OK) {
        one_fail(c, st);
        return;
    }
    if (account_call_waits(r)) {
        buf_printf(&c->text, "],\"redigido\":%s}", c->hidden ? "true" : "false");
        reply_buf(r, STATUS_OK, REPLY_JSON, &c->text);
        r->reply.secret = true;
    }
    one_end(c);
}

static void on_lead(struct leads_ticket *t, const struct lead *l)
{
    struct one_call *c = (struct one_call *)(void *)t;
    struct buf *b = &c->text;
    lead_json_begin(b, l, c->hidden);
    buf_lit(b, ",\"campos\":");
    lead_json_fields(b, l->campos, c->hidden);
    buf_printf(b, ",\"tentativas\":%lld", (long long)l->tentativas);
    archive_put_time(b, "consultado_em", l->consultado_us);
    (c->hidden ? archive_put_hidden : archive_put_text)(b, "ultimo_erro", l->ultimo_erro);
    archive_put_time(b, "proxima_em", l->proxima_us);
    buf_lit(b, ",\"eventos\":[");
}

static void on_lead_read(struct leads_ticket *t, enum status st, size_t n)
{
    struct one_call *c = (struct one_call *)(void *)t;
    struct request *r = c->request;
    if (st != STATUS_OK) {
        one_fail(c, st);
        return;
    }
    if (n == 0 || !account_call_waits(r)) {
        if (account_call_waits(r))
            reply_problem(r, STATUS_NOT_FOUND, "Não há lead com este id.");
        one_end(c);
        return;
    }
    if (store_eventos_of_lead(r->loop->reads, c->id, &c->events) != STATUS_OK)
        one_fail(c, STATUS_DATABASE_AWAY);
}

enum status h_lead(struct request *r)
{
    struct one_call *c = arena_alloc(&r->arena, sizeof *c);
    const char *id = arena_copy(&r->arena, r->path_param.data, r->path_param.len);
    if (!c || !id)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    *c = (struct one_call){.lead = {on_lead, on_lead_read},
                           .events = {.row = on_event, .done = on_events},
                           .request = r,
                           .id = id,
                           .text = buf_init(ANSWER_CAP),
                           .hidden = archive_redacts(r)};
    if (store_leads_one(r->loop->reads, id, &c->lead) != STATUS_OK)
        one_fail(c, STATUS_DATABASE_AWAY);
    return STATUS_PENDING;
}
