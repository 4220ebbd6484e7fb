/* rds: owns one redisAsyncContext, its life (waiting, resolving, connecting, greeting, ready) and
 * the ring of what is in flight. Replies come in the order of the commands, so the head of the ring
 * is whose turn it is; hiredis gets the same callback for all of them.
 *
 * hiredis 0.14 to 1.3: a failed connect calls on_connect alone and frees the context; a disconnect
 * runs every callback with NULL. */
#include "rds.h"

#include <hiredis/async.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "backoff.h"
#include "dns.h"
#include "ev.h"
#include "log.h"
#include "rds_policy.h"

enum { RING_MAX = 1 << 14, PING_EVERY_MS = 1000, MAX_ARGS = 16 };

enum state { WAITING, RESOLVING, CONNECTING, GREETING, READY };

struct entry {
    rds_fn fn;
    void *ctx;
    int64_t sent_ms;
};

struct rds {
    struct ev_io io;
    struct ev *ev;
    struct rds_options o;
    enum state state;
    int64_t state_since_ms, last_sent_ms;
    redisAsyncContext *ac;
    struct dns_query *query;
    struct backoff backoff;
    struct entry *ring;
    unsigned ring_size, ring_head, ring_n;
    bool dirty;     /* hiredis has something to write */
    bool refused;   /* its maxmemory-policy was told of already */
    bool closing;   /* rds_free: nobody is told any more */
    bool stalled;   /* why the connection is being ended */
    char why[128];  /* the present connection is to end */
    char last[128]; /* why the last one did */
};

static void set_state(struct rds *r, enum state s)
{
    r->state = s;
    r->state_since_ms = ev_now_ms(r->ev);
}

/* ---- ring ---- */

static bool ring_room(struct rds *r)
{
    if (r->ring_n < r->ring_size)
        return true;
    unsigned size = r->ring_size ? r->ring_size * 2 : 64;
    struct entry *bigger = size > RING_MAX ? NULL : calloc(size, sizeof *bigger);
    if (!bigger)
        return false;
    for (unsigned i = 0; r->ring_size && i < r->ring_n; i++)
        bigger[i] = r->ring[(r->ring_head + i) % r->ring_size];
    free(r->ring);
    r->ring = bigger;
    r->ring_size = size;
    r->ring_head = 0;
    return true;
}

static void ring_push(struct rds *r, rds_fn fn, void *ctx)
{
    r->last_sent_ms = ev_now_ms(r->ev);
    r->ring[(r->ring_head + r->ring_n) % r->ring_size] = (struct entry){fn, ctx, r->last_sent_ms};
    r->ring_n++;
}

static struct entry ring_pop(struct rds *r)
{
    struct entry e = r->ring[r->ring_head];
    r->ring_head = (r->ring_head + 1) % r->ring_size;
    r->ring_n--;
    return e;
}

static void fail_all(struct rds *r)
{
    while (r->ring_n) {
        struct entry e = ring_pop(r);
        if (e.fn)
            e.fn(e.ctx, STATUS_CACHE_AWAY, NULL);
    }
}

/* ---- hiredis' event hooks ---- */

static void add_read(void *privdata)
{
    struct rds *r = privdata;
    ev_modify(r->ev, &r->io, r->io.events | EPOLLIN);
}

static void del_read(void *privdata)
{
    struct rds *r = privdata;
    ev_modify(r->ev, &r->io, r->io.events & ~(uint32_t)EPOLLIN);
}

static void add_write(void *privdata)
{
    struct rds *r = privdata;
    r->dirty = true;
}

static void del_write(void *privdata)
{
    struct rds *r = privdata;
    r->dirty = false;
    ev_modify(r->ev, &r->io, r->io.events & ~(uint32_t)EPOLLOUT);
}

static void cleanup(void *privdata)
{
    struct rds *r = privdata;
    if (r->io.fd >= 0)
        ev_del(r->ev, &r->io);
}

