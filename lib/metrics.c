/* metrics: owns the bounds of the histograms and the text format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats). */
#include "metrics.h"

#include <inttypes.h>

enum { FIRST_BOUND_LOG2 = 6 }; /* 64 us */

/* The bits of us - 1 are the power of two that us just fits below. */
static unsigned bucket_of(uint64_t us)
{
    if (us <= UINT64_C(1) << FIRST_BOUND_LOG2)
        return 0;
    unsigned bits = 64 - (unsigned)__builtin_clzll(us - 1);
    return bits - FIRST_BOUND_LOG2 < METRIC_BUCKETS ? bits - FIRST_BOUND_LOG2 : METRIC_BUCKETS;
}

void metric_observe_us(struct metric_histogram *h, uint64_t us)
{
    metric_add(&h->bucket[bucket_of(us)], 1);
    metric_add(&h->sum_us, us);
}

void metric_observe_size(struct metric_sizes *h, uint64_t size)
{
    unsigned i = size <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(size - 1);
    metric_add(&h->bucket[i < METRIC_SIZES ? i : METRIC_SIZES], 1);
    metric_add(&h->sum, size);
}

/* HELP takes two escapes: a backslash and a line feed. */
static void put_help(struct buf *b, const char *help)
{
    for (; *help; help++) {
        if (*help == '\\')
            buf_lit(b, "\\\\");
        else if (*help == '\n')
            buf_lit(b, "\\n");
        else
            buf_char(b, *help);
    }
}

void metrics_head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s ", name);
    put_help(b, help);
    buf_printf(b, "\n# TYPE %s %s\n", name, type);
}

void metrics_value(struct buf *b, const char *name, const char *labels, uint64_t value)
{
    buf_str(b, name);
    if (labels)
        buf_printf(b, "{%s}", labels);
    buf_printf(b, " %" PRIu64 "\n", value);
}

/* Microseconds as seconds, exactly: no rounding of a double. */
static void put_seconds(struct buf *b, uint64_t us)
{
    buf_printf(b, "%" PRIu64 ".%06u", us / 1000000, (unsigned)(us % 1000000));
}

static void put_bucket(struct buf *b, const char *name, const char *labels, unsigned i,
                       uint64_t count)
{
    buf_printf(b, "%s_bucket{%s%sle=\"", name, labels ? labels : "", labels ? "," : "");
    if (i < METRIC_BUCKETS)
        put_seconds(b, UINT64_C(1) << (i + FIRST_BOUND_LOG2));
    else
        buf_lit(b, "+Inf");
    buf_printf(b, "\"} %" PRIu64 "\n", count);
}

static void put_sum(struct buf *b, const char *name, const char *labels, uint64_t us)
{
    buf_printf(b, "%s_sum%s%s%s ", name, labels ? "{" : "", labels ? labels : "",
               labels ? "}" : "");
    put_seconds(b, us);
    buf_char(b, '\n');
}

/* _count is the last bucket, not a number of its own: the writer may be between two stores. */
void metrics_histogram(struct buf *b, const char *name, const char *labels,
                       const struct metric_histogram *const *parts, unsigned n)
{
    uint64_t count = 0, sum_us = 0;
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++) {
        for (unsigned p = 0; p < n; p++)
            count += metric_get(&parts[p]->bucket[i]);
        put_bucket(b, name, labels, i, count);
    }
    for (unsigned p = 0; p < n; p++)
        sum_us += metric_get(&parts[p]->sum_us);
    put_sum(b, name, labels, sum_us);
    buf_str(b, name);
    metrics_value(b, "_count", labels, count);
}

void metrics_sizes(struct buf *b, const char *name, const struct metric_sizes *h)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < METRIC_SIZES; i++) {
        count += metric_get(&h->bucket[i]);
        buf_printf(b, "%s_bucket{le=\"%u\"} %" PRIu64 "\n", name, 1U << i, count);
    }
    count += metric_get(&h->bucket[METRIC_SIZES]);
    buf_printf(b, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
    buf_printf(b, "%s_sum %" PRIu64 "\n%s_count %" PRIu64 "\n", name, metric_get(&h->sum), name,
               count);
}
