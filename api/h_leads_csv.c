/* h_leads_csv: GET /api/leads.csv: all leads of a filter as one file, however many there are: a
 * page is read when the client has taken the one before, so that it costs the memory of one.
 *
 * With a byte order mark: without it Excel takes UTF-8 for the code page of the machine, and every
 * name with an accent is spoilt; readers that know UTF-8 skip it. Where anything fails on the way
 * the connection is cut: half a file that looks whole would be worse than none. So it is, within 5
 * s, when its token ends. */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "account_call.h"
#include "archive.h"
#include "audit.h"
#include "csv.h"
#include "ev.h"
#include "lead_json.h"
#include "lead_query.h"
#include "log.h"
#include "loop.h"
#include "redact.h"
#include "reply.h"
#include "store_sessao.h"
#include "stream.h"
#include "text.h"

/* A lead has up to 1 MiB of fields (worker/http.h), and mostly less than one KiB. */
enum {
    PAGE = 50,
    PIECE = 16 * 1024,
    PAGE_CAP = 32 << 20,
    CELL_CAP = 4 << 20,
    EXPORT_TOKEN_MS = 4000 /* between two looks at whether its token was revoked */
};

#define HEAD                                                                                       \
    "\xef\xbb\xbfleadgen_id,pagina_id,formulario_id,anuncio_id,conjunto_id,estado,teste,nome,"     \
    "email,telefone,criado_em,recebido_em,entrega_id,campos\r\n"

struct export
{
    struct stream stream; /* first: the others are found by their offsets */
    struct leads_ticket page;
    struct leads_estimate estimate;
    struct sessao_ask ask;
    struct sessao_question question;
    struct request *request;
    struct auditoria_quem who;
    struct leads_filter filter;
    struct buf text, cell, last; /* of a page; a cell on its way; the id of the last lead */
    size_t sent;                 /* of text */
    int64_t asked_ms;            /* when its token was looked at */
    bool hidden, busy, asking, noted, whole, closed;
    struct export *older, *newer; /* of the loop: those that are being sent */
};

#define EXPORT_OF(t, member)                                                                       \
    ((struct export *)(void *)((char *)(t)-offsetof(struct export, member)))

/* Nothing of its own is under way any more. */
static void export_free(struct export *e)
{
    if (e->busy || e->asking)
        return;
    buf_release(&e->text);
    buf_release(&e->cell);
    buf_release(&e->last);
    free(e);
}

/* ---- a row ---- */

static void put_text(struct buf *b, struct pg_text text)
{
    csv_cell(b, text.data, text.len);
    buf_char(b, ',');
}

static void put_person(struct export *e, struct pg_text text)
{
    static const struct pg_text mark = {REDACT_MARK, sizeof REDACT_MARK - 1};
    put_text(&e->text, e->hidden && text.data ? mark : text);
}

static void put_time(struct buf *b, int64_t us)
{
    char text[TEXT_TIME_LEN];
    text_time(us, text);
    put_text(b, (struct pg_text){text, sizeof text});
}

/* JSON in one cell: forms have fields of their own, so that no columns fit them all. */
static void put_fields(struct export *e, struct pg_text campos)
{
    buf_reset(&e->cell);
    if (campos.data)
        lead_json_fields(&e->cell, campos, e->hidden);
    csv_cell(&e->text, e->cell.len ? e->cell.data : NULL, e->cell.len);
    e->text.failed |= buf_failed(&e->cell);
}

static void put_row(struct export *e, const struct lead *l)
{
    struct buf *b = &e->text;
    put_text(b, l->leadgen_id);
    put_text(b, l->pagina_id);
    put_text(b, l->formulario_id);
    put_text(b, l->anuncio_id);
    put_text(b, l->conjunto_id);
    put_text(b, l->estado);
    buf_str(b, lead_is_test(l) ? "true," : "false,");
    put_person(e, l->nome);
    put_person(e, l->email);
    put_person(e, l->telefone);
    put_time(b, l->criado_us);
    put_time(b, l->recebido_us);
    if (l->entrega_id)
        buf_int(b, l->entrega_id);
    buf_char(b, ',');
    put_fields(e, l->campos);
    buf_lit(b, "\r\n");
}

