/* h_metrics: the exposition of all loops' counters, summed (Prometheus text format 0.0.4). */
#include "handlers.h"

#include <stddef.h>
#include <stdio.h>

#include "loop.h"
#include "reply.h"

enum { EXPOSITION_CAP = 256 * 1024 };

/* One row per simple counter of struct loop_metrics. */
static const struct {
    const char *name, *type, *help;
    size_t offset;
} rows[] = {
#define COUNTER(field, name, help)                                                                 \
    {                                                                                              \
        "alicerce_" name, "counter", help, offsetof(struct loop_metrics, field)                    \
    }
#define GAUGE(field, name, help)                                                                   \
    {                                                                                              \
        "alicerce_" name, "gauge", help, offsetof(struct loop_metrics, field)                      \
    }
    COUNTER(overloaded, "http_overloaded_total", "Requests refused because too many were waiting."),
    COUNTER(deadlines, "http_deadlines_total", "Requests answered 503 at their deadline."),
    COUNTER(refused, "http_refused_total", "Requests refused for malformed headers."),
    COUNTER(cache_hits, "posts_cache_hits_total", "Reads of the cached page that found it."),
    COUNTER(cache_misses, "posts_cache_misses_total", "Reads of the cached page that did not."),
    COUNTER(deliveries_queued, "deliveries_queued_total", "Deliveries taken into the stream."),
    COUNTER(deliveries_direct, "deliveries_direct_total",
            "Deliveries taken straight into entregas."),
    COUNTER(deliveries_refused, "deliveries_refused_total", "Deliveries that nothing could hold."),
    COUNTER(sign_ins_slowed, "sign_ins_slowed_total", "Sign-ins answered 429."),
    COUNTER(bad_signatures, "deliveries_bad_signature_total",
            "Deliveries without a valid signature."),
    COUNTER(rds_lost, "redis_lost_total", "Connections to Redis lost or not made."),
    GAUGE(parked, "http_parked", "Requests that wait for a server."),
    GAUGE(connections, "http_connections", "Open client connections."),
#undef COUNTER
#undef GAUGE
};

static uint64_t sum(const struct app *app, size_t offset)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < app->n_loops; i++)
        total += metric_get(
            (const metric *)(const void *)((const char *)&app->loops[i]->metrics + offset));
    return total;
}

static void put_requests(struct buf *b, const struct app *app)
{
    static const char *const classes[] = {"sem_resposta", "1xx", "2xx", "3xx", "4xx", "5xx"};
    char label[32];
    metrics_head(b, "alicerce_http_requests_total", "counter", "Requests by class of the answer.");
    for (unsigned i = 0; i < 6; i++) {
        snprintf(label, sizeof label, "classe=\"%s\"", classes[i]);
        metrics_value(b, "alicerce_http_requests_total", label,
                      sum(app, offsetof(struct loop_metrics, requests) + i * sizeof(metric)));
    }
}

static void put_batches(struct buf *b, const struct app *app, const char *name, const char *help,
                        size_t offset)
{
    char label[32];
    metrics_head(b, name, "counter", help);
    for (unsigned i = 0; i < BATCH_KINDS; i++) {
        snprintf(label, sizeof label, "tipo=\"%s\"", batch_name((enum batch_kind)i));
        metrics_value(b, name, label, sum(app, offset + i * sizeof(metric)));
    }
}

static void put_latency(struct buf *b, const struct app *app)
{
    const struct metric_histogram *parts[64]; /* THREADS is at most 64 */
    for (unsigned i = 0; i < app->n_loops; i++)
        parts[i] = &app->loops[i]->metrics.latency;
    metrics_head(b, "alicerce_http_duration_seconds", "histogram",
                 "From the request line to the answer's start.");
    metrics_histogram(b, "alicerce_http_duration_seconds", NULL, parts, app->n_loops);
}

enum status h_metrics(struct request *r)
{
    const struct app *app = r->loop->app;
    struct buf b = buf_init(EXPOSITION_CAP);
    put_requests(&b, app);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        metrics_head(&b, rows[i].name, rows[i].type, rows[i].help);
        metrics_value(&b, rows[i].name, NULL, sum(app, rows[i].offset));
    }
    put_batches(&b, app, "alicerce_batches_total", "Flights by kind.",
                offsetof(struct loop_metrics, batches));
    put_batches(&b, app, "alicerce_batched_requests_total", "Requests in flights, by kind.",
                offsetof(struct loop_metrics, batched));
    put_latency(&b, app);
    enum status st = reply_buf(r, STATUS_OK, "text/plain; version=0.0.4; charset=utf-8", &b);
    buf_release(&b);
    return st;
}
