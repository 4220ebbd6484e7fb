/* samples: owns the pace, what was counted when it was last told, and the sum that waits for the
 * state of the queue. */
#include "samples.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ev.h"
#include "jsonput.h"
#include "loop.h"
#include "queue.h"
#include "store_ao_vivo.h"

enum {
    REPORT_CAP = 1024,
    SAMPLE_CAP = 1024,
    NUMBER_MAX = 20,      /* digits */
    FIRST_BOUND_LOG2 = 6, /* of the histogram's, in us */
    MS_MAX = 60000        /* a longer interval is none that was meant */
};

struct samples {
    struct amostra_report report;
    struct queue_state queue;
    struct loop *loop;
    bool busy; /* one step is out */
    int64_t next_ms, told_ms;
    struct sample_counts told; /* totals, when they were last told */
    struct sample_sum sum;
    char instance[33];
};

/* ---- the text of a report: numbers with a space between them ---- */

void sample_write(struct buf *b, const struct sample_counts *c)
{
    buf_printf(b, "%" PRIu64 " %" PRIu64 " %" PRIu64, c->ms, c->requests, c->errors);
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
        buf_printf(b, " %" PRIu64, c->bucket[i]);
}

static bool read_number(const char **at, const char *end, uint64_t *ret)
{
    const char *start = *at;
    uint64_t value = 0;
    while (*at < end && **at >= '0' && **at <= '9' && *at - start < NUMBER_MAX - 1)
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    *ret = value;
    bool ends = *at == end || **at == ' ';
    bool any = *at > start;
    *at += *at < end;
    return any && ends;
}

bool sample_add(struct sample_sum *sum, const char *text, size_t len)
{
    struct sample_counts c;
    const char *at = text, *end = text + len;
    bool ok = read_number(&at, end, &c.ms) && read_number(&at, end, &c.requests) &&
              read_number(&at, end, &c.errors);
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
        ok = ok && read_number(&at, end, &c.bucket[i]);
    if (!ok || at < end || c.ms == 0 || c.ms > MS_MAX)
        return false;
    sum->instances++;
    sum->requests_s += (double)c.requests * 1000 / (double)c.ms;
    sum->errors_s += (double)c.errors * 1000 / (double)c.ms;
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
        sum->bucket[i] += c.bucket[i];
    return true;
}

static double bound_ms(unsigned bucket)
{
    return (double)(UINT64_C(1) << (bucket + FIRST_BOUND_LOG2)) / 1000;
}

double sample_quantile_ms(const struct sample_sum *sum, double q)
{
    double total = 0, below = 0;
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
        total += (double)sum->bucket[i];
    if (total <= 0)
        return -1;
    for (unsigned i = 0; i < METRIC_BUCKETS; i++) {
        double here = (double)sum->bucket[i], low = i > 0 ? bound_ms(i - 1) : 0;
        if (here > 0 && below + here >= q * total)
            return low + (bound_ms(i) - low) * (q * total - below) / here;
        below += here;
    }
    return bound_ms(METRIC_BUCKETS - 1);
}

/* ---- the sample ---- */

static void put_quantile(struct buf *b, const char *name, double ms)
{
    if (ms < 0)
        buf_printf(b, ",\"%s\":null", name);
    else
        buf_printf(b, ",\"%s\":%.3f", name, ms);
}

static void put_queue(struct buf *b, const struct queue_state *q, bool known)
{
    if (!known) {
        buf_lit(b, ",\"fila\":null,\"workers\":0}");
        return;
    }
    buf_printf(b, ",\"fila\":{\"comprimento\":%lld,\"mais_antiga_s\":", (long long)q->length);
    if (q->oldest_us > 0)
        buf_int(b, queue_oldest_age_s(q));
    else
        buf_lit(b, "null");
    buf_printf(b, ",\"em_maos\":%lld},\"workers\":%lld}", (long long)q->in_hand,
               (long long)q->consumers);
}

static void on_queue(struct queue_state *q, enum status st)
{
    struct samples *s = (struct samples *)(void *)((char *)q - offsetof(struct samples, queue));
    struct buf b = buf_init(SAMPLE_CAP);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    s->busy = false;
    buf_lit(&b, "{\"em\":");
    jsonput_time(&b, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    buf_printf(&b, ",\"instancias\":%u,\"requisicoes_s\":%.2f,\"erros_s\":%.2f", s->sum.instances,
               s->sum.requests_s, s->sum.errors_s);
    put_quantile(&b, "p50_ms", sample_quantile_ms(&s->sum, 0.50));
    put_quantile(&b, "p99_ms", sample_quantile_ms(&s->sum, 0.99));
    put_queue(&b, q, st == STATUS_OK);
    if (!buf_failed(&b))
        store_amostra_add(s->loop->rds, b.data, b.len);
    buf_release(&b);
}

static void on_report(struct amostra_report *t, enum status st, const char *const *texts,
                      const size_t *lens, size_t n)
{
    struct samples *s = (struct samples *)(void *)t;
    s->sum = (struct sample_sum){0};
    for (size_t i = 0; st == STATUS_OK && i < n; i++)
        sample_add(&s->sum, texts[i], lens[i]);
    s->busy = s->sum.instances > 0 && queue_inspect(s->loop->rds, &s->queue) == STATUS_OK;
}

/* ---- the report ---- */

static void add_loop(struct sample_counts *c, const struct loop_metrics *m)
{
    for (unsigned i = 1; i < 6; i++)
        c->requests += metric_get(&m->requests[i]);
    c->errors += metric_get(&m->requests[5]);
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
        c->bucket[i] += metric_get(&m->latency.bucket[i]);
}

static struct sample_counts totals(const struct app *app)
{
    struct sample_counts c = {0};
    for (unsigned i = 0; i < app->n_loops; i++)
        add_loop(&c, &app->loops[i]->metrics);
    return c;
}

/* What was counted while Redis was away is told in no report: a sample is of its own time. */
static void report(struct samples *s, int64_t now_ms)
{
    struct sample_counts now = totals(s->loop->app), since = now;
    struct buf b = buf_init(REPORT_CAP);
    since.ms = (uint64_t)(now_ms - s->told_ms);
    since.requests -= s->told.requests;
    since.errors -= s->told.errors;
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
        since.bucket[i] -= s->told.bucket[i];
    s->told = now;
    s->told_ms = now_ms;
    sample_write(&b, &since);
    if (!buf_failed(&b))
        s->busy =
            store_amostra_report(s->loop->rds, s->instance, b.data, b.len, &s->report) == STATUS_OK;
    buf_release(&b);
}

void samples_tick(struct samples *s, int64_t now_ms)
{
    if (!s || now_ms < s->next_ms)
        return;
    bool first = s->next_ms == 0, behind = now_ms - s->next_ms >= AMOSTRAS_EVERY_MS;
    s->next_ms = (first || behind ? now_ms : s->next_ms) + AMOSTRAS_EVERY_MS;
    if (first) {
        s->told = totals(s->loop->app);
        s->told_ms = now_ms;
    } else if (!s->busy) {
        report(s, now_ms);
    }
}

struct samples *samples_new(struct loop *loop)
{
    struct samples *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->loop = loop;
    s->report.done = on_report;
    s->queue.done = on_queue;
    snprintf(s->instance, sizeof s->instance, "%016" PRIx64 "%016" PRIx64, loop->id_seed[0],
             loop->id_seed[1]);
    return s;
}

void samples_free(struct samples *s)
{
    free(s);
}