/* ---- life ---- */

/* The context is gone or about to be freed by hiredis. */
static void lost(struct rds *r, const char *why)
{
    bool was_ready = r->state == READY;
    r->ac = NULL;
    r->dirty = false;
    snprintf(r->last, sizeof r->last, "%s", why);
    backoff_failed(&r->backoff, ev_now_ms(r->ev));
    set_state(r, WAITING);
    bool news = !r->closing && (was_ready || r->backoff.failures == 1);
    if (news)
        log_warn("redis_lost", NULL, "%s:%d: %s", r->o.host, r->o.port, why);
    if (news && r->o.changed) /* first: what the failed calls do next depends on it */
        r->o.changed(r->o.ctx, r->stalled ? RDS_STALLED : RDS_CLOSED);
    r->stalled = false;
    fail_all(r);
}

static void on_disconnect(const redisAsyncContext *ac, int st)
{
    struct rds *r = ac->data;
    if (r->ac != ac)
        return;
    lost(r, *r->why ? r->why : st == REDIS_OK ? "closed" : ac->errstr);
}

static void end(struct rds *r)
{
    redisAsyncContext *ac = r->ac;
    if (!ac)
        return;
    lost(r, r->why); /* first: callbacks that hiredis runs while freeing find an empty ring */
    redisAsyncFree(ac);
}

void rds_reset(struct rds *r, const char *why)
{
    snprintf(r->why, sizeof r->why, "%s", why);
    end(r);
}

static void on_connect(const redisAsyncContext *ac, int st);

static void attach(struct rds *r)
{
    redisAsyncContext *ac = r->ac;
    ac->data = r;
    ac->ev.data = r;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    r->io.fd = ac->c.fd;
    r->io.events = EPOLLOUT; /* writable: connected, or failed */
    if (!ev_add(r->ev, &r->io))
        r->io.fd = -1;
    redisAsyncSetConnectCallback(ac, on_connect);
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
}

static void connect_to(struct rds *r, const char *address)
{
    set_state(r, CONNECTING);
    r->why[0] = 0;
    r->ac =
        *address == '/' ? redisAsyncConnectUnix(address) : redisAsyncConnect(address, r->o.port);
    if (!r->ac || r->ac->err) {
        redisAsyncContext *ac = r->ac;
        lost(r, ac ? ac->errstr : "out of memory");
        if (ac)
            redisAsyncFree(ac);
        return;
    }
    attach(r);
}

static void on_address(void *ctx, const struct dns_answer *answer)
{
    struct rds *r = ctx;
    r->query = NULL;
    if (answer->n)
        connect_to(
            r, answer->address[(unsigned)answer->n > 1 ? r->backoff.failures % (unsigned)answer->n
                                                       : 0]);
    else
        lost(r, answer->error ? answer->error : "name not found");
}

static void start(struct rds *r)
{
    if (dns_literal(r->o.host)) {
        connect_to(r, r->o.host);
        return;
    }
    set_state(r, RESOLVING);
    r->query = dns_resolve(r->ev, r->o.host, on_address, r);
    if (!r->query)
        lost(r, "no resolver");
}

/* ---- greeting: AUTH, SELECT, CLIENT SETNAME, and the policy ---- */

static void on_greeting(void *ctx, enum status st, const redisReply *reply)
{
    struct rds *r = ctx;
    if (st == STATUS_OK && reply->type == REDIS_REPLY_ERROR && !*r->why)
        snprintf(r->why, sizeof r->why, "%s", reply->str);
}

static void refuse(struct rds *r, const char *policy)
{
    if (!r->refused)
        log_error("redis_policy", NULL,
                  "maxmemory-policy is %s and may drop deliveries: set it to noeviction", policy);
    r->refused = true;
    snprintf(r->why, sizeof r->why, "maxmemory-policy %s", policy);
}

