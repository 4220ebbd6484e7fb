/* h_entregas: deliveries as they came: pages, one with all that became of it, its bytes. */
#include "handlers.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "account_call.h"
#include "archive.h"
#include "audit.h"
#include "entrega_json.h"
#include "evento_json.h"
#include "jsonput.h"
#include "loop.h"
#include "redact.h"
#include "reply.h"
#include "store_entregas.h"
#include "store_historico.h"
#include "text.h"

enum {
    PAGE_CAP = 1 << 20,
    ONE_CAP = 20 << 20, /* 3 MiB of bytes, of which each may be six in JSON */
    LIST_CAP = 256 * 1024,
    EVENTS_MAX = 100,
    HISTORY_MAX = 100
};
#define PLACE_KIND        'd'
#define SEARCH_PLACE_KIND 'p' /* of a search by value: the place is that of an event */

struct call {
    struct entregas_ticket ticket;
    struct eventos_ticket events; /* of one, as the next */
    struct historico_ticket history;
    struct request *request;
    struct buf text, events_text, history_text;
    int64_t limit, n;
    struct archive_place last, more;
    char kind;
    bool searches, redacted, found;
    unsigned outstanding;
    enum status st; /* of the first that failed */
    struct auditoria_quem who;
};

#define CALL_OF(t, member) ((struct call *)(void *)((char *)(t)-offsetof(struct call, member)))

static struct call *make(struct request *r, size_t cap)
{
    struct call *c = arena_alloc(&r->arena, sizeof *c);
    if (c)
        *c = (struct call){.request = r,
                           .text = buf_init(cap),
                           .events_text = buf_init(LIST_CAP),
                           .history_text = buf_init(LIST_CAP),
                           .limit = ARCHIVE_LIMIT_DEFAULT,
                           .redacted = archive_redacts(r)};
    return c;
}

static void end(struct call *c)
{
    buf_release(&c->text);
    buf_release(&c->events_text);
    buf_release(&c->history_text);
    account_call_end(c->request);
}

static void refuse(struct call *c, enum status st)
{
    if (st == STATUS_DEADLINE)
        reply_problem(c->request, st, "A procura levou tempo demais: use um filtro mais estreito.");
    else
        account_call_refuse(c->request, st, false);
}

/* What was sent counts itself; nothing sent: refused at once. */
static enum status sent(struct call *c, enum status st)
{
    if (st != STATUS_OK) {
        refuse(c, STATUS_DATABASE_AWAY);
        end(c);
    }
    return STATUS_PENDING;
}

/* ---- pages ---- */

static void on_row(struct entregas_ticket *t, const struct entrega *e)
{
    struct call *c = (struct call *)(void *)t;
    if (c->n++ == c->limit && !c->searches)
        return;
    if (c->n > 1)
        buf_char(&c->text, ',');
    entrega_json(&c->text, e, c->redacted);
    buf_char(&c->text, '}');
    c->last = (struct archive_place){e->recebida_us, e->id};
}

static void on_more(struct entregas_ticket *t, int64_t us, int64_t id)
{
    ((struct call *)(void *)t)->more = (struct archive_place){us, id};
}

static void on_page(struct entregas_ticket *t, enum status st, size_t n)
{
    struct call *c = (struct call *)(void *)t;
    (void)n;
    if (!c->searches && c->n > c->limit)
        c->more = c->last;
    if (account_call_waits(c->request)) {
        archive_end_rows(&c->text, c->kind, c->more);
        buf_char(&c->text, '}');
        if (st == STATUS_OK)
            archive_answer(c->request, REPLY_JSON, &c->text);
        else
            refuse(c, st);
    }
    end(c);
}

static bool known_state(const char *state)
{
    return strcmp(state, "pendente") == 0 || strcmp(state, "processada") == 0 ||
           strcmp(state, "morta") == 0;
}

static enum status read_texts(struct request *r, struct entregas_filter *f)
{
    const struct {
        const char *name, **ret;
    } texts[] = {{"estado", &f->estado},
                 {"motivo", &f->motivo},
                 {"formulario", &f->formulario},
                 {"request_id", &f->request_id}};
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < sizeof texts / sizeof texts[0]; i++)
        st = archive_read_text(r, texts[i].name, ARCHIVE_TEXT_MAX, texts[i].ret);
    if (st == STATUS_OK && f->estado && !known_state(f->estado))
        return reply_field(r, STATUS_BAD_REQUEST, "estado",
                           "deve ser pendente, processada ou morta");
    return st;
}

