/* intake: owns the two batches that a delivery becomes durable in. */
#include "intake.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "handlers.h"
#include "loop.h"
#include "rds.h"
#include "reply.h"
#include "store_entrega.h"
#include "text.h"

enum { TRACEPARENT_MAX = 128 };

const char *intake_header(struct request *r, enum header h)
{
    struct slice given = r->headers[h];
    struct event_text clean =
        given.data ? event_clean_text(given.data, given.len) : (struct event_text){NULL, 0};
    const char *copy = clean.data ? arena_copy(&r->arena, clean.data, clean.len) : NULL;
    return copy ? copy : "";
}

/* W3C Trace Context: kept only when it looks like one. */
static const char *traceparent(struct request *r)
{
    struct slice given = r->headers[HEADER_TRACEPARENT];
    bool good = given.data && text_token(given.data, given.len, TRACEPARENT_MAX);
    return good ? intake_header(r, HEADER_TRACEPARENT) : "";
}

static void describe(struct request *r, struct intake *in)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    in->message =
        (struct queue_message){.corpo = in->corpo.data ? in->corpo.data : "",
                               .corpo_len = in->corpo.len,
                               .recebida_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
                               .text = {[EVENT_REQUEST_ID] = r->id,
                                        [EVENT_TRACEPARENT] = traceparent(r),
                                        [EVENT_SIGNATURE] = in->signature,
                                        [EVENT_AGENT] = in->agent}};
}

enum status intake_take(struct request *r, struct intake *in)
{
    describe(r, in);
    r->data = in;
    return batch_join(r, rds_ready(r->loop->rds) ? BATCH_WEBHOOK : BATCH_DIRECT);
}

enum status intake_unsigned(struct request *r)
{
    return reply_problem(r, STATUS_NOT_CONFIGURED,
                         "META_APP_SECRET não está definido: a assinatura não pode ser verificada "
                         "nem feita.");
}

static void received(struct request *r)
{
    bool waits = r->state != REQUEST_ANSWERED;
    ((struct intake *)r->data)->taken(r, waits);
    if (waits)
        request_answer(r);
}

/* ---- into the stream ---- */

static void on_pushed(struct queue_ticket *t, enum status st)
{
    struct request *r = (struct request *)(void *)((char *)t - offsetof(struct request, ticket));
    struct batch *b = r->batch;
    if (st == STATUS_OK) {
        metric_add(&b->loop->metrics.deliveries_queued, 1);
        received(r);
    } else {
        r->move_to = BATCH_DIRECT; /* it may be in the stream as well: the worker counts it once */
    }
    batch_back(b);
}

static void send_pushes(struct batch *b)
{
    for (struct request *r = b->flying; r; r = r->batch_next) {
        r->batch = b;
        r->ticket.queue.done = on_pushed;
        if (queue_push(b->loop->rds, &((struct intake *)r->data)->message, &r->ticket.queue) ==
            STATUS_OK)
            b->outstanding++;
        else
            r->move_to = BATCH_DIRECT;
#ifdef PLANT_ACK_FIRST /* tests only: answered before Redis has it */
        received(r);
#endif
    }
}

const struct batch_type batch_webhook = {.name = "webhook", .send = send_pushes};

/* ---- straight into `entregas` ---- */

struct direct_flight {
    struct store_ticket ticket;
    struct batch *batch;
};

static void on_direct(struct store_ticket *t, enum status st)
{
    struct batch *b = ((struct direct_flight *)(void *)t)->batch;
    struct loop_metrics *m = &b->loop->metrics;
    metric_add(st == STATUS_OK ? &m->deliveries_direct : &m->deliveries_refused, b->n_flying);
    if (st != STATUS_OK)
        batch_refuse(b, STATUS_DATABASE_AWAY,
                     "Nem o Redis nem o banco de dados puderam guardar a entrega.");
    for (struct request *r = b->flying; r && st == STATUS_OK; r = r->batch_next)
        received(r);
    batch_back(b);
}

static void send_direct(struct batch *b)
{
    struct direct_flight *f = b->data;
    struct queue_message *messages = calloc(b->n_flying, sizeof *messages);
    size_t n = 0;
    *f = (struct direct_flight){{on_direct}, b};
    for (struct request *r = b->flying; r && messages; r = r->batch_next)
        messages[n++] = ((struct intake *)r->data)->message;
    b->outstanding++;
    if (!messages ||
        store_entrega_insert_direct(b->loop->writes, messages, n, &f->ticket) != STATUS_OK)
        on_direct(&f->ticket, STATUS_DATABASE_AWAY);
    free(messages);
}

const struct batch_type batch_direct = {
    .name = "direct", .data_size = sizeof(struct direct_flight), .send = send_direct};