static void on_info(void *ctx, enum status st, const redisReply *reply)
{
    struct rds *r = ctx;
    char policy[RDS_POLICY_MAX];
    if (st != STATUS_OK)
        return;
    if (reply->type == REDIS_REPLY_ERROR)
        on_greeting(ctx, st, reply);
    else if (reply->str && rds_policy_find(reply->str, reply->len, policy) &&
             strcmp(policy, "noeviction") != 0)
        refuse(r, policy);
    if (*r->why) {
        redisAsyncDisconnect(r->ac); /* ends after this callback */
        return;
    }
    set_state(r, READY);
    r->refused = false;
    backoff_succeeded(&r->backoff);
    log_info("redis_ready", NULL, "%s:%d", r->o.host, r->o.port);
    if (r->o.changed)
        r->o.changed(r->o.ctx, RDS_READY);
}

static enum status send_args(struct rds *r, rds_fn fn, void *ctx, int argc, const char *const *argv,
                             const size_t *lens);

/* The next rds_flush ends the connection. */
static void give_up(struct rds *r)
{
    snprintf(r->why, sizeof r->why, "out of memory");
}

static void greet(struct rds *r)
{
    set_state(r, GREETING);
    const char *auth[] = {"AUTH", r->o.user ? r->o.user : r->o.password, r->o.password};
    enum status st = STATUS_OK;
    if (r->o.password)
        st = send_args(r, on_greeting, r, r->o.user ? 3 : 2, auth, NULL);
    char db[12];
    snprintf(db, sizeof db, "%d", r->o.db);
    if (st == STATUS_OK && r->o.db)
        st = send_args(r, on_greeting, r, 2, (const char *[]){"SELECT", db}, NULL);
    if (r->o.client_name)
        send_args(r, NULL, NULL, 3, (const char *[]){"CLIENT", "SETNAME", r->o.client_name}, NULL);
    if (st == STATUS_OK)
        st = send_args(r, on_info, r, 2, (const char *[]){"INFO", "memory"}, NULL);
    if (st != STATUS_OK) /* never a connection to another database than the one that is meant */
        give_up(r);
}

static void on_connect(const redisAsyncContext *ac, int st)
{
    struct rds *r = ac->data;
    if (r->ac != ac)
        return;
    if (st != REDIS_OK)
        lost(r, ac->errstr); /* hiredis frees the context itself */
    else
        greet(r);
}

/* ---- traffic ---- */

static void on_io(struct ev_io *io, uint32_t events)
{
    struct rds *r = (struct rds *)(void *)io;
    if (*r->why) /* rds_flush ends it, with nothing written before */
        return;
    if (r->ac && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && r->state != CONNECTING)
        redisAsyncHandleRead(r->ac);
    if (r->ac && ((events & EPOLLOUT) || r->state == CONNECTING))
        redisAsyncHandleWrite(r->ac);
}

static void on_reply(redisAsyncContext *ac, void *reply, void *unused)
{
    (void)unused;
    struct rds *r = ac->data;
    if (!reply || r->ac != ac || r->ring_n == 0)
        return; /* the connection is ending: lost() answers the ring */
    struct entry e = ring_pop(r);
    if (e.fn)
        e.fn(e.ctx, STATUS_OK, reply);
}

/* hiredis 0.14 says OK, too, when it had no memory to note that an answer will come, and aborts
 * when it does: so what it has appended to its list is looked at. */
static enum status sent(struct rds *r, const redisCallback *last, int st, rds_fn fn, void *ctx)
{
    if (st != REDIS_OK || r->ac->err || r->ac->c.err || r->ac->replies.tail == last) {
        give_up(r);
        return STATUS_CACHE_AWAY;
    }
    ring_push(r, fn, ctx);
    return STATUS_OK;
}

static bool may_send(struct rds *r)
{
    return r->ac && !*r->why && ring_room(r);
}