static enum status read_filter(struct request *r, struct entregas_filter *f, char *ret_kind)
{
    struct archive_place place = {0};
    f->limite = ARCHIVE_LIMIT_DEFAULT;
    f->desde_us = f->ate_us = STORE_NO_TIME;
    enum status st = read_texts(r, f);
    if (st == STATUS_OK)
        st = archive_read_field(r, &f->caminho, &f->valor);
    if (st == STATUS_OK)
        st = archive_read_times(r, &f->desde_us, &f->ate_us);
    *ret_kind = f->valor ? SEARCH_PLACE_KIND : PLACE_KIND;
    if (st == STATUS_OK)
        st = archive_read_page(r, *ret_kind, &f->limite, &place);
    f->antes_us = place.us;
    f->antes_id = place.id;
    return st;
}

enum status h_deliveries(struct request *r)
{
    struct entregas_filter f = {0};
    struct call *c = make(r, PAGE_CAP);
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = read_filter(r, &f, &c->kind);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    c->searches = store_entregas_searches(&f);
    c->ticket = (struct entregas_ticket){on_row, on_more, on_page};
    c->limit = f.limite;
    f.limite += !c->searches;
    buf_lit(&c->text, "{\"entregas\":[");
    return sent(c, store_entregas_page(r->loop->searches, &f, &c->ticket));
}

/* ---- one ---- */

static void put_base64(struct buf *b, struct pg_text bytes)
{
    char *out = buf_reserve(b, (bytes.len + 2) / 3 * 4 + 3);
    if (!out)
        return;
    out[0] = '"';
    int n = EVP_EncodeBlock((unsigned char *)out + 1, (const unsigned char *)bytes.data,
                            (int)bytes.len);
    out[n + 1] = '"';
    buf_advance(b, (size_t)n + 2);
}

static void put_redacted(struct buf *b, struct pg_text body)
{
    struct buf shown = buf_init(ONE_CAP);
    if (redact_json(&shown, body.data, body.len) && !buf_failed(&shown))
        jsonput_string(b, shown.data, shown.len);
    else
        buf_lit(b, "null");
    buf_release(&shown);
}

/* Text where it is text; what is redacted, and no JSON, is not shown. */
static void put_body(struct buf *b, struct pg_text body, bool redacted)
{
    size_t chars;
    bool text =
        body.data && text_utf8(body.data, body.len, &chars) && !memchr(body.data, '\0', body.len);
    buf_lit(b, ",\"corpo\":");
    if (!text)
        buf_lit(b, "null");
    else if (redacted)
        put_redacted(b, body);
    else
        jsonput_string(b, body.data, body.len);
    buf_lit(b, ",\"corpo_base64\":");
    if (text || redacted || !body.data)
        buf_lit(b, "null");
    else
        put_base64(b, body);
}

static void on_one(struct entregas_ticket *t, const struct entrega *e)
{
    struct call *c = (struct call *)(void *)t;
    c->found = true;
    entrega_json(&c->text, e, c->redacted);
    archive_put_text(&c->text, "assinatura", e->assinatura);
    archive_put_text(&c->text, "agente", e->agente);
    archive_put_text(&c->text, "traceparent", e->traceparent);
    put_body(&c->text, e->corpo, c->redacted);
}

static void on_event(struct eventos_ticket *t, const struct evento *e)
{
    struct call *c = CALL_OF(t, events);
    if (c->events_text.len)
        buf_char(&c->events_text, ',');
    evento_json_short(&c->events_text, e, c->redacted);
}

static void on_history(struct historico_ticket *t, const struct historico *h)
{
    struct buf *b = &CALL_OF(t, history)->history_text;
    buf_lit(b, "{\"em\":");
    if (b->len > sizeof "{\"em\":" - 1) { /* not the first: a comma before the brace */
        b->len -= sizeof "{\"em\":" - 1;
        buf_lit(b, ",{\"em\":");
    }
    jsonput_time(b, h->em_us);
    archive_put_text(b, "acao", h->acao);
    archive_put_text(b, "resultado", h->resultado);
    archive_put_reason(b, "motivo", h->motivo, CALL_OF(t, history)->redacted);
    archive_put_text(b, "por", h->por);
    buf_char(b, '}');
}

