/* h_auditoria: pages of the audit log, for administrators. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>

#include "account_call.h"
#include "archive.h"
#include "jsonput.h"
#include "loop.h"
#include "reply.h"
#include "store.h"
#include "store_auditoria.h"
#include "text.h"

enum { PAGE_CAP = 1 << 20, PLACE_KIND = 'a' };

struct call {
    struct auditoria_page page;
    struct request *request;
    struct buf text;
    int64_t limit, n;
    struct archive_place last;
};

/* ---- the answer ---- */

static void on_registro(struct auditoria_page *p, const struct auditoria_registro *row)
{
    struct call *c = (struct call *)(void *)p;
    struct buf *b = &c->text;
    if (c->n++ == c->limit)
        return;
    buf_printf(b, "%s{\"id\":%lld,\"em\":", c->n > 1 ? "," : "", (long long)row->id);
    jsonput_time(b, row->em_us);
    buf_lit(b, ",\"ator_id\":");
    if (row->ator_id)
        buf_int(b, row->ator_id);
    else
        buf_lit(b, "null");
    archive_put_text(b, "ator", row->ator);
    archive_put_text(b, "papel", row->papel);
    archive_put_text(b, "acao", row->acao);
    archive_put_text(b, "alvo", row->alvo);
    buf_lit(b, ",\"detalhe\":"); /* JSON already */
    if (row->detalhe.data)
        buf_add(b, row->detalhe.data, row->detalhe.len);
    else
        buf_lit(b, "null");
    archive_put_text(b, "request_id", row->request_id);
    archive_put_text(b, "endereco", row->endereco);
    buf_char(b, '}');
    c->last = (struct archive_place){row->em_us, row->id};
}

static void on_done(struct auditoria_page *p, enum status st)
{
    struct call *c = (struct call *)(void *)p;
    struct request *r = c->request;
    if (account_call_waits(r)) {
        archive_end_rows(&c->text, PLACE_KIND,
                         c->n > c->limit ? c->last : (struct archive_place){0});
        buf_char(&c->text, '}');
        if (st == STATUS_OK)
            reply_buf(r, STATUS_OK, REPLY_JSON, &c->text);
        else
            account_call_refuse(r, st, false);
        r->reply.secret = true;
    }
    buf_release(&c->text);
    account_call_end(r);
}

/* ---- the request ---- */

/* ator: an account's id, or what stands there as its name. */
static enum status read_filter(struct request *r, struct auditoria_filter *f)
{
    struct slice ator = request_param(r, "ator"), acao = request_param(r, "acao");
    struct archive_place place = {0};
    enum status st = archive_read_page(r, PLACE_KIND, &f->limite, &place);
    if (st != STATUS_OK)
        return st;
    f->antes_us = place.us;
    f->antes_id = place.id;
    if (acao.data && !auditoria_acao_known(acao.data))
        return reply_field(r, STATUS_BAD_REQUEST, "acao", "não é uma ação que se registra");
    f->acao = acao.data;
    if (ator.data && !text_int(ator.data, ator.len, 1, INT64_MAX, &f->ator_id))
        f->ator = ator.data;
    return archive_read_times(r, &f->desde_us, &f->ate_us);
}

enum status h_audit(struct request *r)
{
    struct call *c = arena_alloc(&r->arena, sizeof *c);
    struct auditoria_filter f = {
        .desde_us = STORE_NO_TIME, .ate_us = STORE_NO_TIME, .limite = ARCHIVE_LIMIT_DEFAULT};
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = read_filter(r, &f);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    *c = (struct call){.page = {on_registro, on_done},
                       .request = r,
                       .text = buf_init(PAGE_CAP),
                       .limit = f.limite++};
    buf_lit(&c->text, "{\"registros\":[");
    st = store_auditoria_page(r->loop->searches, &f, &c->page);
    if (st != STATUS_OK)
        buf_release(&c->text);
    return account_call_sent(r, st);
}
