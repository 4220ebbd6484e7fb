/* h_webhook: Meta's handshake and the intake. The signature is checked over the bytes as they came
 * (Meta: "Validating Payloads"); a delivery is answered when it is durable: in the stream, or, when
 * Redis cannot take it, in `entregas`. */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop.h"
#include "queue.h"
#include "rds.h"
#include "reply.h"
#include "store_entrega.h"
#include "text.h"

enum { TRACEPARENT_MAX = 128 };

/* ---- GET: hub.mode, hub.verify_token, hub.challenge ---- */

enum status h_webhook_verify(struct request *r)
{
    const char *token = r->loop->config->meta_verify_token;
    struct slice mode = request_param(r, "hub.mode"), given = request_param(r, "hub.verify_token"),
                 challenge = request_param(r, "hub.challenge");
    bool ok = token && mode.data && strcmp(mode.data, "subscribe") == 0 && given.data &&
              given.len == strlen(token) && text_equal_ct(given.data, token, given.len) &&
              challenge.data;
    if (!ok)
        return reply_problem(r, STATUS_FORBIDDEN,
                             "hub.mode, hub.verify_token ou hub.challenge não confere.");
    r->reply.echoes = true;
    return reply_constant(r, STATUS_OK, REPLY_TEXT, challenge.data, challenge.len);
}

/* ---- POST ---- */

/* Any of the secrets that are valid while one is rotated. Every one is tried: constant time. */
static bool signed_by_meta(const struct request *r)
{
    static const char scheme[] = "sha256=";
    struct slice given = r->headers[HEADER_SIGNATURE];
    uint8_t want[SHA256_LEN], got[SHA256_LEN];
    bool match = false;
    if (!given.data || given.len != sizeof scheme - 1 + 2 * SHA256_LEN ||
        memcmp(given.data, scheme, sizeof scheme - 1) != 0 ||
        !text_unhex(given.data + sizeof scheme - 1, got, SHA256_LEN))
        return false;
    for (unsigned i = 0; i < r->loop->app->n_meta_secrets; i++) {
        hmac_sha256(r->loop->app->meta_secrets[i], r->body.data, r->body.len, want);
        match |= text_equal_ct(want, got, SHA256_LEN);
    }
    return match;
}

/* A header in the arena, "" when it is missing, too long or of odd bytes: no delivery is refused
 * for it. */
static const char *keep(struct request *r, enum header h)
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
    return good ? keep(r, HEADER_TRACEPARENT) : "";
}

/* It was checked, so its characters are good. */
static const char *signature(struct request *r)
{
    struct slice given = r->headers[HEADER_SIGNATURE];
    const char *copy = arena_copy(&r->arena, given.data, given.len);
    return copy ? copy : "";
}

static void describe(struct request *r, struct queue_message *m)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *m = (struct queue_message){.corpo = r->body.data ? r->body.data : "",
                                .corpo_len = r->body.len,
                                .recebida_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
                                .text = {[EVENT_REQUEST_ID] = r->id,
                                         [EVENT_TRACEPARENT] = traceparent(r),
                                         [EVENT_SIGNATURE] = signature(r),
                                         [EVENT_AGENT] = keep(r, HEADER_USER_AGENT)}};
}

enum status h_webhook(struct request *r)
{
    struct loop_metrics *m = &r->loop->metrics;
    struct queue_message *message = arena_alloc(&r->arena, sizeof *message);
    if (r->loop->app->n_meta_secrets == 0)
        return reply_problem(
            r, STATUS_NOT_CONFIGURED,
            "META_APP_SECRET não está definido: a assinatura não pode ser verificada.");
    if (!signed_by_meta(r)) {
        metric_add(&m->bad_signatures, 1);
        return reply_problem(r, STATUS_UNAUTHORIZED,
                             "X-Hub-Signature-256 ausente ou não confere com o corpo.");
    }
    if (!message)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    describe(r, message);
    r->data = message;
    return batch_join(r, rds_ready(r->loop->rds) ? BATCH_WEBHOOK : BATCH_DIRECT);
}

static void received(struct request *r)
{
    static const char body[] = "EVENT_RECEIVED";
    if (r->state == REQUEST_ANSWERED)
        return;
    reply_constant(r, STATUS_OK, REPLY_TEXT, body, sizeof body - 1);
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
        if (queue_push(b->loop->rds, r->data, &r->ticket.queue) == STATUS_OK)
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
    for (struct request *r = b->flying; r; r = r->batch_next)
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
        messages[n++] = *(struct queue_message *)r->data;
    b->outstanding++;
    if (!messages ||
        store_entrega_insert_direct(b->loop->writes, messages, n, &f->ticket) != STATUS_OK)
        on_direct(&f->ticket, STATUS_DATABASE_AWAY);
    free(messages);
}

const struct batch_type batch_direct = {
    .name = "direct", .data_size = sizeof(struct direct_flight), .send = send_direct};