static enum status send_args(struct rds *r, rds_fn fn, void *ctx, int argc, const char *const *argv,
                             const size_t *lens)
{
    const char *args[MAX_ARGS];
    size_t lengths[MAX_ARGS];
    if (argc > MAX_ARGS || !may_send(r))
        return STATUS_CACHE_AWAY;
    const redisCallback *last = r->ac->replies.tail;
    for (int i = 0; i < argc; i++) {
        args[i] = argv[i];
        lengths[i] = lens ? lens[i] : strlen(argv[i]);
    }
    int st = redisAsyncCommandArgv(r->ac, on_reply, NULL, argc, args, lengths);
    return sent(r, last, st, fn, ctx);
}

enum status rds_command(struct rds *r, rds_fn fn, void *ctx, int argc, const char *const *argv,
                        const size_t *lens)
{
    return r->state == READY ? send_args(r, fn, ctx, argc, argv, lens) : STATUS_CACHE_AWAY;
}

enum status rds_formatted(struct rds *r, rds_fn fn, void *ctx, const char *cmd, size_t len)
{
    if (r->state != READY || !may_send(r))
        return STATUS_CACHE_AWAY;
    const redisCallback *last = r->ac->replies.tail;
    return sent(r, last, redisAsyncFormattedCommand(r->ac, on_reply, NULL, cmd, len), fn, ctx);
}

/* hiredis 0.14 needs some to free a context, and aborts without it. */
static bool memory_is_there(void)
{
    void *volatile some = malloc(64); /* volatile: the two calls are not left out */
    free(some);
    return some != NULL;
}

void rds_flush(struct rds *r)
{
    if (*r->why && memory_is_there())
        end(r);
    if (!r->dirty || !r->ac || *r->why || r->state == CONNECTING)
        return;
    redisAsyncHandleWrite(r->ac);
    if (r->ac && r->dirty) /* the socket is full: go on when it drains */
        ev_modify(r->ev, &r->io, r->io.events | EPOLLOUT);
}

/* ---- public ---- */

struct rds *rds_new(struct ev *ev, const struct rds_options *o)
{
    struct rds *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->ev = ev;
    r->o = *o;
    r->io = (struct ev_io){.fd = -1, .ready = on_io};
    r->backoff.seed = (uint64_t)(uintptr_t)r ^ (uint64_t)ev_clock_us();
    set_state(r, WAITING);
    return r;
}

void rds_free(struct rds *r)
{
    if (!r)
        return;
    r->closing = true;
    if (r->query)
        dns_cancel(r->query);
    rds_reset(r, "stopping");
    free(r->ring);
    free(r);
}

/* Resolving has no limit here: the resolver has its own, and asking anew would begin from the
 * start. */
static bool connecting(const struct rds *r)
{
    return r->state == CONNECTING || r->state == GREETING;
}

void rds_tick(struct rds *r, int64_t now_ms)
{
    if (r->state == WAITING && now_ms >= r->backoff.next_ms) {
        start(r);
    } else if (connecting(r) && now_ms - r->state_since_ms > r->o.connect_timeout_ms) {
        rds_reset(r, "no connection within the time-out");
    } else if (r->state == READY && r->ring_n &&
               now_ms - r->ring[r->ring_head].sent_ms > r->o.stall_ms) {
        r->stalled = true;
        rds_reset(r, "no answer within the deadline");
    } else if (r->state == READY && !r->ring_n && now_ms - r->last_sent_ms > PING_EVERY_MS) {
        rds_formatted(r, NULL, NULL, "*1\r\n$4\r\nPING\r\n", 14);
    }
    rds_flush(r);
}

bool rds_ready(const struct rds *r)
{
    return r->state == READY;
}

const char *rds_why(const struct rds *r)
{
    return r->last;
}

int64_t rds_since_ms(const struct rds *r)
{
    return r->state_since_ms;
}

unsigned rds_in_flight(const struct rds *r)
{
    return r->ring_n;
}
