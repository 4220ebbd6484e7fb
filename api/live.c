/* live: owns the listeners, the connection that waits for entries, and when which is told. */
#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ev.h"
#include "live_pending.h"
#include "loop.h"
#include "rds.h"
#include "reply.h"
#include "sse.h"
#include "store_ao_vivo.h"
#include "store_counter.h"
#include "store_posts.h"
#include "store_sessao.h"
#include "stream.h"

enum {
    READ_MAX = 100,  /* entries of one read */
    BLOCK_MS = 2000, /* that a read waits */
    STALL_MS = 5000, /* a Redis that does not answer even then */
    LINGER_MS = 5000 /* of the connection after the last listener */
};

struct listener {
    struct stream stream;
    struct live *live;
    struct listener *prev, *next;
    unsigned refs; /* the list's, and those of questions that are out */
    bool gone;
    bool ahead; /* of what the loop has read: what comes is looked through */
    unsigned kinds;
    struct event_id from;
    int64_t sub, desde, exp; /* of its token */
    char jti[TOKEN_JTI_MAX + 1];
};

struct live {
    struct loop *loop;
    struct listener *listeners;
    unsigned n_listeners;
    struct rds *rds; /* waits; NULL without listeners */
    struct ao_vivo_read read;
    struct ao_vivo_state state;
    bool reading, asking_state, was_lost;
    struct event_id position;
    int64_t idle_ms; /* since nobody listens */

    struct live_pending pending;
    int64_t flushed_ms, second_ms, beat_ms;

    struct counter_ticket visits;
    struct posts_count posts;
    bool asking_visits, asking_posts;
    int64_t n_visits, n_posts, told_visits, told_posts;
    int64_t tokens_ms; /* when they were looked at; 0: at once */
};

#define LIVE_OF(t, member) ((struct live *)(void *)((char *)(t)-offsetof(struct live, member)))

struct event_id live_position(const struct live *live)
{
    bool runs = live->n_listeners > 0 || live->reading;
    return runs ? live->position : (struct event_id){0, 0};
}

/* ---- the flush ---- */

/* What listeners of the same kinds are told. */
struct share {
    bool made, whole; /* whole: there was memory for it */
    struct body *piece;
};

static const struct share *share_of(struct live *live, const struct listener *l,
                                    struct share shares[])
{
    struct share *s = &shares[l->kinds];
    if (!s->made) {
        s->whole = live_pending_piece(&live->pending, l->kinds, (struct event_id){0, 0}, &s->piece);
        s->made = true;
    }
    return s;
}

/* A listener whose queue is full, or whose piece found no memory, has missed it: it is cut, comes
 * back, and is told. */
static void hand_out(struct live *live)
{
    struct share shares[1u << SSE_LOST] = {{false, false, NULL}};
    for (struct listener *l = live->listeners; l; l = l->next) {
        struct share own = {.made = l->ahead};
        if (l->ahead)
            own.whole = live_pending_piece(&live->pending, l->kinds, l->from, &own.piece);
        const struct share *s = l->ahead ? &own : share_of(live, l, shares);
        if (!s->whole || (s->piece && !stream_share(&l->stream, s->piece)))
            stream_abort(&l->stream);
        body_unref(own.piece);
        l->ahead = event_id_before(live->position, l->from);
    }
    for (unsigned i = 0; i < 1u << SSE_LOST; i++)
        body_unref(shares[i].piece);
}

static void flush_now(struct live *live)
{
    if (live->pending.n == 0)
        return;
    live->flushed_ms = ev_now_ms(live->loop->ev);
    if (!buf_failed(&live->pending.text))
        hand_out(live);
    else
        live->pending.over = true;
    live_pending_clear(&live->pending);
}

static void flush(struct live *live)
{
    if (ev_now_ms(live->loop->ev) - live->flushed_ms >= LIVE_EVERY_MS)
        flush_now(live);
}

/* ---- reading ---- */

static void read_on(struct live *live);

static void add_message(void *pending, enum sse_kind kind, const char *json, size_t len)
{
    live_pending_add(pending, kind, json, len);
}

static void on_entry(struct ao_vivo_read *t, struct event_id id, const struct ao_vivo_field *fields,
                     size_t n)
{
    struct live *live = LIVE_OF(t, read);
    live->position = id;
    for (size_t i = 0; i < n; i++)
        sse_each_message(&fields[i], &live->pending, add_message);
    live_pending_add_id(&live->pending, id);
}

static void on_read(struct ao_vivo_read *t, enum status st, size_t n)
{
    (void)n;
    struct live *live = LIVE_OF(t, read);
    live->reading = false;
    if (st != STATUS_OK)
        return; /* at the next tick, or when the connection is back */
    flush(live);
    read_on(live);
}

