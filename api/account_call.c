/* account_call: owns nothing but its rules. */
#include "account_call.h"

#include <string.h>

#include "jsonput.h"
#include "loop.h"
#include "reply.h"

void account_json(struct buf *b, const struct usuario *u)
{
    const char *papel = account_role_name(u->papel);
    buf_lit(b, "{\"id\":"); /* without printf: the page asks for it again and again */
    buf_int(b, u->id);
    buf_lit(b, ",\"nome\":");
    jsonput_string(b, u->nome.data, u->nome.len);
    buf_lit(b, ",\"email\":");
    jsonput_string(b, u->email.data, u->email.len);
    buf_lit(b, ",\"papel\":");
    jsonput_string(b, papel, strlen(papel));
    buf_str(b, u->ativo ? ",\"ativo\":true,\"criado_em\":" : ",\"ativo\":false,\"criado_em\":");
    jsonput_time(b, u->criado_em_us);
    buf_char(b, '}');
}

enum status account_call_begin(struct request *r)
{
    enum status st = loop_park(r->loop, r);
    if (st != STATUS_PENDING)
        return reply_problem(r, st, "Pedidos demais esperam; tente de novo em instantes.");
    request_ref(r);
    return st;
}

void account_call_end(struct request *r)
{
    request_answer(r);
    request_unref(r);
}

bool account_call_waits(const struct request *r)
{
    return r->state == REQUEST_PARKED && r->connection;
}

void account_call_password(struct request *r, struct hasher_job *job, char *password, size_t len)
{
    job->ev = r->loop->ev;
    memcpy(job->password, password, len);
    job->password_len = len;
    explicit_bzero(r->body.data, r->body.len);
}

enum status account_call_refuse(struct request *r, enum status st, bool writes)
{
    if (writes && st == STATUS_DATABASE_AWAY)
        return reply_problem(r, STATUS_OUTCOME_UNKNOWN,
                             "O banco de dados não confirmou a gravação: confira antes de "
                             "repetir.");
    if (st == STATUS_DEADLINE)
        return reply_problem(r, st, "O banco de dados não respondeu a tempo; nada foi gravado.");
    return reply_problem(r, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
}

enum status account_call_sent(struct request *r, enum status st)
{
    if (st != STATUS_OK) {
        account_call_refuse(r, STATUS_DATABASE_AWAY, false);
        account_call_end(r);
    }
    return STATUS_PENDING;
}

enum status account_call_refuse_change(struct request *r, enum status st,
                                       enum usuario_outcome outcome)
{
    if (st != STATUS_OK)
        return account_call_refuse(r, st, true);
    if (outcome == USUARIO_ABSENT)
        return reply_problem(r, STATUS_NOT_FOUND, "Não há conta com este id.");
    if (outcome == USUARIO_LAST_ADMIN)
        return reply_problem(r, STATUS_CONFLICT,
                             "É o último administrador ativo: nada foi mudado.");
    return auth_refuse_token(r, "O token foi revogado.");
}

/* As long as a token of before the change may live, on the clock that is furthest behind. */
void account_call_end_tokens(struct request *r, int64_t id, int64_t desde, struct sessao_done *t)
{
    enum { TTL_S = TOKEN_LIFE_S + 3 * TOKEN_LEEWAY_S };
    if (store_sessao_end_account(r->loop->rds, id, desde, TTL_S, t) != STATUS_OK)
        t->done(t, STATUS_CACHE_AWAY);
}

/* The tokens die within 15 minutes, are not renewed and change nothing (PostgreSQL is asked, too),
 * but they may still read. */
enum status account_call_unannounced(struct request *r)
{
    return reply_problem(r, STATUS_OUTCOME_UNKNOWN,
                         "A mudança foi gravada, mas o Redis não respondeu: os tokens desta conta "
                         "podem valer por mais alguns minutos. Repita para encerrá-los já.");
}
