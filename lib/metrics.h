/* metrics: counters and histograms that one thread owns and another may read, and their exposition
 * in Prometheus text format 0.0.4. A struct of them stands in each loop; /metrics sums. */
#ifndef ALICERCE_METRICS_H
#define ALICERCE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "buf.h"

/* Written by one thread only, so a relaxed load and store do: no lock prefix on the hot path. */
typedef _Atomic uint64_t metric;

static inline void metric_add(metric *m, uint64_t n)
{
    atomic_store_explicit(m, atomic_load_explicit(m, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
static inline uint64_t metric_get(const metric *m)
{
    return atomic_load_explicit(m, memory_order_relaxed);
}

enum { METRIC_BUCKETS = 16 };

/* Powers of two of microseconds: bucket i counts what took <= 2^(i+6) us (64 us … 2.1 s), the last
 * one everything. */
struct metric_histogram {
    metric bucket[METRIC_BUCKETS + 1];
    metric sum_us;
};
void metric_observe_us(struct metric_histogram *h, uint64_t us);

enum { METRIC_SIZES = 12 };

/* Powers of two: bucket i counts what was <= 2^i (1 … 2048), the last one everything. */
struct metric_sizes {
    metric bucket[METRIC_SIZES + 1];
    metric sum;
};
void metric_observe_size(struct metric_sizes *h, uint64_t size);

/* Writers of the text format. type is "counter", "gauge" or "histogram". */
void metrics_head(struct buf *b, const char *name, const char *type, const char *help);
/* labels: `rota="posts",codigo="200"` or NULL. */
void metrics_value(struct buf *b, const char *name, const char *labels, uint64_t value);
/* Sums `n` histograms into one series with _bucket, _sum (seconds) and _count. */
void metrics_histogram(struct buf *b, const char *name, const char *labels,
                       const struct metric_histogram *const *parts, unsigned n);
void metrics_sizes(struct buf *b, const char *name, const struct metric_sizes *h);

#endif
