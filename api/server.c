/* server: owns the daemon, the requests' birth and death, and the way of an answer into
 * libmicrohttpd. Invariant: a request is answered in a later call than the first, so that the
 * connection lives on (trap 4); those answered in the first one are closed on purpose. */
#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "ev.h"
#include "headers.h"
#include "log.h"
#include "loop.h"
#include "port.h"
#include "reply.h"
#include "router.h"
#include "stream.h"
#include "text.h"
#include "upload.h"
#include "wire.h"

enum {
    POOL_SIZE = 5120, /* of a connection: headers and the answer's head; cleared per request */
    HEAD_MAX = POOL_SIZE - 1024,   /* leaves room for an answer's head */
    TARGET_MAX = POOL_SIZE - 1536, /* and for the usual headers */
    IDLE_S = 75,                   /* of a connection; above nginx's keepalive_timeout of 60 */
    UPLOAD_S = 30,                 /* for a whole body */
    DRAIN_MAX = 16 << 20,          /* a longer body is not read to its end to be refused */
    PASSES = 2,                    /* of MHD_run after a first call or an answer (trap 3) */
    RUN_MAX = 16,     /* passes in a row, then the servers' answers are looked at again */
    SPARE_MAX = 256,  /* recycled requests */
    FDS_RESERVED = 64 /* for everything that is no client */
};

struct server {
    struct ev_io io; /* the daemon's epoll */
    struct loop *loop;
    struct MHD_Daemon *daemon;
    bool poked;
    int passes;
    struct request *spare; /* by batch_next */
    unsigned n_spare;
    unsigned n_open; /* between on_target and on_completed */
};

/* ---- birth and death ---- */

static struct request *request_new(struct server *s)
{
    struct request *r = s->spare;
    struct buf body = buf_init(BODY_MAX);
    if (r) {
        s->spare = r->batch_next;
        s->n_spare--;
        body = r->body;
    } else {
        r = malloc(sizeof *r);
        if (!r)
            return NULL;
    }
    memset(r, 0, offsetof(struct request, arena));
    r->loop = s->loop;
    r->refs = 1;
    r->body = body;
    r->body.cap = BODY_MAX;
    buf_reset(&r->body);
    arena_init(&r->arena, REQUEST_ARENA_CAP);
    return r;
}

static void drop_stream(struct request *r)
{
    struct stream *stream = r->reply.stream;
    r->reply.stream = NULL;
    if (stream)
        stream_drop(stream);
}

void request_unref(struct request *r)
{
    if (--r->refs)
        return;
    struct server *s = r->loop->server;
    r->loop->body_bytes -= r->body.len;
    r->loop->n_heavy[r->heavy] -= r->heavy != HEAVY_NONE;
    body_unref(r->reply.body);
    arena_reset(&r->arena, 0);
    if (r->body.size > BODY_KEEP)
        buf_release(&r->body);
    if (!s || s->n_spare >= SPARE_MAX) {
        buf_release(&r->body);
        free(r);
        return;
    }
    r->batch_next = s->spare;
    s->spare = r;
    s->n_spare++;
}

static int socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* libmicrohttpd splits the query into nodes of its pool, which a few dozen parameters exhaust, and
 * then it closes without an answer. The router reads our copy, so its own has no use: made one
 * word. */
static void hide_query(char *target)
{
    char *query = strchr(target, '?');
    while (query && (query = strpbrk(query, "&=%+")))
        *query = '.';
}

/* Called with the request line, before anything is decoded. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct server *s = cls;
    size_t len = strlen(target);
    if (len > TARGET_MAX) {
        reply_raw(socket_of(connection), STATUS_URI_TOO_LONG, NULL);
        shutdown(socket_of(connection), SHUT_RDWR);
        return NULL;
    }
    struct request *r = request_new(s);
    if (!r)
        return NULL;
    s->n_open++;
    r->connection = connection;
    r->born_us = ev_now_us(s->loop->ev);
    r->target = arena_copy(&r->arena, target, len);
    r->target_end = target + len;
    hide_query((char *)(uintptr_t)target);
    return r;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                         enum MHD_RequestTerminationCode why)
{
    (void)connection;
    (void)why;
    struct server *s = cls;
    struct request *r = *req_cls;
    if (!r)
        return;
    *req_cls = NULL;
    s->n_open--;
    if (r->state != REQUEST_ANSWERED)
        metric_add(&s->loop->metrics.requests[0], 1);
    if (r->state == REQUEST_PARKED)
        loop_unpark(s->loop, r);
    r->connection = NULL;
    if (r->upload)
        upload_gone(r->upload);
    r->upload = NULL;
    drop_stream(r); /* that never began */
    request_unref(r);
}

/* ---- answering ---- */

void request_answer(struct request *r)
{
    if (r->state == REQUEST_ANSWERED || auth_withholds(r))
        return;
    if (r->state == REQUEST_PARKED)
        loop_unpark(r->loop, r);
    r->state = REQUEST_ANSWERED;
    server_poke(r->loop->server);
}