static void on_state(struct ao_vivo_state *t, enum status st)
{
    struct live *live = LIVE_OF(t, state);
    live->asking_state = false;
    if (st != STATUS_OK)
        return;
    live->was_lost = false;
    if (event_id_before(t->last, live->position))
        live->position = t->last; /* Redis came back without what it had */
    live_pending_add_lost(&live->pending, live->position);
    read_on(live);
}

/* After a loss what others could not tell Redis is missing, too: that is what `perdido` says. */
static void read_on(struct live *live)
{
    if (live->reading || live->asking_state || live->n_listeners == 0 || !rds_ready(live->rds))
        return;
    if (live->was_lost)
        live->asking_state = store_ao_vivo_state(live->rds, &live->state) == STATUS_OK;
    else
        live->reading = store_ao_vivo_wait(live->rds, live->position, READ_MAX, BLOCK_MS,
                                           &live->read) == STATUS_OK;
}

static void on_redis(void *ctx, enum rds_change change)
{
    struct live *live = ctx;
    if (change == RDS_READY)
        live->tokens_ms = 0;
    else
        live->was_lost = true;
    if (change == RDS_READY)
        read_on(live);
}

static bool connect_redis(struct live *live)
{
    const struct config *c = live->loop->config;
    if (!live->rds)
        live->rds = rds_new(live->loop->ev, &(struct rds_options){.host = c->redis_host,
                                                                  .port = (int)c->redis_port,
                                                                  .user = c->redis_user,
                                                                  .password = c->redis_password,
                                                                  .db = (int)c->redis_db,
                                                                  .client_name = "alicerce-live",
                                                                  .connect_timeout_ms = 2000,
                                                                  .stall_ms = STALL_MS,
                                                                  .changed = on_redis,
                                                                  .ctx = live});
    return live->rds != NULL;
}

/* ---- counters ---- */

static void tell_counters(struct live *live)
{
    char json[96];
    bool changed = live->n_visits != live->told_visits || live->n_posts != live->told_posts;
    if (!changed || live->asking_visits || live->asking_posts || live->n_visits < 0 ||
        live->n_posts < 0)
        return;
    live->told_visits = live->n_visits;
    live->told_posts = live->n_posts;
    int n = snprintf(json, sizeof json, "{\"total_requisicoes\":%lld,\"total_posts\":%lld}",
                     (long long)live->n_visits, (long long)live->n_posts);
    live_pending_add_own(&live->pending, SSE_COUNTERS, json, (size_t)n);
}

static void on_posts(struct posts_count *t, enum status st, int64_t total)
{
    struct live *live = LIVE_OF(t, posts);
    live->asking_posts = false;
    live->n_posts = st == STATUS_OK ? total : -1;
    tell_counters(live);
}

static void on_visits(struct counter_ticket *t, enum status st, int64_t value)
{
    struct live *live = LIVE_OF(t, visits);
    live->asking_visits = false;
    live->n_visits = st == STATUS_OK ? value : -1;
    tell_counters(live);
}

static void ask_counters(struct live *live)
{
    if (live->asking_visits || live->asking_posts)
        return;
    live->n_visits = live->n_posts = -1;
    live->asking_visits = store_counter_visits(live->loop->rds, &live->visits) == STATUS_OK;
    live->asking_posts = store_posts_count(live->loop->reads, &live->posts) == STATUS_OK;
}

/* ---- tokens ---- */

struct token_flight {
    struct sessao_ask ask;
    struct live *live;
    struct listener *listeners[SESSAO_ASK_MAX];
    struct sessao_question questions[SESSAO_ASK_MAX];
};

static void listener_unref(struct listener *l)
{
    if (--l->refs == 0)
        free(l);
}

static void on_tokens(struct sessao_ask *t, enum status st)
{
    struct token_flight *f = (struct token_flight *)(void *)t;
    for (size_t i = 0; i < t->n; i++) {
        struct listener *l = f->listeners[i];
        if (st == STATUS_OK && t->questions[i].revoked && !l->gone)
            stream_end(&l->stream);
        listener_unref(l);
    }
    free(f);
}

static struct listener *ask_some(struct live *live, struct listener *l)
{
    struct token_flight *f = malloc(sizeof *f);
    if (!f)
        return NULL; /* at the next look */
    f->ask = (struct sessao_ask){on_tokens, f->questions, 0};
    for (; l && f->ask.n < SESSAO_ASK_MAX; l = l->next) {
        l->refs++;
        f->listeners[f->ask.n] = l;
        f->questions[f->ask.n++] = (struct sessao_question){l->jti, l->sub, l->desde, false};
    }
    if (store_sessao_ask(live->loop->rds, &f->ask) != STATUS_OK)
        on_tokens(&f->ask, STATUS_CACHE_AWAY);
    return l;
}

