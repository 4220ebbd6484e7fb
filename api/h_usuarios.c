/* h_usuarios: the accounts, for administrators: list, one, create, remove. Changing one is in
 * h_usuarios_change. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>

#include "account_call.h"
#include "audit.h"
#include "jsonget.h"
#include "jsonput.h"
#include "loop.h"
#include "reply.h"
#include "store_sessao.h"
#include "text.h"

enum { LIMIT_DEFAULT = 50, PAGE_CAP = 256 * 1024, ROW_CAP = 4 * 1024 };

#define CURSOR_ORDER "u1."

/* ---- pages ---- */

struct page {
    struct usuarios_ticket rows;
    struct request *request;
    int64_t limit;
};

static bool decode_cursor(struct slice s, int64_t *ret_after)
{
    uint8_t plain[32];
    size_t n, order = sizeof CURSOR_ORDER - 1;
    return text_unbase64url(s.data, s.len, plain, sizeof plain, &n) && n > order &&
           memcmp(plain, CURSOR_ORDER, order) == 0 &&
           text_int((const char *)plain + order, n - order, 1, INT64_MAX, ret_after);
}

static void put_cursor(struct buf *b, int64_t id)
{
    char plain[32], coded[64];
    int n = snprintf(plain, sizeof plain, CURSOR_ORDER "%lld", (long long)id);
    jsonput_string(b, coded, text_base64url((const uint8_t *)plain, (size_t)n, coded));
}

static void answer_page(struct request *r, const struct usuario *rows, size_t n, size_t limit)
{
    struct buf b = buf_init(PAGE_CAP);
    buf_lit(&b, "{\"usuarios\":[");
    for (size_t i = 0; i < n && i < limit; i++) {
        if (i)
            buf_char(&b, ',');
        account_json(&b, &rows[i]);
    }
    buf_lit(&b, "],\"proximo\":");
    if (n > limit)
        put_cursor(&b, rows[limit - 1].id);
    else
        buf_lit(&b, "null");
    buf_char(&b, '}');
    reply_buf(r, STATUS_OK, REPLY_JSON, &b);
    r->reply.secret = true;
    buf_release(&b);
}

static void on_page(struct usuarios_ticket *t, enum status st, const struct usuario *rows, size_t n)
{
    struct page *page = (struct page *)(void *)t;
    struct request *r = page->request;
    if (account_call_waits(r)) {
        if (st == STATUS_OK)
            answer_page(r, rows, n, (size_t)page->limit);
        else
            account_call_refuse(r, st, false);
    }
    account_call_end(r);
}

enum status h_accounts(struct request *r)
{
    struct slice limit = request_param(r, "limite"), cursor = request_param(r, "cursor");
    struct page *page = arena_alloc(&r->arena, sizeof *page);
    int64_t after = 0;
    if (!page)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *page = (struct page){{on_page}, r, LIMIT_DEFAULT};
    if (limit.data && !text_int(limit.data, limit.len, 1, USUARIOS_PAGE_MAX, &page->limit))
        return reply_field(r, STATUS_BAD_REQUEST, "limite", "deve ser um número de 1 a %d",
                           USUARIOS_PAGE_MAX);
    if (cursor.data && !decode_cursor(cursor, &after))
        return reply_field(r, STATUS_BAD_REQUEST, "cursor",
                           "não é um cursor devolvido por esta rota");
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    return account_call_sent(
        r, store_usuarios_page(r->loop->reads, after, page->limit + 1, &page->rows));
}

/* ---- one ---- */

static enum status read_id(struct request *r, int64_t *ret)
{
    if (text_int(r->path_param.data, r->path_param.len, 1, INT64_MAX, ret))
        return STATUS_OK;
    return reply_field(r, STATUS_BAD_REQUEST, "id", "deve ser um número inteiro positivo");
}

static void reply_account(struct request *r, enum status st, const struct usuario *u)
{
    struct buf b = buf_init(ROW_CAP);
    account_json(&b, u);
    reply_buf(r, st, REPLY_JSON, &b);
    r->reply.secret = true;
    buf_release(&b);
}

static void on_one(struct usuarios_ticket *t, enum status st, const struct usuario *rows, size_t n)
{
    struct request *r = ((struct page *)(void *)t)->request;
    if (account_call_waits(r)) {
        if (st == STATUS_OK && n == 1)
            reply_account(r, STATUS_OK, rows);
        else if (st == STATUS_OK)
            reply_problem(r, STATUS_NOT_FOUND, "Não há conta com este id.");
        else
            account_call_refuse(r, st, false);
    }
    account_call_end(r);
}

enum status h_account(struct request *r)
{
    int64_t id;
    struct page *page = arena_alloc(&r->arena, sizeof *page);
    if (!page)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = read_id(r, &id);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    *page = (struct page){{on_one}, r, 1};
    return account_call_sent(r, store_usuarios_by_id(r->loop->reads, id, &page->rows));
}

/* ---- create ---- */

struct creation {
    struct usuario_change change;
    struct hasher_job job;
    struct auditoria_quem who;
    struct request *request;
    struct pg_text nome, email; /* in the arena */
    enum account_role papel;
};

