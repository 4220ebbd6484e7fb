/* h_usuarios_change: a merge patch of one account. With a new password: the account's address (the
 * rules look at it) → the hash → the change. A change that ends the account's tokens is told to
 * Redis after its commit and before its answer. */
#include "handlers.h"

#include <string.h>

#include "account_call.h"
#include "audit.h"
#include "jsonget.h"
#include "loop.h"
#include "reply.h"
#include "store_sessao.h"
#include "text.h"

enum { ROW_CAP = 4 * 1024 };

struct patch {
    struct usuario_change change;
    struct usuarios_ticket before;
    struct hasher_job job;
    struct sessao_done ended;
    struct auditoria_quem who;
    struct request *request;
    struct usuario_fields fields; /* what it points to is in the arena or below */
    enum account_role papel;
    bool ativo, has_password;
    int64_t id;
    struct buf answer; /* waits for Redis */
};

#define PATCH_OF(t, member) ((struct patch *)(void *)((char *)(t)-offsetof(struct patch, member)))

static void finish(struct patch *p)
{
    explicit_bzero(p->job.password, sizeof p->job.password);
    buf_release(&p->answer);
    account_call_end(p->request);
}

static void answer_row(struct patch *p)
{
    if (account_call_waits(p->request)) {
        reply_buf(p->request, STATUS_OK, REPLY_JSON, &p->answer);
        p->request->reply.secret = true;
    }
    finish(p);
}

static void on_ended(struct sessao_done *t, enum status st)
{
    struct patch *p = PATCH_OF(t, ended);
    if (st == STATUS_OK) {
        answer_row(p);
        return;
    }
    if (account_call_waits(p->request))
        account_call_unannounced(p->request);
    finish(p);
}

static void on_changed(struct usuario_change *t, enum status st, enum usuario_outcome outcome,
                       const struct usuario *row)
{
    struct patch *p = (struct patch *)(void *)t;
    if (st != STATUS_OK || outcome != USUARIO_OK) {
        if (account_call_waits(p->request))
            account_call_refuse_change(p->request, st, outcome);
        finish(p);
        return;
    }
    account_json(&p->answer, row);
    if (row->tokens_desde > 0) {
        p->ended.done = on_ended;
        account_call_end_tokens(p->request, row->id, row->tokens_desde, &p->ended);
    } else {
        answer_row(p);
    }
}

static void write_change(struct patch *p)
{
    struct request *r = p->request;
    p->change.done = on_changed;
    if (store_usuarios_change(r->loop->writes, &p->who, p->id, &p->fields, &p->change) !=
        STATUS_OK) {
        account_call_refuse(r, STATUS_DATABASE_AWAY, false);
        finish(p);
    }
}

static void on_hashed(struct hasher_job *job, enum status st)
{
    struct patch *p = PATCH_OF(job, job);
    p->fields.senha = job->hash;
    if (st == STATUS_OK && account_call_waits(p->request)) {
        write_change(p);
        return;
    }
    if (account_call_waits(p->request))
        account_call_refuse(p->request, st, false);
    finish(p);
}

static void hash_password(struct patch *p, struct pg_text address)
{
    struct request *r = p->request;
    const char *email = arena_copy(&r->arena, address.data, address.len);
    const char *fault =
        email ? account_password_fault(p->job.password, p->job.password_len, email) : NULL;
    if (fault) {
        reply_field(r, STATUS_INVALID, "senha", "%s", fault);
        finish(p);
        return;
    }
    p->job.task = HASHER_MAKE;
    p->job.done = on_hashed;
    if (!email || hasher_submit(r->loop->app->hasher, &p->job) != STATUS_OK) {
        reply_problem(r, STATUS_OVERLOADED, "Muitas senhas esperam; tente de novo em instantes.");
        finish(p);
    }
}

static void on_before(struct usuarios_ticket *t, enum status st, const struct usuario *rows,
                      size_t n)
{
    struct patch *p = PATCH_OF(t, before);
    struct request *r = p->request;
    if (!account_call_waits(r)) {
        finish(p);
    } else if (st == STATUS_OK && n == 1) {
        hash_password(p, rows->email);
    } else {
        if (st == STATUS_OK)
            account_call_refuse_change(r, st, USUARIO_ABSENT);
        else
            account_call_refuse(r, st, false);
        finish(p);
    }
}

static void refuse_nulls(struct jsonget *g)
{
    static const char *const names[] = {"nome", "papel", "senha", "ativo"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (jsonget_is_null(g, names[i]))
            jsonget_fail(g, names[i], "não pode ser removido");
}

static enum status read_patch(struct request *r, struct patch *p)
{
    struct jsonget g;
    size_t nome_len, papel_len, senha_len;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st != STATUS_OK)
        return reply_jsonget(r, st, &g);
    const char *nome = jsonget_string(&g, "nome", false, 1, ACCOUNT_NAME_MAX, &nome_len);
    const char *papel = jsonget_string(&g, "papel", false, 1, 20, &papel_len);
    const char *senha =
        jsonget_string(&g, "senha", false, ACCOUNT_PASSWORD_MIN, ACCOUNT_PASSWORD_MAX, &senha_len);
    int ativo = jsonget_bool(&g, "ativo", -1);
    refuse_nulls(&g);
    if (papel && !account_role_parse(papel, papel_len, &p->papel))
        jsonget_fail(&g, "papel", "deve ser admin, operador ou leitor");
    st = jsonget_finish(&g);
    if (st != STATUS_OK)
        return reply_jsonget(r, st, &g);
    p->ativo = ativo == 1;
    p->has_password = senha != NULL;
    p->fields = (struct usuario_fields){
        .nome = {nome ? arena_copy(&r->arena, nome, nome_len) : NULL, nome_len},
        .papel = papel ? &p->papel : NULL,
        .ativo = ativo >= 0 ? &p->ativo : NULL};
    if (nome && !p->fields.nome.data)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    if (senha)
        account_call_password(r, &p->job, (char *)(uintptr_t)senha, senha_len);
    return st;
}

enum status h_account_change(struct request *r)
{
    struct patch *p = arena_alloc(&r->arena, sizeof *p);
    if (!p)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *p = (struct patch){
        .request = r, .who = audit_who(r), .answer = buf_init(ROW_CAP), .before.done = on_before};
    if (!text_int(r->path_param.data, r->path_param.len, 1, INT64_MAX, &p->id))
        return reply_field(r, STATUS_BAD_REQUEST, "id", "deve ser um número inteiro positivo");
    enum status st = read_patch(r, p);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    if (!p->has_password) {
        write_change(p);
    } else if (store_usuarios_by_id(r->loop->reads, p->id, &p->before) != STATUS_OK) {
        account_call_refuse(r, STATUS_DATABASE_AWAY, false);
        finish(p);
    }
    return STATUS_PENDING;
}
