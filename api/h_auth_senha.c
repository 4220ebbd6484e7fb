/* h_auth_senha: one's own password, by who knows the one that is there.
 *
 * The account with its hash (PostgreSQL) → the rules → may it be tried (Redis; counted like a
 * sign-in: a token that was stolen is no way to guess) → the old password, then the new one's hash
 * (hasher) → the change, which asks again whether the token counts → all tokens end → a new one. */
#include "handlers.h"

#include <string.h>

#include "account_call.h"
#include "audit.h"
#include "client_address.h"
#include "jsonget.h"
#include "loop.h"
#include "reply.h"
#include "session_reply.h"

struct renewal {
    struct usuarios_ticket account;
    struct sessao_try attempt;
    struct hasher_job current, next;
    struct usuario_change change;
    struct sessao_done ended;
    struct request *request;
    struct auditoria_quem who;
    struct cidr_address client;
    struct usuario changed; /* texts in the arena */
    bool kept;              /* there was memory for them */
};

#define RENEWAL_OF(t, member)                                                                      \
    ((struct renewal *)(void *)((char *)(t)-offsetof(struct renewal, member)))

static void finish(struct renewal *p)
{
    explicit_bzero(p->current.password, sizeof p->current.password);
    explicit_bzero(p->next.password, sizeof p->next.password);
    account_call_end(p->request);
}

/* ---- the change ---- */

static void on_ended(struct sessao_done *t, enum status st)
{
    struct renewal *p = RENEWAL_OF(t, ended);
    struct request *r = p->request;
    int64_t now = session_now_s();
    if (account_call_waits(r)) {
        if (st != STATUS_OK)
            account_call_unannounced(r);
        else if (p->kept)
            session_reply_token(r, &p->changed, now, now);
        else
            reply_problem(r, STATUS_OUTCOME_UNKNOWN, "A senha foi mudada: entre com a nova.");
    }
    finish(p);
}

/* The row's texts die with the call. */
static bool keep_row(struct renewal *p, const struct usuario *row)
{
    struct arena *a = &p->request->arena;
    p->changed = *row;
    p->changed.nome.data = arena_copy(a, row->nome.data, row->nome.len);
    p->changed.email.data = arena_copy(a, row->email.data, row->email.len);
    return p->changed.nome.data && p->changed.email.data;
}

static void on_changed(struct usuario_change *t, enum status st, enum usuario_outcome outcome,
                       const struct usuario *row)
{
    struct renewal *p = RENEWAL_OF(t, change);
    struct request *r = p->request;
    if (st == STATUS_OK && outcome == USUARIO_OK) {
        p->kept = keep_row(p, row);
        p->ended.done = on_ended;
        account_call_end_tokens(r, row->id, row->tokens_desde, &p->ended);
        return;
    }
    if (account_call_waits(r))
        account_call_refuse_change(r, st, outcome);
    finish(p);
}

static void on_hashed(struct hasher_job *job, enum status st)
{
    struct renewal *p = RENEWAL_OF(job, next);
    struct request *r = p->request;
    struct usuario_fields fields = {.own = true, .senha = job->hash};
    p->change.done = on_changed;
    if (st == STATUS_OK && account_call_waits(r)) {
        st = store_usuarios_change(r->loop->writes, &p->who, r->auth->claims.sub, &fields,
                                   &p->change);
        if (st == STATUS_OK)
            return;
    }
    if (account_call_waits(r))
        account_call_refuse(r, st, false);
    finish(p);
}

static void refuse_busy(struct renewal *p, enum status st)
{
    if (account_call_waits(p->request))
        reply_problem(p->request, st, "Muitas senhas esperam; tente de novo em instantes.");
    finish(p);
}

/* ---- the password that is there ---- */

static void on_compared(struct hasher_job *job, enum status st)
{
    struct renewal *p = RENEWAL_OF(job, current);
    struct request *r = p->request;
    if (st == STATUS_OK)
        store_sessao_forgive(r->loop->rds, &p->attempt);
    else if (st != STATUS_UNAUTHORIZED) /* not looked at */
        store_sessao_forget(r->loop->rds, &p->attempt);
    if (st == STATUS_OK && account_call_waits(r)) {
        st = hasher_submit(r->loop->app->hasher, &p->next);
        if (st != STATUS_OK)
            refuse_busy(p, st);
        return;
    }
    if (account_call_waits(r)) {
        if (st == STATUS_UNAUTHORIZED)
            reply_field(r, STATUS_INVALID, "senha_atual", "não confere");
        else
            reply_problem(r, st, NULL);
    }
    finish(p);
}

