/* h_auth_eu: one's own account: who am I, and a token that is renewed. Whoever uses the page asks
 * again and again, so those of a flight share one query, and all of one account one row. */
#include "handlers.h"

#include <stdlib.h>

#include "account_call.h"
#include "body.h"
#include "loop.h"
#include "reply.h"
#include "router.h"
#include "session_reply.h"
#include "store.h"

struct own_flight {
    struct usuarios_ticket ticket; /* first: the store's way back */
    struct batch *batch;
};

static bool renews(const struct request *r)
{
    return r->route->handle == h_renew;
}

/* The answer to the request before: those with the same token get the same bytes. */
struct same {
    int64_t sub, exp;
    struct body *body; /* a reference of ours; NULL: none yet */
};

static void answer_who(struct request *r, const struct usuario *u, struct same *same)
{
    const struct token_claims *c = &r->auth->claims;
    if (same->body && same->sub == c->sub && same->exp == c->exp) {
        reply_body(r, STATUS_OK, REPLY_JSON, same->body);
        r->reply.secret = true;
        return;
    }
    session_reply(r, NULL, c->exp, u);
    bool told = r->reply.http == 200 && r->reply.body; /* without memory it is a problem */
    body_unref(same->body);
    *same = (struct same){c->sub, c->exp, told ? body_ref(r->reply.body) : NULL};
}

static void answer_own(struct request *r, const struct usuario *u, struct same *same)
{
    const struct token_claims *c = &r->auth->claims;
    int64_t now = session_now_s();
    if (!u || !u->ativo || c->desde < u->tokens_desde)
        auth_refuse_token(r, "O token foi revogado.");
    else if (!renews(r))
        answer_who(r, u, same);
    else if (now >= c->ini + TOKEN_SESSION_S)
        auth_refuse_token(r, "A sessão chegou ao limite de 12 horas: entre de novo.");
    else
        session_reply_token(r, u, now, c->ini);
    request_answer(r);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct usuario *)a)->id, y = ((const struct usuario *)b)->id;
    return (x > y) - (x < y);
}

static void on_accounts(struct usuarios_ticket *t, enum status st, const struct usuario *rows,
                        size_t n)
{
    struct batch *b = ((struct own_flight *)(void *)t)->batch;
    struct same same = {0};
    if (st != STATUS_OK)
        batch_refuse(b, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
    for (struct request *r = b->flying; r && st == STATUS_OK; r = r->batch_next) {
        struct usuario key = {.id = r->auth->claims.sub};
        if (account_call_waits(r))
            answer_own(r, n ? bsearch(&key, rows, n, sizeof *rows, by_id) : NULL, &same);
    }
    body_unref(same.body);
    batch_back(b);
}

static void send(struct batch *b)
{
    struct own_flight *f = b->data;
    int64_t ids[BATCH_MAX];
    size_t n = 0;
    for (const struct request *r = b->flying; r; r = r->batch_next)
        n = store_ids_add(ids, n, r->auth->claims.sub);
    *f = (struct own_flight){{on_accounts}, b};
    if (store_usuarios_by_ids(b->loop->reads, ids, n, &f->ticket) == STATUS_OK)
        b->outstanding++;
    else
        batch_refuse(b, STATUS_DATABASE_AWAY, "O banco de dados não está ao alcance.");
}

const struct batch_type batch_own = {
    .name = "own", .data_size = sizeof(struct own_flight), .send = send};

enum status h_renew(struct request *r)
{
    return batch_join(r, BATCH_OWN);
}

enum status h_who_am_i(struct request *r)
{
    return batch_join(r, BATCH_OWN);
}