static void on_row(struct leads_ticket *t, const struct lead *l)
{
    struct export *e = EXPORT_OF(t, page);
    put_row(e, l);
    e->filter.antes_us = l->criado_us;
    buf_reset(&e->last);
    buf_add(&e->last, l->leadgen_id.data, l->leadgen_id.len);
    buf_char(&e->last, 0);
}

/* ---- pages ---- */

static void cut(struct export *e, const char *why)
{
    log_error("leads_export_cut", e->request->id, "%s", why);
    stream_abort(&e->stream);
}

/* As much as the stream takes; it asks again when there is room. */
static void give(struct export *e)
{
    while (e->sent < e->text.len) {
        size_t left = e->text.len - e->sent, n = left < PIECE ? left : PIECE;
        if (!stream_write(&e->stream, e->text.data + e->sent, n))
            break;
        e->sent += n;
    }
    if (e->sent < e->text.len) {
        if (e->stream.waiting == 0) /* nothing will ask again */
            cut(e, "no memory");
        return;
    }
    buf_reset(&e->text);
    e->sent = 0;
    if (e->whole)
        stream_end(&e->stream);
}

static void on_page(struct leads_ticket *t, enum status st, size_t n)
{
    struct export *e = EXPORT_OF(t, page);
    e->busy = false;
    if (e->closed || e->stream.aborted) {
        if (e->closed)
            export_free(e);
        return;
    }
    e->whole = n < PAGE;
    e->filter.antes_id = e->last.data;
    if (st != STATUS_OK)
        cut(e, status_name(st));
    else if (buf_failed(&e->text) || buf_failed(&e->last))
        cut(e, "a page is too large, or there is no memory");
    else
        give(e);
}

static void read_page(struct export *e)
{
    struct pg *lane = e->request->loop->searches;
    e->busy = store_leads_page(lane, &e->filter, true, &e->page) == STATUS_OK;
    if (!e->busy)
        cut(e, "the database is away");
}

static struct pg_text text_of(const char *s)
{
    return (struct pg_text){s, s ? strlen(s) : 0};
}

/* What was looked for may be a name, and stays out. */
static void note(struct export *e)
{
    const struct leads_filter *f = &e->filter;
    struct buf b = buf_init(4096);
    buf_printf(&b, "{\"redigido\":%s,\"busca\":%s", e->hidden ? "true" : "false",
               f->busca || f->id ? "true" : "false");
    archive_put_text(&b, "pagina", text_of(f->pagina));
    archive_put_text(&b, "formulario", text_of(f->formulario));
    archive_put_text(&b, "estado", text_of(f->estado));
    archive_put_time(&b, "desde", f->desde_us);
    archive_put_time(&b, "ate", f->ate_us);
    buf_add(&b, "}", 2);
    e->noted = true;
    audit_note(e->request, &e->who, AUDITORIA_LEADS_EXPORTED, NULL, buf_failed(&b) ? NULL : b.data);
    buf_release(&b);
}

static void link_export(struct export *e)
{
    struct loop *loop = e->request->loop;
    e->newer = loop->exports;
    if (e->newer)
        e->newer->older = e;
    loop->exports = e;
    e->asked_ms = ev_now_ms(loop->ev);
}

static void unlink_export(struct export *e)
{
    *(e->older ? &e->older->newer : &e->request->loop->exports) = e->newer;
    if (e->newer)
        e->newer->older = e->older;
}

/* First when the head is out: HEAD, and what was refused, exported nothing. */
static void more(struct stream *s)
{
    struct export *e = EXPORT_OF(s, stream);
    if (!e->noted) {
        note(e);
        link_export(e);
    }
    if (e->sent < e->text.len)
        give(e);
    else if (!e->busy && !e->whole)
        read_page(e);
}