static void on_created(struct usuario_change *t, enum status st, enum usuario_outcome outcome,
                       const struct usuario *row)
{
    struct request *r = ((struct creation *)(void *)t)->request;
    if (account_call_waits(r)) {
        if (st != STATUS_OK) {
            account_call_refuse(r, st, true);
        } else if (outcome == USUARIO_OK) {
            reply_account(r, STATUS_CREATED, row);
            snprintf(r->reply.location, sizeof r->reply.location, "/api/usuarios/%lld",
                     (long long)row->id);
        } else if (outcome == USUARIO_TAKEN) {
            reply_field(r, STATUS_CONFLICT, "email", "já é de outra conta");
        } else {
            auth_refuse_token(r, "O token foi revogado.");
        }
    }
    account_call_end(r);
}

static void on_hashed(struct hasher_job *job, enum status st)
{
    struct creation *c = (struct creation *)(void *)((char *)job - offsetof(struct creation, job));
    struct request *r = c->request;
    if (st == STATUS_OK && account_call_waits(r)) {
        c->change.done = on_created;
        st = store_usuarios_create(r->loop->writes, &c->who, c->nome, c->email, c->papel, job->hash,
                                   &c->change);
        if (st == STATUS_OK)
            return;
    }
    if (account_call_waits(r))
        account_call_refuse(r, st, false);
    account_call_end(r);
}

static enum status read_new(struct request *r, struct creation *c)
{
    struct jsonget g;
    size_t nome_len, email_len, papel_len, senha_len;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st != STATUS_OK)
        return reply_jsonget(r, st, &g);
    const char *nome = jsonget_string(&g, "nome", true, 1, ACCOUNT_NAME_MAX, &nome_len);
    const char *email = jsonget_string(&g, "email", true, 1, ACCOUNT_EMAIL_MAX, &email_len);
    const char *papel = jsonget_string(&g, "papel", true, 1, 20, &papel_len);
    const char *senha =
        jsonget_string(&g, "senha", true, ACCOUNT_PASSWORD_MIN, ACCOUNT_PASSWORD_MAX, &senha_len);
    if (email && !account_email_ok(email, email_len))
        jsonget_fail(&g, "email", "não é um endereço de e-mail");
    if (papel && !account_role_parse(papel, papel_len, &c->papel))
        jsonget_fail(&g, "papel", "deve ser admin, operador ou leitor");
    const char *fault = senha ? account_password_fault(senha, senha_len, email) : NULL;
    if (fault)
        jsonget_fail(&g, "senha", "%s", fault);
    st = jsonget_finish(&g);
    if (st != STATUS_OK)
        return reply_jsonget(r, st, &g);
    c->nome = (struct pg_text){arena_copy(&r->arena, nome, nome_len), nome_len};
    c->email = (struct pg_text){arena_copy(&r->arena, email, email_len), email_len};
    account_call_password(r, &c->job, (char *)(uintptr_t)senha, senha_len);
    return c->nome.data && c->email.data ? st : reply_problem(r, STATUS_OVERLOADED, NULL);
}

enum status h_account_create(struct request *r)
{
    struct creation *c = arena_alloc(&r->arena, sizeof *c);
    if (!c)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *c = (struct creation){
        .request = r, .who = audit_who(r), .job = {.task = HASHER_MAKE, .done = on_hashed}};
    enum status st = read_new(r, c);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    st = hasher_submit(r->loop->app->hasher, &c->job);
    if (st != STATUS_OK) {
        reply_problem(r, st, "Muitas senhas esperam; tente de novo em instantes.");
        account_call_end(r);
    }
    return STATUS_PENDING;
}

/* ---- remove ---- */

struct removal {
    struct usuario_change change;
    struct sessao_done ended;
    struct request *request;
};

static void on_ended(struct sessao_done *t, enum status st)
{
    struct removal *rm = (struct removal *)(void *)((char *)t - offsetof(struct removal, ended));
    struct request *r = rm->request;
    if (account_call_waits(r)) {
        if (st == STATUS_OK)
            reply_constant(r, STATUS_NO_CONTENT, NULL, "", 0);
        else
            account_call_unannounced(r);
    }
    account_call_end(r);
}

static void on_removed(struct usuario_change *t, enum status st, enum usuario_outcome outcome,
                       const struct usuario *row)
{
    struct removal *rm = (struct removal *)(void *)t;
    struct request *r = rm->request;
    if (st == STATUS_OK && outcome == USUARIO_OK) {
        rm->ended.done = on_ended;
        account_call_end_tokens(r, row->id, SESSAO_NEVER, &rm->ended);
        return;
    }
    if (account_call_waits(r))
        account_call_refuse_change(r, st, outcome);
    account_call_end(r);
}

enum status h_account_remove(struct request *r)
{
    int64_t id;
    struct removal *rm = arena_alloc(&r->arena, sizeof *rm);
    if (!rm)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    enum status st = read_id(r, &id);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    struct auditoria_quem who = audit_who(r);
    *rm = (struct removal){.request = r, .change.done = on_removed};
    return account_call_sent(r, store_usuarios_remove(r->loop->writes, &who, id, &rm->change));
}
