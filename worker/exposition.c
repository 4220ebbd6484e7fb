/* exposition: owns the daemon, the numbers that were last asked for, and the text format.
 *
 * /health is 200 while both servers were reached lately: that the loop turns is shown by the answer
 * itself. A pause is no fault. */
#include "exposition.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "counters.h"
#include "ev.h"
#include "pg.h"
#include "port.h"
#include "queue.h"
#include "rds.h"
#include "status.h"
#include "store.h"
#include "store_fila.h"

enum {
    REFRESH_MS = 5000, /* of what the servers have to be asked for */
    LATELY_MS = 10000, /* a server that was not reached for so long makes /health 503 */
    CONNECTIONS = 16,
    CONNECTION_S = 5,
    POOL_SIZE = 4096,
    TEXT_CAP = 64 * 1024,
    RUN_MAX = 8, /* passes in a row: a connection that has more waits for the next one */
    ASK_S = 4
};

struct exposition {
    struct ev_io io; /* the daemon's epoll */
    struct exposition_options o;
    struct MHD_Daemon *daemon;
    struct queue_state queue;
    struct fila_state fila;
    bool queue_out, fila_out, queue_known, fila_known;
    bool poked, resting;
    int64_t refresh_ms; /* not before */
    int64_t pg_seen_ms, rds_seen_ms;
};

/* ---- the numbers ---- */

static void on_queue(struct queue_state *s, enum status st)
{
    struct exposition *x =
        (struct exposition *)(void *)((char *)s - offsetof(struct exposition, queue));
    x->queue_out = false;
    x->queue_known = st == STATUS_OK;
}

static void on_fila(struct fila_state *s, enum status st)
{
    struct exposition *x =
        (struct exposition *)(void *)((char *)s - offsetof(struct exposition, fila));
    x->fila_out = false;
    x->fila_known = st == STATUS_OK;
}

static void refresh(struct exposition *x)
{
    int64_t now = ev_now_ms(x->o.ev);
    if (pg_ready(x->o.batches))
        x->pg_seen_ms = now;
    if (rds_ready(x->o.rds))
        x->rds_seen_ms = now;
    if (now < x->refresh_ms)
        return;
    x->refresh_ms = now + REFRESH_MS;
    if (!x->queue_out)
        x->queue_out = queue_inspect(x->o.rds, &x->queue) == STATUS_OK;
    if (!x->fila_out)
        x->fila_out = store_fila_inspect(x->o.pg, &x->fila) == STATUS_OK;
    x->queue_known = x->queue_known && x->queue_out;
    x->fila_known = x->fila_known && x->fila_out;
}

/* ---- /metrics ---- */

static const struct {
    const char *name, *help;
    size_t offset;
} rows[] = {
#define COUNTER(field, name, help)                                                                 \
    {                                                                                              \
        "alicerce_worker_" name, help, offsetof(struct worker_counters, field)                     \
    }
    COUNTER(claimed, "claimed_total", "Entries of the stream taken in hand for the first time."),
    COUNTER(taken_over, "taken_over_total", "Entries that were idle in some worker's hand."),
    COUNTER(direct, "direct_total",
            "Rows of entregas taken in hand: direct ones, retries, replays."),
    COUNTER(stored, "stored_total", "Deliveries committed as processed."),
    COUNTER(dead, "dead_total", "Deliveries committed as dead letters."),
    COUNTER(postponed, "postponed_total", "Deliveries put aside until their next attempt."),
    COUNTER(eventos, "events_total",
            "Rows offered to eventos, with those that were there already."),
    COUNTER(leads, "leads_total", "Rows offered to leads, with those that were there already."),
    COUNTER(acked, "acknowledged_total", "Entries acknowledged and deleted."),
    COUNTER(batches, "batches_total", "Transactions committed."),
    COUNTER(batches_split, "batches_split_total", "Batches refused and halved."),
    COUNTER(retries, "batch_retries_total",
            "Batches sent again after a lost connection or a time-out."),
    COUNTER(given_up, "left_total", "Deliveries that could not be stored even as dead letters."),
    COUNTER(groups_made, "groups_made_total",
            "Times that the consumer group was missing and made."),
    COUNTER(graph_ok, "graph_ok_total", "Leads filled in from the Graph API."),
    COUNTER(graph_limited, "graph_limited_total", "Graph calls that a rate limit refused."),
    COUNTER(graph_retry, "graph_retry_total", "Leads whose look-up waits for another attempt."),
    COUNTER(graph_failed, "graph_failed_total", "Leads whose look-up was given up."),
    COUNTER(graph_token, "graph_token_total", "Graph calls refused for the token or its rights."),
#undef COUNTER
};

