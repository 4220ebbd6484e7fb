/* h_auth: signing in and out.
 *
 * A sign-in goes: may it be tried (Redis) → the account (PostgreSQL) → the password (hasher) → a
 * token. An unknown address, an account that is not active and a wrong password take the same way
 * and get the same answer: the hash is computed for all three. When too many wait for the hasher
 * the refusal comes before the first step: a flood of those who are turned away costs what a 404
 * does. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>

#include "account_call.h"
#include "audit.h"
#include "client_address.h"
#include "jsonget.h"
#include "loop.h"
#include "reply.h"
#include "session_reply.h"
#include "store_sessao.h"
#include "text.h"

/* ---- POST /api/auth/login ---- */

struct sign_in {
    struct sessao_try attempt;
    struct usuarios_ticket account;
    struct hasher_job job;
    struct request *request;
    struct usuario found; /* texts in the arena */
    struct cidr_address client;
    struct auditoria_quem who;
    size_t email_len;
    char email[ACCOUNT_EMAIL_MAX + 1]; /* folded */
};

#define SIGN_IN_OF(t, member)                                                                      \
    ((struct sign_in *)(void *)((char *)(t)-offsetof(struct sign_in, member)))

static enum status read_credentials(struct request *r, struct sign_in *s)
{
    struct jsonget g;
    size_t email_len, senha_len;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st == STATUS_OK) {
        const char *email = jsonget_string(&g, "email", true, 1, ACCOUNT_EMAIL_MAX, &email_len);
        const char *senha = jsonget_string(&g, "senha", true, 1, ACCOUNT_PASSWORD_MAX, &senha_len);
        st = jsonget_finish(&g);
        if (st == STATUS_OK) {
            bool possible = account_email_ok(email, email_len); /* no account has another */
            s->email_len = possible ? email_len : 0;
            memcpy(s->email, email, s->email_len);
            account_email_fold(s->email, s->email_len);
            account_call_password(r, &s->job, (char *)(uintptr_t)senha, senha_len);
        }
    }
    return st == STATUS_OK ? st : reply_jsonget(r, st, &g);
}

/* ---- too many at once ---- */

static const char CROWDED[] = "Muitos entram ao mesmo tempo; tente de novo em instantes.";

/* The password was not looked at, so it is no guess either. */
static enum status refuse_crowd(struct sign_in *s)
{
    metric_add(&s->request->loop->metrics.overloaded, 1);
    explicit_bzero(s->job.password, sizeof s->job.password);
    return reply_problem(s->request, STATUS_OVERLOADED, CROWDED);
}

/* ---- its steps ---- */

static void finish_sign_in(struct sign_in *s)
{
    explicit_bzero(s->job.password, sizeof s->job.password);
    account_call_end(s->request);
}

static void note_sign_in(struct sign_in *s)
{
    char target[32];
    snprintf(target, sizeof target, "usuario:%lld", (long long)s->found.id);
    s->who.id = s->found.id;
    audit_note(s->request, &s->who, AUDITORIA_LOGIN, target, NULL);
}

static void on_compared(struct hasher_job *job, enum status st)
{
    struct sign_in *s = SIGN_IN_OF(job, job);
    struct request *r = s->request;
    int64_t now = session_now_s();
    if (st == STATUS_OK)
        store_sessao_forgive(r->loop->rds, &s->attempt);
    else if (st != STATUS_UNAUTHORIZED) /* not looked at */
        store_sessao_forget(r->loop->rds, &s->attempt);
    if (account_call_waits(r)) {
        if (st == STATUS_OK) {
            session_reply_token(r, &s->found, now, now);
            note_sign_in(s);
        } else if (st == STATUS_UNAUTHORIZED) {
            reply_problem(r, st, "E-mail ou senha incorretos.");
            r->reply.authenticate = "Bearer realm=\"alicerce\"";
        } else {
            reply_problem(r, st, NULL);
        }
    }
    finish_sign_in(s);
}

/* The row's texts die with the call. */
static bool keep_account(struct sign_in *s, const struct usuario *row)
{
    struct arena *a = &s->request->arena;
    const char *nome = arena_copy(a, row->nome.data, row->nome.len);
    const char *email = arena_copy(a, row->email.data, row->email.len);
    if (!nome || !email || row->senha.len >= sizeof s->job.hash)
        return false;
    s->found = *row;
    s->found.nome.data = nome;
    s->found.email.data = email;
    memcpy(s->job.hash, row->senha.data, row->senha.len);
    s->job.hash[row->senha.len] = 0;
    return true;
}

static void give_up(struct sign_in *s, enum status st, const char *why)
{
    store_sessao_forget(s->request->loop->rds, &s->attempt);
    reply_problem(s->request, st, why);
    finish_sign_in(s);
}

