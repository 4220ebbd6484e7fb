/* h_fila: the state of the queue, its pause and its resumption. Who asks at the same time shares
 * one look at both servers. A flight first makes the changes, then looks, so that whoever changed
 * something sees it. */
#include "handlers.h"

#include <string.h>

#include "audit.h"
#include "jsonput.h"
#include "loop.h"
#include "reply.h"
#include "store.h"
#include "store_fila.h"

enum { ANSWER_CAP = 4 * 1024 };

struct fila_flight {
    struct queue_state queue;
    struct fila_state fila;
    struct batch *batch;
    enum status queue_st, fila_st;
    bool looked;
};

enum wish { WISH_LOOK, WISH_PAUSE, WISH_RESUME };

struct fila_call {
    struct fila_pause pause;
    struct auditoria_quem who;
    struct request *request;
    enum wish wish;
    enum status st; /* of the change */
};

static enum status join(struct request *r, enum wish wish)
{
    struct fila_call *call = arena_alloc(&r->arena, sizeof *call);
    if (!call)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call = (struct fila_call){.who = audit_who(r), .request = r, .wish = wish};
    r->data = call;
    return batch_join(r, BATCH_QUEUE);
}

enum status h_queue(struct request *r)
{
    return join(r, WISH_LOOK);
}

enum status h_queue_pause(struct request *r)
{
    return join(r, WISH_PAUSE);
}

enum status h_queue_resume(struct request *r)
{
    return join(r, WISH_RESUME);
}

/* ---- looking ---- */

static void on_queue(struct queue_state *q, enum status st)
{
    struct fila_flight *f =
        (struct fila_flight *)(void *)((char *)q - offsetof(struct fila_flight, queue));
    f->queue_st = st;
    batch_back(f->batch);
}

static void on_fila(struct fila_state *s, enum status st)
{
    struct fila_flight *f =
        (struct fila_flight *)(void *)((char *)s - offsetof(struct fila_flight, fila));
    f->fila_st = st;
    batch_back(f->batch);
}

static void look(struct batch *b)
{
    struct fila_flight *f = b->data;
    f->looked = true;
    b->outstanding += queue_inspect(b->loop->rds, &f->queue) == STATUS_OK;
    b->outstanding += store_fila_inspect(b->loop->reads, &f->fila) == STATUS_OK;
}

/* ---- changing ---- */

static void on_changed(struct fila_pause *p, enum status st)
{
    struct fila_call *call = (struct fila_call *)(void *)p;
    call->st = st;
    batch_back(call->request->batch);
}

static void change(struct batch *b, struct request *r)
{
    struct fila_call *call = r->data;
    struct pg *pg = b->loop->writes;
    r->batch = b;
    call->pause.done = on_changed;
    call->st = call->wish == WISH_PAUSE ? store_fila_pause(pg, &call->who, NULL, &call->pause)
                                        : store_fila_resume(pg, &call->who, &call->pause);
    b->outstanding += call->st == STATUS_OK;
}

static void send(struct batch *b)
{
    struct fila_flight *f = b->data;
    *f = (struct fila_flight){.queue.done = on_queue,
                              .fila.done = on_fila,
                              .batch = b,
                              .queue_st = STATUS_CACHE_AWAY,
                              .fila_st = STATUS_DATABASE_AWAY};
    for (struct request *r = b->flying; r; r = r->batch_next)
        if (((struct fila_call *)r->data)->wish != WISH_LOOK)
            change(b, r);
    if (b->outstanding == 0)
        look(b);
}

/* ---- answers ---- */

static void put_time(struct buf *b, int64_t us)
{
    if (us == STORE_NO_TIME)
        buf_lit(b, "null");
    else
        jsonput_time(b, us);
}

static void put_state(struct buf *b, const struct queue_state *q, const struct fila_state *s)
{
    buf_printf(b, "{\"comprimento\":%lld,\"mais_antiga_s\":", (long long)q->length);
    if (q->oldest_us > 0)
        buf_int(b, queue_oldest_age_s(q));
    else
        buf_lit(b, "null");
    buf_printf(b,
               ",\"em_maos\":%lld,\"bytes_por_entrega\":%lld,\"diretas\":%lld,"
               "\"novas_tentativas\":%lld,\"proxima_tentativa_em\":",
               (long long)q->in_hand, (long long)queue_bytes_each(q), (long long)s->direct,
               (long long)s->retries);
    put_time(b, s->next_retry_us);
    buf_printf(b, ",\"mortas\":%lld,\"workers\":%lld,\"pausada_em\":", (long long)s->dead,
               (long long)q->consumers);
    put_time(b, s->paused_us);
    buf_lit(b, ",\"pausada_por\":");
    if (*s->paused_by)
        jsonput_string(b, s->paused_by, strlen(s->paused_by));
    else
        buf_lit(b, "null");
    buf_char(b, '}');
}

static void answer(struct request *r, const struct fila_flight *f, const struct buf *text)
{
    const struct fila_call *call = r->data;
    if (call->st == STATUS_UNAUTHORIZED)
        auth_refuse_token(r, "O token foi revogado.");
    else if (call->st != STATUS_OK)
        reply_problem(r, STATUS_OUTCOME_UNKNOWN,
                      "O banco de dados não respondeu: confira se a mudança foi feita.");
    else if (f->queue_st != STATUS_OK)
        reply_problem(r, STATUS_CACHE_AWAY, "O Redis não disse o estado da fila.");
    else if (f->fila_st != STATUS_OK)
        reply_problem(r, STATUS_DATABASE_AWAY, "O banco de dados não disse o estado da fila.");
    else
        reply_buf(r, STATUS_OK, REPLY_JSON, text);
    r->reply.secret = true;
    request_answer(r);
}

static void landed(struct batch *b)
{
    struct fila_flight *f = b->data;
    struct buf text = buf_init(ANSWER_CAP);
    if (!f->looked)
        look(b);
    if (b->outstanding > 0)
        return;
    if (f->queue_st == STATUS_OK && f->fila_st == STATUS_OK)
        put_state(&text, &f->queue, &f->fila);
    for (struct request *r = b->flying; r; r = r->batch_next)
        if (r->state != REQUEST_ANSWERED && r->connection)
            answer(r, f, &text);
    buf_release(&text);
}

const struct batch_type batch_queue = {
    .name = "queue", .data_size = sizeof(struct fila_flight), .send = send, .landed = landed};
