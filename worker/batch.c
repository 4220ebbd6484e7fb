/* batch: owns the memory of its deliveries and the walk of the span over them. */
#include "batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "log.h"
#include "store_evento.h"
#include "store_lead.h"

enum { KEEP_ROWS = 4096 }; /* row arrays larger than this are given back after the batch */

bool batch_init(struct batch *b, struct worker_counters *counters)
{
    *b = (struct batch){.counters = counters};
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

bool batch_add(struct batch *b, const struct event *e, int64_t entrega_id)
{
    if (b->n == BATCH_MAX + BATCH_EXTRA)
        return false;
    struct new_entrega d = {.event = *e, .id = entrega_id};
    if (!copy_text(b, &d.event.corpo) || !copy_text(b, &d.event.request_id) ||
        !copy_text(b, &d.event.traceparent))
        return false;
    enum status st = jobs_run(d.event.corpo.data, d.event.corpo.len, &b->rows, &d.motivo);
    if (st != STATUS_OK && st != STATUS_INVALID)
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

static int compare_eventos(const void *a, const void *b)
{
    const struct new_evento *const *x = a, *const *y = b;
    return compare_text((*x)->chave, (*y)->chave);
}

static int compare_leads(const void *a, const void *b)
{
    const struct new_lead *const *x = a, *const *y = b;
    return compare_text((*x)->leadgen_id, (*y)->leadgen_id);
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

/* Dead letters have no rows: those that a delivery had before it was found to be one are skipped.
 */
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

static enum status store_eventos(struct batch *b, struct store_tx *tx, struct pg *pg)
{
    size_t n = collect_eventos(b);
    if (n == 0)
        return STATUS_OK;
    qsort(b->sorted, n, sizeof *b->sorted, compare_eventos);
    metric_add(&b->counters->eventos, n);
    return store_evento_insert(tx, pg, (const struct new_evento *const *)(const void *)b->sorted,
                               n);
}

static enum status store_leads(struct batch *b, struct store_tx *tx, struct pg *pg)
{
    size_t n = collect_leads(b);
    if (n == 0)
        return STATUS_OK;
    qsort(b->sorted, n, sizeof *b->sorted, compare_leads);
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
    size_t dead = 0;
    for (size_t i = b->from; i < b->to; i++)
        dead += b->entregas[i].motivo != NULL;
    metric_add(&b->counters->dead, dead);
    metric_add(&b->counters->stored, b->to - b->from - dead);
    metric_add(&b->counters->batches, 1);
}

/* The next span is twice as long: after one bad delivery the rest is soon stored at once again. */
static enum batch_next span_done(struct batch *b)
{
    size_t len = b->to - b->from;
    count_span(b);
    b->from = b->to;
    b->to = 2 * len < b->n - b->from ? b->from + 2 * len : b->n;
    return b->from == b->n ? BATCH_DONE : BATCH_NEXT;
}

static void halve(struct batch *b)
{
    b->to = b->from + (b->to - b->from) / 2;
    metric_add(&b->counters->batches_split, 1);
}

/* Alone, and still refused: a dead letter. Refused even as that, it is left where it came from. */
static enum batch_next condemn(struct batch *b, const char *reason)
{
    struct new_entrega *d = &b->entregas[b->from];
    char id[EVENT_ID_MAX + 1];
    if (!d->motivo) {
        log_warn("delivery_dead", id_text(d, id), "%s", reason);
        d->motivo = arena_copy(&b->arena, reason, strlen(reason));
        if (!d->motivo)
            d->motivo = "recusada pelo banco de dados";
        return BATCH_NEXT;
    }
    log_error("delivery_left", id_text(d, id), "not even a dead letter: %s", reason);
    metric_add(&b->counters->given_up, 1);
    d->left = true;
    b->from = b->to;
    b->to = b->n;
    return b->from == b->n ? BATCH_DONE : BATCH_NEXT;
}

enum batch_next batch_outcome(struct batch *b, enum status st, const char *reason)
{
    if (st == STATUS_OK)
        return span_done(b);
    if (st == STATUS_INVALID && b->to - b->from == 1)
        return condemn(b, reason);
    if (st == STATUS_INVALID) {
        halve(b);
        return BATCH_NEXT;
    }
    metric_add(&b->counters->retries, 1);
    if (st == STATUS_DEADLINE && b->to - b->from > 1)
        halve(b);
    return st == STATUS_CONFLICT ? BATCH_NEXT : BATCH_LATER;
}
