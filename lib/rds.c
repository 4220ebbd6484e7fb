/* rds: owns one redisAsyncContext, its life (waiting, resolving, connecting, greeting, ready) and
 * the ring of what is in flight. Replies come in the order of the commands, so the head of the ring
 * is whose turn it is; hiredis gets the same callback for all of them.
 *
 * hiredis 0.14 to 1.3: a failed connect calls on_connect alone and frees the context; a disconnect
 * runs every callback with NULL. */
#include "rds.h"

#include <hiredis/async.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "backoff.h"
#include "dns.h"
#include "ev.h"
#include "log.h"

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

void rds_reset(struct rds *r, const char *why)
{
    redisAsyncContext *ac = r->ac;
    if (!ac)
        return;
    snprintf(r->why, sizeof r->why, "%s", why);
    lost(r, r->why); /* first: callbacks that hiredis runs while freeing find an empty ring */
    redisAsyncFree(ac);
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

static bool find_policy(const char *info, size_t len, char *policy, size_t size)
{
    static const char key[] = "maxmemory_policy:";
    const char *p = memmem(info, len, key, sizeof key - 1);
    if (!p)
        return false;
    p += sizeof key - 1;
    size_t n = 0;
    while (p + n < info + len && p[n] != '\r' && p[n] != '\n' && n < size - 1)
        n++;
    memcpy(policy, p, n);
    policy[n] = 0;
    return true;
}

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
    char policy[32];
    if (st != STATUS_OK)
        return;
    if (reply->type == REDIS_REPLY_ERROR)
        on_greeting(ctx, st, reply);
    else if (reply->str && find_policy(reply->str, reply->len, policy, sizeof policy) &&
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

static void greet(struct rds *r)
{
    set_state(r, GREETING);
    const char *auth[] = {"AUTH", r->o.user ? r->o.user : r->o.password, r->o.password};
    if (r->o.password)
        send_args(r, on_greeting, r, r->o.user ? 3 : 2, auth, NULL);
    char db[12];
    snprintf(db, sizeof db, "%d", r->o.db);
    if (r->o.db)
        send_args(r, on_greeting, r, 2, (const char *[]){"SELECT", db}, NULL);
    if (r->o.client_name)
        send_args(r, NULL, NULL, 3, (const char *[]){"CLIENT", "SETNAME", r->o.client_name}, NULL);
    send_args(r, on_info, r, 2, (const char *[]){"INFO", "memory"}, NULL);
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

static enum status send_args(struct rds *r, rds_fn fn, void *ctx, int argc, const char *const *argv,
                             const size_t *lens)
{
    const char *args[MAX_ARGS];
    size_t lengths[MAX_ARGS];
    if (!r->ac || argc > MAX_ARGS || !ring_room(r))
        return STATUS_CACHE_AWAY;
    for (int i = 0; i < argc; i++) {
        args[i] = argv[i];
        lengths[i] = lens ? lens[i] : strlen(argv[i]);
    }
    if (redisAsyncCommandArgv(r->ac, on_reply, NULL, argc, args, lengths) != REDIS_OK)
        return STATUS_CACHE_AWAY;
    ring_push(r, fn, ctx);
    return STATUS_OK;
}

enum status rds_command(struct rds *r, rds_fn fn, void *ctx, int argc, const char *const *argv,
                        const size_t *lens)
{
    return r->state == READY ? send_args(r, fn, ctx, argc, argv, lens) : STATUS_CACHE_AWAY;
}

enum status rds_formatted(struct rds *r, rds_fn fn, void *ctx, const char *cmd, size_t len)
{
    if (r->state != READY || !ring_room(r) ||
        redisAsyncFormattedCommand(r->ac, on_reply, NULL, cmd, len) != REDIS_OK)
        return STATUS_CACHE_AWAY;
    ring_push(r, fn, ctx);
    return STATUS_OK;
}

void rds_flush(struct rds *r)
{
    if (!r->dirty || !r->ac || r->state == CONNECTING)
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

/* ---- the check at start ---- */

static redisReply *ask(redisContext *c, int argc, const char **argv)
{
    redisReply *reply = redisCommandArgv(c, argc, argv, NULL);
    if (reply && reply->type == REDIS_REPLY_ERROR) {
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

static bool log_in(redisContext *c, const struct rds_options *o)
{
    if (!o->password)
        return true;
    const char *argv[] = {"AUTH", o->user ? o->user : o->password, o->password};
    redisReply *reply = ask(c, o->user ? 3 : 2, argv);
    if (reply)
        freeReplyObject(reply);
    return reply != NULL;
}

enum status rds_check_policy(const struct rds_options *o, int timeout_ms, char *ret_policy)
{
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    redisContext *c = *o->host == '/' ? redisConnectUnixWithTimeout(o->host, limit)
                                      : redisConnectWithTimeout(o->host, o->port, limit);
    redisReply *info = NULL;
    char policy[32];
    enum status st = STATUS_CACHE_AWAY;
    if (c && !c->err && redisSetTimeout(c, limit) == REDIS_OK && log_in(c, o))
        info = ask(c, 2, (const char *[]){"INFO", "memory"});
    if (info && info->str) {
        bool found = find_policy(info->str, info->len, policy, sizeof policy);
        st = found && strcmp(policy, "noeviction") != 0 ? STATUS_NOT_CONFIGURED : STATUS_OK;
        if (st == STATUS_NOT_CONFIGURED)
            strcpy(ret_policy, policy);
    }
    if (info)
        freeReplyObject(info);
    if (c)
        redisFree(c);
    return st;
}