static void put_gauge(struct buf *b, const char *name, const char *help, int64_t value)
{
    metrics_head(b, name, "gauge", help);
    metrics_value(b, name, NULL, value > 0 ? (uint64_t)value : 0);
}

/* A number that is not known is left out: a zero would say that all is well. */
static void put_gauges(struct buf *b, const struct exposition *x)
{
    if (x->queue_known) {
        put_gauge(b, "alicerce_queue_length", "Entries in the stream.", x->queue.length);
        put_gauge(b, "alicerce_queue_oldest_age_seconds", "Age of the oldest entry in the stream.",
                  queue_oldest_age_s(&x->queue));
        put_gauge(b, "alicerce_queue_in_hand", "Entries in workers' hands.", x->queue.in_hand);
        put_gauge(b, "alicerce_queue_memory_bytes",
                  "Redis memory that the stream takes, estimated.", x->queue.memory);
        put_gauge(b, "alicerce_workers_alive", "Workers heard of in the last seconds.",
                  x->queue.consumers);
    }
    if (x->fila_known) {
        put_gauge(b, "alicerce_deliveries_retry_waiting",
                  "Deliveries that wait for their next attempt; counted up to 10001.",
                  x->fila.retries);
        put_gauge(b, "alicerce_deliveries_direct_waiting",
                  "Rows of entregas not tried yet; counted up to 10001.", x->fila.direct);
        put_gauge(b, "alicerce_deliveries_dead", "Dead letters; counted up to 10001.",
                  x->fila.dead);
    }
    put_gauge(b, "alicerce_worker_graph_in_flight", "Graph calls under way.",
              (int64_t)metric_get(&x->o.counters->graph_in_flight));
    put_gauge(b, "alicerce_worker_resting", "1 while the queue is paused.", x->resting);
    put_gauge(b, "alicerce_worker_postgresql_up", "1 while PostgreSQL is connected.",
              pg_ready(x->o.batches));
    put_gauge(b, "alicerce_worker_redis_up", "1 while Redis is connected.", rds_ready(x->o.rds));
}

static void put_metrics(struct buf *b, const struct exposition *x)
{
    const struct worker_counters *c = x->o.counters;
    const struct metric_histogram *times[] = {&c->batch_time}, *calls[] = {&c->graph_time};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        metrics_head(b, rows[i].name, "counter", rows[i].help);
        metrics_value(b, rows[i].name, NULL,
                      metric_get((const metric *)(const void *)((const char *)c + rows[i].offset)));
    }
    metrics_head(b, "alicerce_worker_batch_seconds", "histogram",
                 "From a batch's first statement to its commit.");
    metrics_histogram(b, "alicerce_worker_batch_seconds", NULL, times, 1);
    metrics_head(b, "alicerce_worker_batch_deliveries", "histogram",
                 "Deliveries committed by one transaction.");
    metrics_sizes(b, "alicerce_worker_batch_deliveries", &c->batch_size);
    metrics_head(b, "alicerce_worker_graph_seconds", "histogram", "Of a Graph call.");
    metrics_histogram(b, "alicerce_worker_graph_seconds", NULL, calls, 1);
    put_gauges(b, x);
}

/* ---- /health ---- */

static unsigned put_health(struct buf *b, const struct exposition *x)
{
    int64_t now = ev_now_ms(x->o.ev);
    bool pg = now - x->pg_seen_ms < LATELY_MS, rds = now - x->rds_seen_ms < LATELY_MS;
    buf_printf(b, "{\"banco_dados\":\"%s\",\"cache\":\"%s\",\"pausada\":%s,\"status\":\"%s\"}",
               pg ? "conectado" : "desconectado", rds ? "conectado" : "desconectado",
               x->resting ? "true" : "false", pg && rds ? "ok" : "degradado");
    return pg && rds ? 200 : 503;
}

/* ---- HTTP ---- */