static void look_at_tokens(struct live *live, int64_t now_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (struct listener *l = live->listeners; l; l = l->next)
        if (token_expired(l->exp, now.tv_sec))
            stream_end(&l->stream);
    if (live->tokens_ms && now_ms - live->tokens_ms < LIVE_TOKENS_MS)
        return;
    live->tokens_ms = now_ms;
    for (struct listener *l = live->listeners; l;)
        l = ask_some(live, l);
}

/* ---- listeners ---- */

static void on_closed(struct stream *s)
{
    struct listener *l = (struct listener *)(void *)s;
    struct live *live = l->live;
    *(l->prev ? &l->prev->next : &live->listeners) = l->next;
    if (l->next)
        l->next->prev = l->prev;
    if (--live->n_listeners == 0)
        live->idle_ms = ev_now_ms(live->loop->ev);
    l->gone = true;
    listener_unref(l);
}

static void link_listener(struct live *live, struct listener *l)
{
    bool first = live->n_listeners == 0 && !live->reading;
    if (first)
        live->position = l->from;
    l->ahead = event_id_before(live->position, l->from);
    l->next = live->listeners;
    if (l->next)
        l->next->prev = l;
    live->listeners = l;
    live->n_listeners++;
}

enum status live_join(struct live *live, struct request *r, unsigned wanted, struct event_id from,
                      struct body *first)
{
    struct listener *l = live->n_listeners < LIVE_LISTENERS_MAX ? calloc(1, sizeof *l) : NULL;
    if (!l || !connect_redis(live)) {
        free(l);
        return reply_problem(r, STATUS_OVERLOADED, "Há ouvintes demais; tente de novo.");
    }
    const struct token_claims *c = &r->auth->claims;
    *l = (struct listener){.stream = {.closed = on_closed, .cap = LIVE_CAP, .listens = true},
                           .live = live,
                           .refs = 1,
                           .kinds = wanted,
                           .from = from,
                           .sub = c->sub,
                           .desde = c->desde,
                           .exp = c->exp};
    memcpy(l->jti, c->jti, sizeof l->jti);
    flush_now(live);
    link_listener(live, l);
    reply_stream(r, STATUS_OK, "text/event-stream; charset=utf-8", &l->stream,
                 STREAM_LENGTH_UNKNOWN);
    r->reply.secret = true;
    reply_header(r, "X-Accel-Buffering", "no");
    if (!stream_share(&l->stream, first)) /* it would be told as if it had missed nothing */
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    live->told_posts = live->told_visits = -1; /* it has heard of no counters yet */
    read_on(live);
    return STATUS_OK;
}

static void beat(struct live *live)
{
    struct buf b = buf_init(128);
    buf_lit(&b, ":\n");
    sse_put_id(&b, live->position);
    struct body *piece = body_new(b.data, b.len);
    for (struct listener *l = live->listeners; piece && l; l = l->next)
        if (!l->ahead && !stream_share(&l->stream, piece))
            stream_abort(&l->stream);
    body_unref(piece);
    buf_release(&b);
}

/* ---- life ---- */

static void each_second(struct live *live, int64_t now_ms)
{
    live->second_ms = now_ms;
    live->pending.second_bytes = 0;
    if (live->pending.over)
        live_pending_add_lost(&live->pending, live->position);
    look_at_tokens(live, now_ms);
    ask_counters(live);
    if (now_ms - live->beat_ms >= LIVE_HEARTBEAT_MS) {
        live->beat_ms = now_ms;
        flush_now(live); /* the id of a beat must not overtake what waits */
        beat(live);
    }
}

void live_tick(struct live *live, int64_t now_ms)
{
    if (!live->rds)
        return;
    rds_tick(live->rds, now_ms);
    if (live->n_listeners > 0) {
        read_on(live);
        if (now_ms - live->second_ms >= 1000)
            each_second(live, now_ms);
        flush(live);
    } else if (now_ms - live->idle_ms > LINGER_MS) {
        rds_free(live->rds);
        live->rds = NULL;
        live->was_lost = false;
    }
}

void live_flush(struct live *live)
{
    if (live->rds)
        rds_flush(live->rds);
}

struct live *live_new(struct loop *loop)
{
    struct live *live = calloc(1, sizeof *live);
    if (!live)
        return NULL;
    live->loop = loop;
    live_pending_init(&live->pending);
    live->read = (struct ao_vivo_read){on_entry, on_read};
    live->state.done = on_state;
    live->visits.done = on_visits;
    live->posts.done = on_posts;
    return live;
}

void live_free(struct live *live)
{
    if (!live)
        return;
    if (live->rds)
        rds_free(live->rds);
    live_pending_release(&live->pending);
    free(live);
}
