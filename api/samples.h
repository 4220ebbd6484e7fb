/* samples: every AMOSTRAS_EVERY_MS each API process tells Redis what it has counted since the last
 * time; one of them, whoever's turn it is, joins all that was told into a sample, adds the state of
 * the queue, and keeps it for an hour (store_ao_vivo.h). On the first loop of a process. */
#ifndef ALICERCE_SAMPLES_H
#define ALICERCE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "metrics.h"

struct loop;
struct samples;

struct samples *samples_new(struct loop *loop); /* NULL without memory */
/* After the connection to Redis: its last answers still reach it. NULL is fine. */
void samples_free(struct samples *s);
void samples_tick(struct samples *s, int64_t now_ms);

/* ---- pure ---- */

/* What one process counted in so many ms. */
struct sample_counts {
    uint64_t ms, requests, errors;
    uint64_t bucket[METRIC_BUCKETS + 1];
};
/* Several of them. */
struct sample_sum {
    unsigned instances;
    double requests_s, errors_s;
    uint64_t bucket[METRIC_BUCKETS + 1];
};

void sample_write(struct buf *b, const struct sample_counts *c);
/* Adds what sample_write wrote; false for anything else. */
bool sample_add(struct sample_sum *sum, const char *text, size_t len);
/* Below which the part q of the answers lies, linear within a bucket; at most the highest bound; a
 * negative number when there were none. */
double sample_quantile_ms(const struct sample_sum *sum, double q);

#endif
