/* h_counters: the counter of visits, the named counters, and the statistics over both servers. */
#include "handlers.h"

#include <string.h>

#include "jsonget.h"
#include "loop.h"
#include "reply.h"
#include "store_posts.h"

enum { NAME_MAX_LEN = 64, ANSWER_CAP = 256 };

static struct request *request_of(struct counter_ticket *t)
{
    return (struct request *)(void *)((char *)t - offsetof(struct request, ticket));
}

static void refuse(struct request *r, enum status st)
{
    if (st == STATUS_CONFLICT)
        reply_problem(r, st, "O valor guardado não é um inteiro de 64 bits, ou deixaria de ser.");
    else
        reply_problem(r, STATUS_CACHE_AWAY,
                      "O Redis não respondeu: a soma pode ou não ter sido feita.");
}

/* The text is copied. */
static void answer(struct request *r, enum status st, const struct buf *text)
{
    if (r->state == REQUEST_ANSWERED)
        return;
    const char *copy = st == STATUS_OK ? arena_copy(&r->arena, text->data, text->len) : NULL;
    if (copy)
        reply_bytes(r, STATUS_OK, REPLY_JSON, copy, text->len);
    else if (st == STATUS_OK)
        reply_problem(r, STATUS_OVERLOADED, NULL);
    else
        refuse(r, st);
    request_answer(r);
}

/* What store_counter_* said at once: the call is out, or Redis cannot be asked. */
static void sent(struct batch *b, struct request *r, enum status st)
{
    if (st == STATUS_OK) {
        b->outstanding++;
        return;
    }
    reply_problem(r, STATUS_CACHE_AWAY, "O Redis não está ao alcance.");
    request_answer(r);
}

/* ---- /api/contador ---- */

enum status h_visit(struct request *r)
{
    return batch_join(r, BATCH_VISIT);
}

struct visit_flight {
    struct counter_ticket ticket;
    struct batch *batch;
};

static void answer_visit(struct request *r, enum status st, int64_t value)
{
    char memory[ANSWER_CAP];
    struct buf text = buf_over(memory, sizeof memory);
    buf_lit(&text, "{\"contador\":");
    buf_int(&text, value);
    buf_char(&text, '}');
    answer(r, st, &text);
}

static void on_visit(struct counter_ticket *t, enum status st, int64_t value)
{
    struct request *r = request_of(t);
    answer_visit(r, st, value);
    batch_back(r->batch);
}

static void send_each(struct batch *b)
{
    for (struct request *r = b->flying; r; r = r->batch_next) {
        r->batch = b;
        r->ticket.counter.done = on_visit;
        sent(b, r, store_counter_visits_add(b->loop->rds, 1, &r->ticket.counter));
    }
}

/* All of a flight took their numbers in one command; `last` is the last one's. Where so many do not
 * fit any more, some of them may: each for itself, then. */
static void on_all(struct counter_ticket *t, enum status st, int64_t last)
{
    struct batch *b = ((struct visit_flight *)(void *)t)->batch;
    int64_t value = last - (int64_t)b->n_flying;
    if (st == STATUS_CONFLICT && b->n_flying > 1)
        send_each(b);
    else
        for (struct request *r = b->flying; r; r = r->batch_next)
            answer_visit(r, st, ++value);
    batch_back(b);
}

static void send_visits(struct batch *b)
{
    struct visit_flight *f = b->data;
    *f = (struct visit_flight){{on_all}, b};
    if (store_counter_visits_add(b->loop->rds, b->n_flying, &f->ticket) == STATUS_OK)
        b->outstanding++;
    else
        batch_refuse(b, STATUS_CACHE_AWAY, "O Redis não está ao alcance.");
}

const struct batch_type batch_visit = {
    .name = "visit", .data_size = sizeof(struct visit_flight), .send = send_visits};

/* ---- /api/contadores/{nome} ---- */

struct counter_call {
    char name[NAME_MAX_LEN + 1];
    bool adds;
    int64_t amount;
};

static bool name_ok(struct slice name)
{
    if (name.len < 1 || name.len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name.data[i], 38))
            return false;
    return true;
}

