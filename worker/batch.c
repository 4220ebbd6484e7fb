/* batch: owns the memory of its deliveries and the walk of the span over them. */
#include "batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "counters.h"
#include "ev.h"
#include "log.h"
#include "store_evento.h"
#include "store_lead.h"

enum {
    KEEP_ROWS = 4096,             /* row arrays larger than this are given back after the batch */
    FIRST_PAUSE_US = 1000 * 1000, /* before the second attempt; three times as long each time */
    MAX_PAUSE_US = 10 * 60 * 1000000, /* ten minutes */
    STUCK_MAX = 3
};

enum fault { DATA, UNKNOWN, LOCK }; /* what one was refused for */

bool batch_init(struct batch *b, struct worker_counters *counters, unsigned max_attempts)
{
    *b = (struct batch){
        .counters = counters, .max_attempts = max_attempts, .seed = (uint64_t)ev_clock_us()};
    arena_init(&b->arena, BATCH_ARENA);
    b->rows.arena = &b->arena;
    b->entregas = calloc(BATCH_MAX + BATCH_EXTRA, sizeof *b->entregas);
    return b->entregas != NULL;
}

void batch_release(struct batch *b)
{
    arena_reset(&b->arena, BATCH_ARENA);
    job_rows_release(&b->rows);
    free(b->entregas);
    free(b->sorted);
    b->entregas = NULL;
    b->sorted = NULL;
}

void batch_reset(struct batch *b)
{
    arena_reset(&b->arena, BATCH_ARENA);
    if (b->rows.size_eventos > KEEP_ROWS)
        job_rows_release(&b->rows);
    b->rows.n_eventos = b->rows.n_leads = 0;
    b->n = b->bytes = b->from = b->to = 0;
}

/* ---- filling ---- */

bool batch_full(const struct batch *b)
{
    return b->n >= BATCH_MAX || b->bytes >= BATCH_BYTES || b->rows.n_eventos >= BATCH_EVENTOS;
}

bool batch_has(const struct batch *b, struct event_id id)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->entregas[i].event.id.ms == id.ms && b->entregas[i].event.id.seq == id.seq)
            return true;
    return false;
}

static bool copy_text(struct batch *b, struct event_text *text)
{
    if (!text->data)
        return true;
    text->data = arena_copy(&b->arena, text->data, text->len);
    return text->data != NULL;
}

bool batch_add(struct batch *b, const struct new_entrega *given)
{
    if (b->n == BATCH_MAX + BATCH_EXTRA)
        return false;
    struct new_entrega d = *given;
    bool copied = copy_text(b, &d.event.corpo);
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        copied = copied && copy_text(b, &d.event.text[i]);
    enum status st = copied && !d.motivo
                         ? jobs_run(d.event.corpo.data, d.event.corpo.len, &b->rows, &d.motivo)
                         : STATUS_INVALID;
    if (!copied || (st != STATUS_OK && st != STATUS_INVALID))
        return false;
    d.eventos_end = b->rows.n_eventos;
    d.leads_end = b->rows.n_leads;
    b->entregas[b->n++] = d;
    b->bytes += d.event.corpo.len;
    b->to = b->n;
    return true;
}

/* ---- storing ---- */

/* Both workers that hold overlapping keys take them in the same order, and none waits in a circle.
 */