static void answer_one(struct call *c)
{
    struct buf *b = &c->text;
    if (c->st != STATUS_OK) {
        refuse(c, c->st);
    } else if (!c->found) {
        reply_problem(c->request, STATUS_NOT_FOUND, "Não há entrega com este id.");
    } else {
        buf_lit(b, ",\"eventos\":[");
        buf_add(b, c->events_text.data, c->events_text.len);
        buf_lit(b, "],\"historico\":[");
        buf_add(b, c->history_text.data, c->history_text.len);
        buf_printf(b, "],\"redigido\":%s}", c->redacted ? "true" : "false");
        archive_answer(c->request, REPLY_JSON, b);
    }
}

/* One of the three is back. */
static void back(struct call *c, enum status st)
{
    if (c->st == STATUS_OK)
        c->st = st;
    if (--c->outstanding > 0)
        return;
    if (account_call_waits(c->request))
        answer_one(c);
    end(c);
}

static void on_one_done(struct entregas_ticket *t, enum status st, size_t n)
{
    (void)n;
    back((struct call *)(void *)t, st);
}

static void on_events_done(struct eventos_ticket *t, enum status st, size_t n)
{
    (void)n;
    back(CALL_OF(t, events), st);
}

static void on_history_done(struct historico_ticket *t, enum status st)
{
    back(CALL_OF(t, history), st);
}

enum status h_delivery(struct request *r)
{
    struct call *c = make(r, ONE_CAP);
    int64_t id;
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = archive_read_id(r, &id);
    if (st == STATUS_OK)
        st = loop_take_seat(r, HEAVY_DELIVERY);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    struct pg *pg = r->loop->searches;
    c->ticket = (struct entregas_ticket){.row = on_one, .done = on_one_done};
    c->events = (struct eventos_ticket){.row = on_event, .done = on_events_done};
    c->history = (struct historico_ticket){on_history, on_history_done};
    c->outstanding = 1; /* ours, until all are sent */
    const enum status each[] = {store_entregas_one(pg, id, &c->ticket),
                                store_eventos_of_entrega(pg, id, EVENTS_MAX, &c->events),
                                store_historico_of(pg, id, HISTORY_MAX, &c->history)};
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        c->outstanding += each[i] == STATUS_OK;
        if (each[i] != STATUS_OK && c->st == STATUS_OK)
            c->st = STATUS_DATABASE_AWAY;
    }
    back(c, STATUS_OK);
    return STATUS_PENDING;
}

/* ---- its bytes ---- */

static void on_raw(struct entregas_ticket *t, const struct entrega *e)
{
    struct call *c = (struct call *)(void *)t;
    c->found = true;
    buf_add(&c->text, e->corpo.data, e->corpo.len);
    char *name = arena_alloc(&c->request->arena, 64);
    if (name) {
        snprintf(name, 64, "attachment; filename=\"entrega-%lld.bin\"", (long long)e->id);
        reply_header(c->request, "Content-Disposition", name);
    }
    c->request->reply.echoes = true; /* nosniff */
}

static void on_raw_done(struct entregas_ticket *t, enum status st, size_t n)
{
    struct call *c = (struct call *)(void *)t;
    char target[40];
    (void)n;
    if (account_call_waits(c->request)) {
        if (st != STATUS_OK) {
            refuse(c, st);
        } else if (!c->found) {
            reply_problem(c->request, STATUS_NOT_FOUND, "Não há entrega com este id.");
        } else {
            archive_answer(c->request, "application/octet-stream", &c->text);
            snprintf(target, sizeof target, "entrega:%lld", (long long)c->n);
            audit_note(c->request, &c->who, AUDITORIA_BODY_READ, target, NULL);
        }
    }
    end(c);
}

enum status h_delivery_raw(struct request *r)
{
    struct call *c = make(r, ONE_CAP);
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = archive_read_id(r, &c->n);
    if (st == STATUS_OK)
        st = loop_take_seat(r, HEAVY_DELIVERY);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    c->who = audit_who(r);
    c->ticket = (struct entregas_ticket){.row = on_raw, .done = on_raw_done};
    return sent(c, store_entregas_one(r->loop->searches, c->n, &c->ticket));
}