static enum status join(struct request *r, bool adds, int64_t amount)
{
    struct counter_call *call = arena_alloc(&r->arena, sizeof *call);
    if (!call)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    if (!name_ok(r->path_param))
        return reply_field(r, STATUS_BAD_REQUEST, "nome",
                           "deve ter de 1 a %d caracteres de a-z 0-9 _ -", NAME_MAX_LEN);
    *call = (struct counter_call){.adds = adds, .amount = amount};
    memcpy(call->name, r->path_param.data, r->path_param.len);
    r->data = call;
    return batch_join(r, BATCH_COUNTER);
}

enum status h_counter_read(struct request *r)
{
    return join(r, false, 0);
}

enum status h_counter_add(struct request *r)
{
    struct jsonget g;
    int64_t amount = 1;
    if (r->body.len == 0)
        return join(r, true, 1);
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st == STATUS_OK) {
        amount = jsonget_int(&g, "incremento", INT64_MIN, INT64_MAX, 1);
        st = jsonget_finish(&g);
    }
    if (st != STATUS_OK)
        st = reply_jsonget(r, st, &g);
    return st == STATUS_OK ? join(r, true, amount) : st;
}

static void on_counter(struct counter_ticket *t, enum status st, int64_t value)
{
    struct request *r = request_of(t);
    struct counter_call *call = r->data;
    char memory[ANSWER_CAP];
    struct buf text = buf_over(memory, sizeof memory);
    buf_printf(&text, "{\"nome\":\"%s\",\"contador\":%lld}", call->name, (long long)value);
    answer(r, st, &text);
    batch_back(r->batch);
}

static void send_counters(struct batch *b)
{
    for (struct request *r = b->flying; r; r = r->batch_next) {
        struct counter_call *call = r->data;
        struct rds *rds = b->loop->rds;
        r->batch = b;
        r->ticket.counter.done = on_counter;
        sent(b, r,
             call->adds ? store_counter_add(rds, call->name, call->amount, &r->ticket.counter)
                        : store_counter_read(rds, call->name, &r->ticket.counter));
    }
}

const struct batch_type batch_counter = {.name = "counter", .send = send_counters};

/* ---- /api/stats ---- */

struct stats_flight {
    struct posts_count posts;
    struct counter_ticket visits;
    struct batch *batch;
    enum status posts_st, visits_st;
    int64_t n_posts, n_visits;
};

enum status h_stats(struct request *r)
{
    return batch_join(r, BATCH_STATS);
}

static void on_posts(struct posts_count *t, enum status st, int64_t total)
{
    struct stats_flight *f =
        (struct stats_flight *)(void *)((char *)t - offsetof(struct stats_flight, posts));
    f->posts_st = st;
    f->n_posts = total;
    batch_back(f->batch);
}

static void on_visits(struct counter_ticket *t, enum status st, int64_t value)
{
    struct stats_flight *f =
        (struct stats_flight *)(void *)((char *)t - offsetof(struct stats_flight, visits));
    f->visits_st = st;
    f->n_visits = value;
    batch_back(f->batch);
}

static void send_stats(struct batch *b)
{
    struct stats_flight *f = b->data;
    *f = (struct stats_flight){.posts.done = on_posts,
                               .visits.done = on_visits,
                               .batch = b,
                               .posts_st = STATUS_DATABASE_AWAY,
                               .visits_st = STATUS_CACHE_AWAY};
    b->outstanding += store_posts_count(b->loop->reads, &f->posts) == STATUS_OK;
    b->outstanding += store_counter_visits(b->loop->rds, &f->visits) == STATUS_OK;
}

static void landed_stats(struct batch *b)
{
    struct stats_flight *f = b->data;
    struct buf text = buf_init(ANSWER_CAP);
    struct body *body;
    if (f->posts_st != STATUS_OK)
        batch_refuse(b, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
    else if (f->visits_st != STATUS_OK)
        batch_refuse(b, f->visits_st, "O Redis não respondeu com um número.");
    buf_printf(&text, "{\"total_posts\":%lld,\"total_requisicoes\":%lld}", (long long)f->n_posts,
               (long long)f->n_visits);
    body = buf_failed(&text) ? NULL : body_new(text.data, text.len);
    buf_release(&text);
    for (struct request *r = b->flying; r; r = r->batch_next)
        if (r->state != REQUEST_ANSWERED) {
            reply_body(r, STATUS_OK, REPLY_JSON, body);
            request_answer(r);
        }
    body_unref(body);
}

const struct batch_type batch_stats = {.name = "stats",
                                       .data_size = sizeof(struct stats_flight),
                                       .send = send_stats,
                                       .landed = landed_stats};