static int compare_text(struct pg_text a, struct pg_text b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_times(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* Of equal keys the newest comes first, and of equal times the one that came first. */
static int compare_eventos(const void *a, const void *b)
{
    const struct new_evento *x = *(const struct new_evento *const *)a;
    const struct new_evento *y = *(const struct new_evento *const *)b;
    int order = compare_text(x->chave, y->chave);
    if (order == 0)
        order = compare_times(y->ocorrido_us, x->ocorrido_us);
    return order != 0 ? order : x < y ? -1 : x > y;
}

static int compare_leads(const void *a, const void *b)
{
    const struct new_lead *x = *(const struct new_lead *const *)a;
    const struct new_lead *y = *(const struct new_lead *const *)b;
    int order = compare_text(x->leadgen_id, y->leadgen_id);
    if (order == 0)
        order = compare_times(y->criado_us, x->criado_us);
    return order != 0 ? order : x < y ? -1 : x > y;
}

static bool sorted_room(struct batch *b, size_t n)
{
    if (n <= b->sorted_size)
        return true;
    const void **more = realloc(b->sorted, n * sizeof *more);
    if (!more)
        return false;
    b->sorted = more;
    b->sorted_size = n;
    return true;
}

/* What failed has no rows: those that a delivery had before it was found out are skipped. */
static size_t collect_eventos(struct batch *b)
{
    size_t n = 0;
    for (size_t i = b->from; i < b->to; i++) {
        size_t start = i > 0 ? b->entregas[i - 1].eventos_end : 0;
        for (size_t j = start; !b->entregas[i].motivo && j < b->entregas[i].eventos_end; j++) {
            b->rows.eventos[j].entrega = &b->entregas[i];
            b->sorted[n++] = &b->rows.eventos[j];
        }
    }
    return n;
}

static size_t collect_leads(struct batch *b)
{
    size_t n = 0;
    for (size_t i = b->from; i < b->to; i++) {
        size_t start = i > 0 ? b->entregas[i - 1].leads_end : 0;
        for (size_t j = start; !b->entregas[i].motivo && j < b->entregas[i].leads_end; j++) {
            b->rows.leads[j].entrega = &b->entregas[i];
            b->sorted[n++] = &b->rows.leads[j];
        }
    }
    return n;
}

/* Sorts, and keeps the newest of equal keys: two of them in one statement would be refused. Its
 * delivery is the first that brought the key, as it would be if they came one by one. */
static size_t sort_eventos(struct batch *b, size_t n)
{
    size_t kept = 0;
    struct new_evento **rows = (struct new_evento **)(void *)b->sorted;
    qsort(b->sorted, n, sizeof *b->sorted, compare_eventos);
    for (size_t i = 0; i < n; i++) {
        struct new_evento *last = kept > 0 ? rows[kept - 1] : NULL;
        if (!last || compare_text(last->chave, rows[i]->chave) != 0)
            rows[kept++] = rows[i];
        else if (rows[i]->entrega < last->entrega)
            last->entrega = rows[i]->entrega;
    }
    return kept;
}

static size_t sort_leads(struct batch *b, size_t n)
{
    size_t kept = 0;
    struct new_lead **rows = (struct new_lead **)(void *)b->sorted;
    qsort(b->sorted, n, sizeof *b->sorted, compare_leads);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || compare_text(rows[kept - 1]->leadgen_id, rows[i]->leadgen_id) != 0)
            rows[kept++] = rows[i];
    return kept;
}

static enum status store_eventos(struct batch *b, struct store_tx *tx, struct pg *pg)
{
    size_t n = collect_eventos(b);
    if (n == 0)
        return STATUS_OK;
    n = sort_eventos(b, n);
    metric_add(&b->counters->eventos, n);
    return store_evento_insert(tx, pg, (const struct new_evento *const *)(const void *)b->sorted,
                               n);
}

static enum status store_leads(struct batch *b, struct store_tx *tx, struct pg *pg)
{
    size_t n = collect_leads(b);
    if (n == 0)
        return STATUS_OK;
    n = sort_leads(b, n);
    metric_add(&b->counters->leads, n);
    return store_lead_insert(tx, pg, (const struct new_lead *const *)(const void *)b->sorted, n);
}

enum status batch_store(struct batch *b, struct store_tx *tx, struct pg *pg)
{
    size_t rows = b->rows.n_eventos > b->rows.n_leads ? b->rows.n_eventos : b->rows.n_leads;
    if (!sorted_room(b, rows))
        return STATUS_OVERLOADED;
    enum status st = store_entrega_finish(tx, pg, b->entregas + b->from, b->to - b->from);
    if (st == STATUS_OK)
        st = store_eventos(b, tx, pg);
    if (st == STATUS_OK)
        st = store_leads(b, tx, pg);
    return st;
}

/* ---- outcomes ---- */

static const char *id_text(const struct new_entrega *d, char room[static EVENT_ID_MAX + 1])
{
    if (d->id)
        snprintf(room, EVENT_ID_MAX + 1, "%" PRId64, d->id);
    else
        room[event_id_format(d->event.id, room)] = '\0';
    return room;
}

static void count_span(struct batch *b)
{
    size_t dead = 0, postponed = 0;
    for (size_t i = b->from; i < b->to; i++) {
        dead += b->entregas[i].motivo && !b->entregas[i].espera_us;
        postponed += b->entregas[i].espera_us > 0;
    }
    metric_add(&b->counters->dead, dead);
    metric_add(&b->counters->postponed, postponed);
    metric_add(&b->counters->stored, b->to - b->from - dead - postponed);
    metric_add(&b->counters->batches, 1);
    metric_observe_size(&b->counters->batch_size, b->to - b->from);
}

/* The next span is twice as long: after one bad delivery the rest is soon stored at once again. */
static enum batch_next span_done(struct batch *b)
{
    size_t len = b->to - b->from;
    count_span(b);
    b->stuck = 0;
    b->from = b->to;
    b->to = 2 * len < b->n - b->from ? b->from + 2 * len : b->n;
    return b->from == b->n ? BATCH_DONE : BATCH_NEXT;
}

static void halve(struct batch *b)
{
    b->to = b->from + (b->to - b->from) / 2;
    metric_add(&b->counters->batches_split, 1);
}

static void set_reason(struct batch *b, struct new_entrega *d, const char *reason)
{
    d->motivo = arena_copy(&b->arena, reason, strlen(reason));
    if (!d->motivo)
        d->motivo = "recusada pelo banco de dados";
}

/* 1 s, 3 s, 9 s … up to ten minutes, each a quarter more or less. */
static int64_t pause_us(struct batch *b, unsigned attempts)
{
    int64_t us = FIRST_PAUSE_US;
    while (attempts-- > 1 && us < MAX_PAUSE_US)
        us *= 3;
    us = us < MAX_PAUSE_US ? us : MAX_PAUSE_US;
    return us * 3 / 4 + (int64_t)(backoff_random(&b->seed) % (uint64_t)(us / 2));
}

/* Alone, and refused. Its data would be again. A lock (of VACUUM FULL, of an ALTER TABLE that waits
 * behind a backup) may be held for hours and says nothing about it: the pauses grow, the last
 * attempt stays. */
static enum batch_next put_aside(struct batch *b, const char *reason, enum fault fault)
{
    struct new_entrega *d = &b->entregas[b->from];
    char id[EVENT_ID_MAX + 1];
    bool last = d->tentativas + 1 >= b->max_attempts;
    bool dead = fault == DATA || (fault == UNKNOWN && last);
    d->tentativas += !last || dead;
    set_reason(b, d, reason);
    d->espera_us = dead ? 0 : pause_us(b, d->tentativas);
    log_warn(dead ? "delivery_dead" : "delivery_postponed", id_text(d, id), "attempt %u: %s",
             d->tentativas, reason);
    return BATCH_NEXT;
}

/* Not even its failure could be stored. Its data cannot be what is wrong then, unless it says so
 * again and again: it is left where it came from. */
static enum batch_next leave(struct batch *b, const char *reason, enum fault fault)
{
    struct new_entrega *d = &b->entregas[b->from];
    char id[EVENT_ID_MAX + 1];
    if (fault != DATA && ++b->stuck < STUCK_MAX)
        return BATCH_LATER;
    log_error("delivery_left", id_text(d, id), "not even its failure could be stored: %s", reason);
    metric_add(&b->counters->given_up, 1);
    b->stuck = 0;
    d->left = true;
    b->from = b->to;
    b->to = b->n;
    return b->from == b->n ? BATCH_DONE : BATCH_NEXT;
}

static enum batch_next refused(struct batch *b, const char *reason, enum fault fault)
{
    if (b->to - b->from > 1) {
        halve(b);
        return BATCH_NEXT;
    }
    return b->entregas[b->from].motivo ? leave(b, reason, fault) : put_aside(b, reason, fault);
}

enum batch_next batch_outcome(struct batch *b, enum status st, const char *reason)
{
    if (st == STATUS_OK)
        return span_done(b);
    if (st == STATUS_INVALID || st == STATUS_INTERNAL)
        return refused(b, reason, st == STATUS_INVALID ? DATA : UNKNOWN);
    metric_add(&b->counters->retries, 1);
    if (st == STATUS_DEADLINE || st == STATUS_LOCKED)
        return refused(b, *reason ? reason : "o banco de dados não respondeu a tempo",
                       st == STATUS_LOCKED ? LOCK : UNKNOWN);
    return st == STATUS_CONFLICT ? BATCH_NEXT : BATCH_LATER;
}
