/* auth: owns the table of permissions, the tokens that were verified lately, and the questions to
 * Redis. Invariant: no answer of a route that wants a token leaves before Redis has said that the
 * token still counts, but for those that say nothing (5xx). */
#include "auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "loop.h"
#include "reply.h"
#include "router.h"
#include "store_sessao.h"
#include "text.h"

#define REALM "Bearer realm=\"alicerce\""

/* ---- permissions ---- */

#define ADMIN    (1u << ROLE_ADMIN)
#define OPERATOR (1u << ROLE_OPERATOR)
#define READER   (1u << ROLE_READER)

/* early: it may run before Redis has answered, because nothing but its answer tells of it. */
static const struct {
    const char *name;
    unsigned roles;
    bool early;
} actions[ACTION_COUNT] = {
    [ACTION_OPEN] = {"OPEN", ADMIN | OPERATOR | READER, true},
    [ACTION_SESSION] = {"SESSION", ADMIN | OPERATOR | READER, true},
    [ACTION_PASSWORD] = {"PASSWORD", ADMIN | OPERATOR | READER, false},
    [ACTION_LIVE] = {"LIVE", ADMIN | OPERATOR | READER, true},
    [ACTION_POST_CREATE] = {"POST_CREATE", ADMIN | OPERATOR, false},
    [ACTION_POST_CHANGE] = {"POST_CHANGE", ADMIN | OPERATOR, false},
    [ACTION_ACCOUNTS_READ] = {"ACCOUNTS_READ", ADMIN, true},
    [ACTION_ACCOUNTS_CHANGE] = {"ACCOUNTS_CHANGE", ADMIN, false},
    [ACTION_ARCHIVE_READ] = {"ARCHIVE_READ", ADMIN | OPERATOR | READER, true},
    [ACTION_RAW_READ] = {"RAW_READ", ADMIN | OPERATOR, false},
    [ACTION_QUEUE_READ] = {"QUEUE_READ", ADMIN | OPERATOR | READER, true},
    [ACTION_QUEUE_CHANGE] = {"QUEUE_CHANGE", ADMIN | OPERATOR, false},
    [ACTION_AUDIT_READ] = {"AUDIT_READ", ADMIN, true},
    [ACTION_FILES_READ] = {"FILES_READ", ADMIN | OPERATOR | READER, true},
    [ACTION_FILES_CHANGE] = {"FILES_CHANGE", ADMIN | OPERATOR, false},
};

const char *auth_action_name(enum action action)
{
    return actions[action].name;
}

bool auth_may(enum action action, enum account_role role)
{
    return actions[action].roles & (1u << role);
}

bool auth_guards(const struct request *r)
{
    if (!r->route)
        return false;
    enum action action = r->route->action;
    if (action == ACTION_POST_CREATE)
        return r->loop->config->posts_write == POSTS_WRITE_TOKEN;
#ifdef BENCH_TOKEN_OPTIONAL /* bench/auth.py only: the same GET without and with a token */
    if (action == ACTION_OPEN)
        return r->headers[HEADER_AUTHORIZATION].data != NULL;
#endif
    return action != ACTION_OPEN;
}

/* ---- tokens that were verified lately ----
 *
 * A signature costs more than all else that a small GET does, so the last ones are remembered,
 * whole, with their claims. Only what was verified gets in; times and revocation are asked every
 * time. */

enum { CACHED = 64, CACHED_LEN = 448 }; /* 64 x 0.6 KiB a loop; operators are few */

struct cached {
    size_t len; /* 0: free */
    char token[CACHED_LEN];
    struct token_claims claims;
};

struct auth_gate {
    struct loop *loop;
    struct request *first, **end; /* waiting to be asked about */
    struct cached cached[CACHED];
};