static void look_at_password(struct renewal *p)
{
    struct request *r = p->request;
    enum status st = account_call_waits(r) ? hasher_submit(r->loop->app->hasher, &p->current)
                                           : STATUS_REQUEST_TIMEOUT;
    if (st == STATUS_OK)
        return;
    store_sessao_forget(r->loop->rds, &p->attempt);
    refuse_busy(p, st);
}

static void on_try(struct sessao_try *t, enum status st, int64_t wait_s)
{
    struct renewal *p = RENEWAL_OF(t, attempt);
    struct request *r = p->request;
    if (st == STATUS_OK && wait_s == 0) {
        look_at_password(p);
        return;
    }
    if (st != STATUS_OK) {
        reply_problem(r, STATUS_CACHE_AWAY, "O Redis não respondeu: nada foi mudado.");
    } else {
        metric_add(&r->loop->metrics.sign_ins_slowed, 1);
        reply_problem(r, STATUS_TOO_MANY, "Tentativas demais; espere antes de tentar de novo.");
        r->reply.retry_after = (unsigned)wait_s;
    }
    finish(p);
}

/* ---- the account ---- */

/* STATUS_OK, or the refusal. */
static enum status look_at_account(struct renewal *p, enum status st, const struct usuario *u)
{
    struct request *r = p->request;
    if (st != STATUS_OK)
        return account_call_refuse(r, st, false);
    if (!u || !u->ativo || r->auth->claims.desde < u->tokens_desde)
        return auth_refuse_token(r, "O token foi revogado.");
    char *email = arena_copy(&r->arena, u->email.data, u->email.len);
    if (!email || u->senha.len >= sizeof p->current.hash)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    memcpy(p->current.hash, u->senha.data, u->senha.len);
    p->current.hash[u->senha.len] = 0;
    const char *fault = account_password_fault(p->next.password, p->next.password_len, email);
    if (fault)
        return reply_field(r, STATUS_INVALID, "senha_nova", "%s", fault);
    account_email_fold(email, u->email.len);
    p->attempt.done = on_try;
    if (store_sessao_try(r->loop->rds, email, &p->client, &p->attempt) == STATUS_OK)
        return STATUS_OK;
    return reply_problem(r, STATUS_CACHE_AWAY,
                         "O Redis não está ao alcance: a senha não pode ser mudada agora.");
}

static void on_account(struct usuarios_ticket *t, enum status st, const struct usuario *rows,
                       size_t n)
{
    struct renewal *p = RENEWAL_OF(t, account);
    if (!account_call_waits(p->request) ||
        look_at_account(p, st, n == 1 ? rows : NULL) != STATUS_OK)
        finish(p);
}

/* ---- the request ---- */

static enum status read_passwords(struct request *r, struct renewal *p)
{
    struct jsonget g;
    size_t current_len, next_len;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st != STATUS_OK)
        return reply_jsonget(r, st, &g);
    const char *current =
        jsonget_string(&g, "senha_atual", true, 1, ACCOUNT_PASSWORD_MAX, &current_len);
    const char *next = jsonget_string(&g, "senha_nova", true, ACCOUNT_PASSWORD_MIN,
                                      ACCOUNT_PASSWORD_MAX, &next_len);
    if (current && next && current_len == next_len && memcmp(current, next, next_len) == 0)
        jsonget_fail(&g, "senha_nova", "deve ser outra");
    st = jsonget_finish(&g);
    if (st != STATUS_OK || !current || !next)
        return reply_jsonget(r, st, &g);
    p->next.ev = r->loop->ev;
    memcpy(p->next.password, next, next_len);
    p->next.password_len = next_len;
    account_call_password(r, &p->current, (char *)(uintptr_t)current, current_len);
    return st;
}

enum status h_password_change(struct request *r)
{
    struct renewal *p = arena_alloc(&r->arena, sizeof *p);
    if (!p)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *p = (struct renewal){.account.done = on_account,
                          .current = {.task = HASHER_VERIFY, .done = on_compared},
                          .next = {.task = HASHER_MAKE, .done = on_hashed},
                          .request = r,
                          .who = audit_who(r),
                          .client = client_address(r)};
    enum status st = read_passwords(r, p);
    if (st == STATUS_OK)
        st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    if (store_usuarios_secret(r->loop->reads, r->auth->claims.sub, &p->account) != STATUS_OK) {
        account_call_refuse(r, STATUS_DATABASE_AWAY, false);
        finish(p);
    }
    return STATUS_PENDING;
}