static void put_problem(struct buf *b, enum status st)
{
    buf_printf(b, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u}", status_title(st),
               status_http(st));
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *type,
                              struct buf *b)
{
    enum MHD_Result sent = MHD_NO;
    struct MHD_Response *r =
        buf_failed(b) ? NULL
                      : MHD_create_response_from_buffer(b->len, b->data, MHD_RESPMEM_MUST_COPY);
    if (r) {
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        if (code == 405)
            MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
        sent = MHD_queue_response(connection, code, r);
        MHD_destroy_response(r);
    }
    buf_release(b);
    return sent;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **req_cls)
{
    (void)version;
    (void)upload_data;
    (void)upload_data_size;
    (void)req_cls;
    const struct exposition *x = cls;
    struct buf b = buf_init(TEXT_CAP);
    bool health = strcmp(url, "/health") == 0, metrics = strcmp(url, "/metrics") == 0;
    if (!health && !metrics) {
        put_problem(&b, STATUS_NOT_FOUND);
        return answer(connection, 404, "application/problem+json", &b);
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        put_problem(&b, STATUS_METHOD_NOT_ALLOWED);
        return answer(connection, 405, "application/problem+json", &b);
    }
    if (metrics) {
        put_metrics(&b, x);
        return answer(connection, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
    }
    unsigned code = put_health(&b, x);
    return answer(connection, code, "application/json", &b);
}

/* ---- the daemon ---- */

static void on_ready(struct ev_io *io, uint32_t events)
{
    (void)events;
    ((struct exposition *)(void *)io)->poked = true;
}

static void on_log(void *cls, const char *fmt, va_list args)
{
    (void)cls;
    (void)fmt;
    (void)args;
}

static struct MHD_Daemon *start_daemon(struct exposition *x)
{
    struct sockaddr_storage address;
    port_address(x->o.host, x->o.port, &address);
    unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG |
                     (address.ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0);
    return MHD_start_daemon(flags, x->o.port, NULL, NULL, on_request, x, MHD_OPTION_EXTERNAL_LOGGER,
                            on_log, NULL, MHD_OPTION_SOCK_ADDR, &address,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE, MHD_OPTION_END);
}

struct exposition *exposition_new(const struct exposition_options *o)
{
    struct exposition *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->o = *o;
    x->queue.done = on_queue;
    x->fila.done = on_fila;
    x->pg_seen_ms = x->rds_seen_ms = ev_now_ms(o->ev);
    x->io.fd = -1;
    int taken = port_taken(o->host, o->port);
    x->daemon = taken ? NULL : start_daemon(x);
    const union MHD_DaemonInfo *info =
        x->daemon ? MHD_get_daemon_info(x->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    x->io = (struct ev_io){.fd = info ? info->epoll_fd : -1, .events = EPOLLIN, .ready = on_ready};
    if (info && ev_add(o->ev, &x->io))
        return x;
    x->io.fd = -1;
    exposition_free(x);
    errno = taken ? taken : ENOMEM;
    return NULL;
}

void exposition_stop(struct exposition *x)
{
    if (!x || !x->daemon)
        return;
    if (x->io.fd >= 0)
        ev_del(x->o.ev, &x->io);
    MHD_stop_daemon(x->daemon);
    x->daemon = NULL;
}

void exposition_free(struct exposition *x)
{
    exposition_stop(x);
    free(x);
}

void exposition_pump(struct exposition *x, bool resting)
{
    if (!x)
        return;
    x->resting = resting;
    refresh(x);
    for (int i = 0; x->poked && i < RUN_MAX; i++) {
        MHD_UNSIGNED_LONG_LONG wait;
        MHD_run(x->daemon);
        x->poked = MHD_get_timeout(x->daemon, &wait) == MHD_YES && wait == 0;
    }
}

void exposition_tick(struct exposition *x)
{
    if (x)
        x->poked = true;
}

/* ---- asking ---- */

static const char *to_ask(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
}

bool exposition_ask(const char *host, uint16_t port, char *why)
{
    static const char question[] = "GET /health HTTP/1.0\r\n\r\n";
    char head[16] = "";
    struct timeval limit = {.tv_sec = ASK_S};
    struct sockaddr_storage address;
    socklen_t len = port_address(to_ask(host), port, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool came = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
                connect(fd, (struct sockaddr *)&address, len) == 0 &&
                send(fd, question, sizeof question - 1, MSG_NOSIGNAL) > 0 &&
                recv(fd, head, sizeof head - 1, MSG_WAITALL) > 12;
    if (came)
        snprintf(why, 128, "/health answered %.3s", head + 9);
    else
        snprintf(why, 128, "%s", errno == EAGAIN ? "no answer" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return came && strncmp(head + 8, " 200", 4) == 0;
}