static void on_closed(struct stream *s)
{
    struct export *e = EXPORT_OF(s, stream);
    e->closed = true;
    if (e->noted)
        unlink_export(e);
    export_free(e);
}

/* ---- its token ---- */

static void on_asked(struct sessao_ask *t, enum status st)
{
    struct export *e = EXPORT_OF(t, ask);
    e->asking = false;
    if (e->closed)
        export_free(e);
    else if (st == STATUS_OK && e->question.revoked)
        cut(e, "its token was revoked");
}

static void ask(struct export *e, int64_t now_ms)
{
    const struct token_claims *c = &e->request->auth->claims;
    e->asked_ms = now_ms;
    e->question = (struct sessao_question){c->jti, c->sub, c->desde, false};
    e->ask = (struct sessao_ask){on_asked, &e->question, 1};
    e->asking = store_sessao_ask(e->request->loop->rds, &e->ask) == STATUS_OK;
}

void leads_exports_tick(struct loop *loop, int64_t now_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (struct export *e = loop->exports; e; e = e->newer) {
        if (e->stream.aborted || e->stream.ended)
            continue;
        if (token_expired(e->request->auth->claims.exp, now.tv_sec))
            cut(e, "its token has expired");
        else if (!e->asking && now_ms - e->asked_ms >= EXPORT_TOKEN_MS)
            ask(e, now_ms);
    }
}

/* ---- the head ---- */

static void add_headers(struct request *r, int64_t total)
{
    char text[64], day[16];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(day, sizeof day, "%Y-%m-%d", &utc);
    int n = snprintf(text, sizeof text, "attachment; filename=\"leads-%s.csv\"", day);
    const char *name = arena_copy(&r->arena, text, (size_t)n);
    reply_header(r, "Content-Disposition", name ? name : "attachment");
    n = snprintf(text, sizeof text, "%lld", (long long)total);
    const char *count = arena_copy(&r->arena, text, (size_t)n);
    if (count)
        reply_header(r, "X-Total-Estimado", count);
    r->reply.echoes = r->reply.secret = true;
}

static void on_estimate(struct leads_estimate *t, enum status st, int64_t total)
{
    struct export *e = EXPORT_OF(t, estimate);
    struct request *r = e->request;
    if (st == STATUS_OK && account_call_waits(r)) {
        reply_stream(r, STATUS_OK, "text/csv; charset=utf-8", &e->stream, STREAM_LENGTH_UNKNOWN);
        add_headers(r, total);
    } else {
        if (account_call_waits(r))
            account_call_refuse(r, st, false);
        export_free(e);
    }
    account_call_end(r);
}

static struct export *export_new(struct request *r, const struct leads_filter *f)
{
    struct export *e = malloc(sizeof *e);
    if (!e)
        return NULL;
    *e = (struct export){.stream = {.more = more, .closed = on_closed},
                         .page = {on_row, on_page},
                         .estimate = {on_estimate},
                         .request = r,
                         .who = audit_who(r),
                         .filter = *f,
                         .text = buf_init(PAGE_CAP),
                         .cell = buf_init(CELL_CAP),
                         .last = buf_init(CELL_CAP),
                         .hidden = archive_redacts(r)};
    e->filter.limite = PAGE;
    buf_lit(&e->text, HEAD);
    return e;
}

enum status h_leads_csv(struct request *r)
{
    struct leads_filter f;
    enum status st = lead_query(r, &f);
    if (st != STATUS_OK)
        return st;
    struct export *e = export_new(r, &f);
    if (!e)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    st = loop_take_seat(r, HEAVY_EXPORT);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING) {
        export_free(e);
        return st;
    }
    if (store_leads_estimate(r->loop->searches, &f, &e->estimate) != STATUS_OK) {
        account_call_refuse(r, STATUS_DATABASE_AWAY, false);
        export_free(e);
        account_call_end(r);
    }
    return STATUS_PENDING;
}