static struct cached *slot_of(struct auth_gate *g, struct slice token)
{
    unsigned h = 0; /* the end of the signature is as good as random */
    for (size_t i = token.len > 8 ? token.len - 8 : 0; i < token.len; i++)
        h = h * 31 + (unsigned char)token.data[i];
    return &g->cached[h % CACHED];
}

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static enum status verify(struct loop *loop, struct slice token, struct token_claims *ret,
                          const char **ret_why)
{
    struct cached *c = slot_of(loop->gate, token);
    if (c->len == token.len && text_equal_ct(c->token, token.data, token.len)) {
        *ret = c->claims;
        return token_check_times(ret, now_s(), ret_why);
    }
    enum status st = token_check(loop->app->tokens, token.data, token.len, now_s(), ret, ret_why);
    if (st == STATUS_OK && token.len <= CACHED_LEN) {
        c->len = token.len;
        c->claims = *ret;
        memcpy(c->token, token.data, token.len);
    }
    return st;
}

/* ---- the head ---- */

enum status auth_refuse_token(struct request *r, const char *why)
{
    reply_problem(r, STATUS_UNAUTHORIZED, why);
    r->reply.authenticate = REALM ", error=\"invalid_token\"";
    return STATUS_UNAUTHORIZED;
}

enum status auth_refuse_role(struct request *r, const char *why)
{
    reply_problem(r, STATUS_FORBIDDEN, why);
    r->reply.authenticate = REALM ", error=\"insufficient_scope\"";
    return STATUS_FORBIDDEN;
}

/* RFC 6750 section 2.1; the scheme's name has no case (RFC 9110 section 11.1). */
static bool bearer(struct slice header, struct slice *ret_token)
{
    size_t n = 7;
    if (!header.data || header.len < n || strncasecmp(header.data, "Bearer ", n) != 0)
        return false;
    while (n < header.len && header.data[n] == ' ')
        n++;
    *ret_token = (struct slice){header.data + n, header.len - n};
    return true;
}

static enum status refuse_without(struct request *r)
{
    reply_problem(r, STATUS_UNAUTHORIZED, "Esta rota pede um token: Authorization: Bearer TOKEN.");
    r->reply.authenticate = REALM; /* without a token there is no error to name */
    return STATUS_UNAUTHORIZED;
}

enum status auth_check(struct request *r)
{
    struct slice token;
    const char *why;
    if (!auth_guards(r))
        return STATUS_OK;
    if (!r->loop->app->tokens)
        return reply_problem(r, STATUS_NOT_CONFIGURED,
                             "JWT_SECRET não está definido: nenhum token pode ser conferido.");
    if (!bearer(r->headers[HEADER_AUTHORIZATION], &token))
        return refuse_without(r);
    struct auth *auth = arena_alloc(&r->arena, sizeof *auth);
    if (!auth)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *auth = (struct auth){.asking = false};
    if (verify(r->loop, token, &auth->claims, &why) != STATUS_OK)
        return auth_refuse_token(r, why);
    if (!auth_may(r->route->action, auth->claims.papel))
        return auth_refuse_role(r, "O seu papel não permite isto.");
    r->auth = auth;
    return STATUS_OK;
}

/* ---- running the handler ---- */

static enum status handle(struct request *r)
{
    loop_trace(r->loop, r);
    return r->route->handle(r);
}

static void gather(struct request *r)
{
    struct auth_gate *g = r->loop->gate;
    request_ref(r);
    r->auth->asking = true;
    r->auth->next = NULL;
    *g->end = r;
    g->end = &r->auth->next;
}

static enum status park(struct request *r)
{
    enum status st = loop_park(r->loop, r);
    if (st != STATUS_PENDING)
        reply_problem(r, st, "Pedidos demais esperam; tente de novo em instantes.");
    return st;
}

enum status auth_dispatch(struct request *r)
{
    if (!r->auth)
        return handle(r);
    bool early = actions[r->route->action].early;
    enum status st = early ? STATUS_PENDING : park(r);
    if (st == STATUS_PENDING)
        gather(r);
    return early ? handle(r) : st;
}

/* A 5xx tells nothing that a token would be needed for, and may be the answer because Redis is
 * away.
 */
bool auth_withholds(struct request *r)
{
    struct auth *auth = r->auth;
    if (!auth || !auth->asking || r->reply.http >= 500)
        return false;
    if (r->state != REQUEST_PARKED && park(r) != STATUS_PENDING)
        return false;
    auth->held = true;
    return true;
}