/* ---- the calls of libmicrohttpd ---- */

static void set_id(struct request *r)
{
    const struct slice *given = &r->headers[HEADER_REQUEST_ID];
    if (given->data && text_token(given->data, given->len, REQUEST_ID_MAX)) {
        memcpy(r->id, given->data, given->len);
        return; /* NUL behind it: the request was cleared */
    }
    uint64_t *seed = r->loop->id_seed;
    uint64_t parts[2] = {seed[0], seed[1]++ * 0x9E3779B97F4A7C15u};
    text_hex((const uint8_t *)parts, sizeof parts, r->id);
}

/* Content-Length, once libmicrohttpd has checked that it is one; 0 when it is not known. */
static int64_t announced(const struct request *r)
{
    const struct slice *length = &r->headers[HEADER_CONTENT_LENGTH];
    int64_t n = 0;
    if (length->data && !text_int(length->data, length->len, 0, INT64_MAX, &n))
        n = 0; /* leading zeros and the like: counted as it comes */
    return n;
}

/* The head is here. Says whether to answer at once and close the connection. ret_size:
 * headers_read. */
static bool on_head(struct request *r, const char *method, const char *version, size_t *ret_size)
{
    const char *why;
    enum status st = headers_read(r, method, version, &why, ret_size);
    set_id(r);
    if (st != STATUS_OK) {
        metric_add(&r->loop->metrics.refused, 1);
        router_path(r);
        reply_problem(r, st, why);
        return true;
    }
    r->refused = router_find(r, method, &r->refused_why);
    r->body.cap = router_body_max(r);
    if (announced(r) > DRAIN_MAX && announced(r) > (int64_t)r->body.cap) {
        reply_problem(r, STATUS_TOO_LARGE, "O corpo passa do limite.");
        return true;
    }
    bool streams = r->route && r->route->body == BODY_STREAM;
    if (streams && announced(r) > (int64_t)r->body.cap) {
        reply_problem(r, STATUS_TOO_LARGE, "O arquivo passa do limite.");
        return true;
    }
    if (streams && r->refused == STATUS_OK)
        r->refused = upload_begin(r);
    return false;
}

/* How long, and how much, a body may come that is kept in memory, or not kept at all. */
static enum status too_much(const struct request *r)
{
    bool late = ev_now_us(r->loop->ev) - r->born_us > UPLOAD_S * 1000000LL;
    if (r->upload && r->refused == STATUS_OK)
        return STATUS_OK; /* it counts its bytes and its silence itself */
    size_t most = r->body.cap > DRAIN_MAX ? r->body.cap : DRAIN_MAX;
    if (!late && r->body_seen <= most)
        return STATUS_OK;
    return r->refused != STATUS_OK ? r->refused /* a file may come for long before it is refused */
           : late                  ? STATUS_REQUEST_TIMEOUT
                                   : STATUS_TOO_LARGE;
}

/* false: the connection is to be closed. A body over its limit is read on, so that the client gets
 * the answer, but not kept. */
static bool on_data(struct request *r, const char *data, size_t len)
{
    struct loop *loop = r->loop;
    r->body_seen += len;
    enum status st = too_much(r);
    if (st != STATUS_OK) { /* the library takes no answer amid a body */
        reply_raw(socket_of(r->connection), st, r->id);
        return false;
    }
    if (r->refused != STATUS_OK)
        return true;
    if (r->upload)
        upload_data(r->upload, data, len);
    else if (r->body_seen > r->body.cap)
        r->refused = STATUS_TOO_LARGE;
    else if (loop->body_bytes + len > BODY_BYTES_MAX)
        r->refused = STATUS_OVERLOADED;
    else {
        buf_add(&r->body, data, len);
        if (buf_failed(&r->body))
            r->refused = STATUS_OVERLOADED;
        else
            loop->body_bytes += len;
    }
    return true;
}

static void on_whole(struct request *r)
{
    r->deadline_ms = ev_now_ms(r->loop->ev) + r->loop->config->request_timeout_ms;
    enum status st = router_dispatch(r);
    if (st != STATUS_PENDING)
        request_answer(r);
}

static enum MHD_Result first_call(struct request *r, const char *method, const char *version)
{
    size_t size;
    bool last = on_head(r, method, version, &size);
    r->loop->server->passes = PASSES;
    if (size > HEAD_MAX) {
        reply_raw(socket_of(r->connection), STATUS_HEADERS_TOO_LARGE, r->id);
        return MHD_NO;
    }
    if (!last)
        return MHD_YES;
    r->state = REQUEST_ANSWERED;
    return answer_send(r, r->connection);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **req_cls)
{
    (void)url;
    struct server *s = cls;
    struct request *r = *req_cls;
    if (!r || !r->target)
        return MHD_NO; /* no memory at the request line */
    if (r->state == REQUEST_PARKED)
        return MHD_YES;
    if (!*r->id)
        return first_call(r, method, version);
    if (*upload_data_size) {
        bool go_on = on_data(r, upload_data, *upload_data_size);
        *upload_data_size = 0;
        s->passes = PASSES;
        return go_on ? MHD_YES : MHD_NO;
    }
    if (r->state == REQUEST_READING)
        on_whole(r);
    if (r->state != REQUEST_ANSWERED)
        return MHD_YES;
    s->passes = PASSES;
    return answer_send(r, connection);
}