static void crowd_out(struct sign_in *s)
{
    metric_add(&s->request->loop->metrics.overloaded, 1);
    give_up(s, STATUS_OVERLOADED, CROWDED);
}

static void on_account(struct usuarios_ticket *t, enum status st, const struct usuario *rows,
                       size_t n)
{
    struct sign_in *s = SIGN_IN_OF(t, account);
    struct request *r = s->request;
    s->job.hash[0] = 0;
    if (st == STATUS_OK && n == 1 && rows->ativo && !keep_account(s, rows))
        st = STATUS_OVERLOADED;
    if (!account_call_waits(r)) {
        store_sessao_forget(r->loop->rds, &s->attempt);
        finish_sign_in(s);
        return;
    }
    if (st != STATUS_OK) {
        give_up(s, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
        return;
    }
    s->job.task = HASHER_VERIFY;
    s->job.done = on_compared;
    st = hasher_submit(r->loop->app->hasher, &s->job);
    if (st != STATUS_OK)
        crowd_out(s);
}

static void on_try(struct sessao_try *t, enum status st, int64_t wait_s)
{
    struct sign_in *s = SIGN_IN_OF(t, attempt);
    struct request *r = s->request;
    hasher_leave(r->loop->app->hasher);
    if (st != STATUS_OK) {
        reply_problem(r, STATUS_CACHE_AWAY, "O Redis não respondeu: não se pode entrar agora.");
        finish_sign_in(s);
    } else if (wait_s > 0) {
        metric_add(&r->loop->metrics.sign_ins_slowed, 1);
        reply_problem(r, STATUS_TOO_MANY, "Tentativas demais; espere antes de tentar de novo.");
        r->reply.retry_after = (unsigned)wait_s;
        finish_sign_in(s);
    } else if (hasher_full(r->loop->app->hasher)) { /* by others, meanwhile */
        crowd_out(s);
    } else {
        s->account.done = on_account;
        struct pg_text email = {s->email, s->email_len};
        st = store_usuarios_by_email(r->loop->reads, email, &s->account);
        if (st != STATUS_OK)
            give_up(s, STATUS_DATABASE_AWAY, "O banco de dados não está ao alcance.");
    }
}

static enum status begin(struct sign_in *s)
{
    struct request *r = s->request;
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING) {
        hasher_leave(r->loop->app->hasher);
        return st;
    }
    if (store_sessao_try(r->loop->rds, s->email, &s->client, &s->attempt) != STATUS_OK) {
        hasher_leave(r->loop->app->hasher);
        reply_problem(r, STATUS_CACHE_AWAY,
                      "O Redis não está ao alcance: não se pode entrar agora.");
        finish_sign_in(s);
    }
    return STATUS_PENDING;
}

enum status h_sign_in(struct request *r)
{
    struct sign_in *s = arena_alloc(&r->arena, sizeof *s);
    if (!s)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    if (!r->loop->app->tokens)
        return reply_problem(r, STATUS_NOT_CONFIGURED,
                             "JWT_SECRET não está definido: nenhum token pode ser dado.");
    *s = (struct sign_in){
        .request = r, .attempt.done = on_try, .client = client_address(r), .who = audit_who(r)};
    enum status st = read_credentials(r, s);
    if (st != STATUS_OK)
        return st;
    return hasher_enter(r->loop->app->hasher) ? begin(s) : refuse_crowd(s);
}

/* ---- POST /api/auth/logout ---- */

struct sign_out {
    struct sessao_done done;
    struct request *request;
    struct auditoria_quem who;
};

static void on_revoked(struct sessao_done *t, enum status st)
{
    struct sign_out *out = (struct sign_out *)(void *)t;
    struct request *r = out->request;
    if (st == STATUS_OK)
        audit_note(r, &out->who, AUDITORIA_LOGOUT, NULL, NULL);
    if (account_call_waits(r)) {
        if (st == STATUS_OK)
            reply_constant(r, STATUS_NO_CONTENT, NULL, "", 0);
        else
            reply_problem(r, STATUS_CACHE_AWAY,
                          "O Redis não respondeu: o token pode ou não ter sido revogado.");
    }
    account_call_end(r);
}

enum status h_sign_out(struct request *r)
{
    struct sign_out *out = arena_alloc(&r->arena, sizeof *out);
    if (!out)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *out = (struct sign_out){{on_revoked}, r, audit_who(r)};
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    const struct token_claims *c = &r->auth->claims;
    int64_t left = c->exp + TOKEN_LEEWAY_S - session_now_s();
    auth_send(r->loop); /* first the question, or it would find what we put there */
    if (store_sessao_revoke(r->loop->rds, c->jti, left > 0 ? left : 1, &out->done) != STATUS_OK) {
        reply_problem(r, STATUS_CACHE_AWAY, "O Redis não está ao alcance: o token segue valendo.");
        account_call_end(r);
    }
    return STATUS_PENDING;
}