/* ---- Redis' word ---- */

static void run_handler(struct request *r)
{
    if (!r->connection) /* the client has gone: what it asked for is left alone */
        return;
    loop_unpark(r->loop, r);
    if (handle(r) != STATUS_PENDING)
        request_answer(r);
}

static void settle(struct request *r, enum status st, bool revoked)
{
    struct auth *auth = r->auth;
    auth->asking = false;
    if (r->state == REQUEST_ANSWERED) /* its deadline has passed */
        return;
    if (st == STATUS_OK && !revoked) {
        if (auth->held)
            request_answer(r);
        else if (!actions[r->route->action].early)
            run_handler(r);
        return;
    }
    reply_reset(r);
    if (st == STATUS_OK)
        auth_refuse_token(r, "O token foi revogado.");
    else
        reply_problem(r, STATUS_CACHE_AWAY,
                      "O Redis não respondeu: não se sabe se o token ainda vale.");
    request_answer(r);
}

struct flight {
    struct sessao_ask ask;
    struct request *first;
    struct sessao_question questions[];
};

static void settle_all(struct flight *f, enum status st)
{
    struct request *r = f->first;
    while (r) {
        struct request *next = r->auth->next;
        settle(r, st, f->questions[r->auth->question].revoked);
        request_unref(r);
        r = next;
    }
    free(f);
}

static void on_asked(struct sessao_ask *t, enum status st)
{
    settle_all((struct flight *)(void *)t, st);
}

/* One question for each token, as far back as is worth looking: operators come in bursts. */
static size_t question_of(struct flight *f, const struct token_claims *c)
{
    enum { LOOK_BACK = 8 };
    size_t n = f->ask.n;
    for (size_t i = n; i-- > 0 && n - i <= LOOK_BACK;)
        if (strcmp(f->questions[i].jti, c->jti) == 0 && f->questions[i].conta == c->sub &&
            f->questions[i].desde == c->desde)
            return i;
    f->questions[n] = (struct sessao_question){c->jti, c->sub, c->desde, false};
    f->ask.n++;
    return n;
}

/* How many can be asked about now. One whose batch has not been sent waits for it, since its answer
 * does: so that a flight comes with one question and not with one for each pass before it. */
static size_t ready(const struct auth_gate *g)
{
    size_t n = 0;
    for (const struct request *r = g->first; r && n < SESSAO_ASK_MAX; r = r->auth->next)
        n += !r->gathers;
    return n;
}

static struct flight *take_off(struct auth_gate *g, size_t n)
{
    struct flight *f = malloc(sizeof *f + n * sizeof f->questions[0]);
    if (!f)
        return NULL;
    *f = (struct flight){.ask = {on_asked, f->questions, 0}};
    struct request **from = &g->first, **to = &f->first;
    while (n > 0) {
        struct request *r = *from;
        if (r->gathers) {
            from = &r->auth->next;
            continue;
        }
        *from = r->auth->next;
        r->auth->question = question_of(f, &r->auth->claims);
        *to = r;
        to = &r->auth->next;
        n--;
    }
    *to = NULL;
    if (!*from)
        g->end = from;
    return f;
}

void auth_send(struct loop *loop)
{
    struct auth_gate *g = loop->gate;
    for (size_t n; (n = ready(g)) > 0;) {
        struct flight *f = take_off(g, n);
        if (!f)
            return; /* no memory: at the next pass, or their deadlines answer them */
        if (store_sessao_ask(loop->rds, &f->ask) != STATUS_OK)
            settle_all(f, STATUS_CACHE_AWAY);
    }
}

/* ---- life ---- */

struct auth_gate *auth_gate_new(struct loop *loop)
{
    struct auth_gate *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->loop = loop;
    g->end = &g->first;
    return g;
}

void auth_gate_free(struct auth_gate *g)
{
    while (g && g->first) {
        struct request *r = g->first;
        g->first = r->auth->next;
        request_unref(r);
    }
    free(g);
}