/* ---- the daemon ---- */

static void on_ready(struct ev_io *io, uint32_t events)
{
    (void)events;
    ((struct server *)(void *)io)->poked = true;
}

/* It says so before it refuses a request by itself, in HTML: wire replaces the page. */
static bool tells_of_refusal(const char *fmt)
{
    static const char start[] = "Error processing request";
    return strncmp(fmt, start, sizeof start - 1) == 0;
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *fmt, va_list args)
{
    (void)cls;
    if (tells_of_refusal(fmt))
        wire_expect_refusal();
    if (!log_enabled(LOG_DEBUG))
        return;
    char text[256];
    vsnprintf(text, sizeof text, fmt, args);
    log_debug("http", NULL, "%s", text);
}

static unsigned connection_limit(const struct loop *loop)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return 4096;
    rlim_t each =
        (files.rlim_cur > 2 * FDS_RESERVED ? files.rlim_cur - FDS_RESERVED : FDS_RESERVED) /
        loop->app->n_loops;
    return (unsigned)(each > 16384 ? 16384 : each);
}

/* From 1.0 on libmicrohttpd takes a bare LF, folded lines and tabs in the request line unless it is
 * told to be strict; before, headers.c sees them. */
#if MHD_VERSION >= 0x01000000
#define STRICTNESS MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define STRICTNESS MHD_OPTION_STRICT_FOR_CLIENT, 0
#endif

static struct MHD_Daemon *start_daemon(struct server *s)
{
    const struct config *c = s->loop->config;
    struct sockaddr_storage address;
    port_address(c->host, (uint16_t)c->port, &address);
    unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME |
                     (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    return MHD_start_daemon(
        flags, (uint16_t)c->port, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024U, MHD_OPTION_CONNECTION_LIMIT,
        connection_limit(s->loop), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, STRICTNESS, MHD_OPTION_END);
}

struct server *server_new(struct loop *loop)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->loop = loop;
    s->daemon = start_daemon(s);
    const union MHD_DaemonInfo *info =
        s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    s->io = (struct ev_io){.fd = info ? info->epoll_fd : -1, .events = EPOLLIN, .ready = on_ready};
    if (!info || !ev_add(loop->ev, &s->io)) {
        int error = errno;
        server_free(s);
        errno = error;
        return NULL;
    }
    return s;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    if (s->io.fd >= 0 && s->daemon)
        ev_del(s->loop->ev, &s->io);
    if (s->daemon) {
        uploads_resume(s->loop);
        streams_abort(s->loop);
        MHD_stop_daemon(s->daemon);
    }
    for (struct request *r; (r = s->spare);) {
        s->spare = r->batch_next;
        buf_release(&r->body);
        free(r);
    }
    free(s);
}

/* MHD_get_timeout says 0 while it has work, but also while any request is parked (trap 3). So it is
 * obeyed for some passes after a first call, data or an answer, and without end while none is
 * parked; a long head that arrives in pieces among parked requests waits for the next tick at
 * worst. */
void server_run(struct server *s)
{
    s->passes = PASSES;
    for (int i = 0; s->poked && i < RUN_MAX; i++) {
        MHD_UNSIGNED_LONG_LONG wait;
        MHD_run(s->daemon);
        s->poked = --s->passes > 0 || s->loop->n_parked == 0;
        if (s->poked && (MHD_get_timeout(s->daemon, &wait) != MHD_YES || wait > 0))
            s->poked = false;
    }
}

bool server_poked(const struct server *s)
{
    return s->poked;
}

unsigned server_open(const struct server *s)
{
    return s->n_open;
}

void server_poke(struct server *s)
{
    s->poked = true;
}

void server_go_on(struct server *s)
{
    s->passes = PASSES;
}

void server_tick(struct server *s)
{
    s->poked = true;
}

static bool backlog_waits(const struct server *s)
{
    struct pollfd listener = {.fd = server_listen_fd(s), .events = POLLIN};
    return listener.fd >= 0 && poll(&listener, 1, 0) > 0;
}

void server_quiesce(struct server *s)
{
    for (int i = 0; i < 200 && backlog_waits(s); i++) /* ten connections each: twice the backlog */
        MHD_run(s->daemon);
    int fd = MHD_quiesce_daemon(s->daemon);
    if (fd >= 0) /* at once: else the kernel goes on giving it connections */
        close(fd);
}

int server_listen_fd(const struct server *s)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    return info ? info->listen_fd : -1;
}

unsigned server_connections(const struct server *s)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}
