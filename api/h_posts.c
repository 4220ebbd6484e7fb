/* h_posts: pages of posts and single posts, read from PostgreSQL. Within a flight, requests for the
 * same page share one query and one body. */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "post_json.h"
#include "reply.h"
#include "store.h"
#include "store_posts.h"
#include "text.h"

enum { LIMIT_DEFAULT = 50, AUTHOR_MAX = 100, SEARCH_MAX = 200, PAGE_CAP = 64 << 20 };

/* ---- pages ---- */

struct page_call {
    struct posts_ticket ticket; /* first: the store's way back */
    struct request *request;
    struct posts_query query;
    struct page_call *same; /* the next one of this flight with the same query */
    bool follows;           /* it is on another one's list */
};

static enum status read_text(struct request *r, const char *name, size_t max, struct pg_text *ret)
{
    struct slice value = request_param(r, name);
    size_t chars;
    if (!value.data)
        return STATUS_OK;
    text_utf8(value.data, value.len, &chars); /* the router has checked that it is */
    if (chars < 1 || chars > max)
        return reply_field(r, STATUS_BAD_REQUEST, name, "deve ter de 1 a %zu caracteres", max);
    *ret = (struct pg_text){value.data, value.len};
    return STATUS_OK;
}

static enum status read_query(struct request *r, struct posts_query *q)
{
    struct slice limit = request_param(r, "limite"), cursor = request_param(r, "cursor");
    *q = (struct posts_query){.before = INT64_MAX, .limit = LIMIT_DEFAULT};
    if (limit.data && !text_int(limit.data, limit.len, 1, POSTS_PAGE_MAX, &q->limit))
        return reply_field(r, STATUS_BAD_REQUEST, "limite", "deve ser um número de 1 a %d",
                           POSTS_PAGE_MAX);
    if (cursor.data && !post_cursor_decode(cursor.data, cursor.len, &q->before))
        return reply_field(r, STATUS_BAD_REQUEST, "cursor",
                           "não é um cursor devolvido por esta rota");
    enum status st = read_text(r, "autor", AUTHOR_MAX, &q->autor);
    if (st == STATUS_OK)
        st = read_text(r, "busca", SEARCH_MAX, &q->busca);
    q->limit++; /* one more tells whether there is a next page */
    return st;
}

enum status h_posts_list(struct request *r)
{
    struct page_call *call = arena_alloc(&r->arena, sizeof *call);
    if (!call)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call = (struct page_call){.request = r};
    r->data = call;
    enum status st = read_query(r, &call->query);
    if (st != STATUS_OK)
        return st;
    return batch_join(r, call->query.busca.data ? BATCH_SEARCH : BATCH_PAGE);
}

static bool same_text(struct pg_text a, struct pg_text b)
{
    if (!a.data || !b.data)
        return a.data == b.data;
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool same_query(const struct posts_query *a, const struct posts_query *b)
{
    return a->before == b->before && a->limit == b->limit && same_text(a->autor, b->autor) &&
           same_text(a->busca, b->busca);
}

static void answer_page(struct page_call *call, enum status st, struct body *body)
{
    struct request *r = call->request;
    if (r->state == REQUEST_ANSWERED || !r->connection)
        return;
    if (st == STATUS_OK)
        reply_tagged(r, body, r->headers[HEADER_IF_NONE_MATCH]);
    else if (st == STATUS_INTERNAL && call->query.busca.data) /* beyond what the parser takes */
        reply_field(r, STATUS_BAD_REQUEST, "busca", "não pode ser entendida: simplifique a busca");
    else if (st == STATUS_DEADLINE)
        reply_problem(r, st, "A consulta demorou demais; torne a busca mais específica.");
    else
        reply_problem(r, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
    request_answer(r);
}

static void on_page(struct posts_ticket *t, enum status st, const struct post *rows, size_t n)
{
    struct page_call *call = (struct page_call *)(void *)t;
    struct batch *b = call->request->batch;
    struct body *body = NULL;
    if (st == STATUS_OK) {
        struct buf text = buf_init(PAGE_CAP);
        post_json_page(&text, "banco_de_dados", rows, n, (size_t)call->query.limit - 1);
        body = buf_failed(&text) ? NULL : body_new(text.data, text.len);
        buf_release(&text);
    }
    for (struct page_call *c = call; c; c = c->same)
        answer_page(c, st, body);
    body_unref(body);
    batch_back(b);
}

/* Puts a call behind an earlier one with the same query. Few queries differ within a flight. */
static bool follow(struct batch *b, struct page_call *call)
{
    unsigned looked = 0;
    for (struct request *r = b->flying; r != call->request && looked < 64; r = r->batch_next) {
        struct page_call *leader = r->data;
        if (leader->follows)
            continue;
        looked++;
        if (same_query(&leader->query, &call->query)) {
            call->same = leader->same;
            leader->same = call;
            call->follows = true;
            return true;
        }
    }
    return false;
}

#ifdef PLANT_JOIN_SENT
void page_follow(struct batch *b, struct request *r)
{
    struct page_call *leader = b->flying->data, *call = r->data;
    call->same = leader->same;
    leader->same = call;
    call->follows = true;
}
#endif

static void send_pages(struct batch *b)
{
    bool searching = b == &b->loop->batches[BATCH_SEARCH];
    struct pg *lane = searching ? b->loop->searches : b->loop->reads;
    /* All are placed before any is sent: an answer may come within the call. */
    for (struct request *r = b->flying; r; r = r->batch_next) {
        r->batch = b;
        follow(b, r->data);
    }
    for (struct request *r = b->flying; r; r = r->batch_next) {
        struct page_call *call = r->data;
        if (call->follows)
            continue;
        call->ticket.done = on_page;
        enum status st = store_posts_page(lane, &call->query, &call->ticket);
        b->outstanding += st == STATUS_OK;
        if (searching && st == STATUS_OK)
            pg_sync(lane, NULL, NULL); /* a search that is cancelled takes no other with it */
        for (struct page_call *c = st == STATUS_OK ? NULL : call; c; c = c->same)
            answer_page(c, st, NULL);
    }
}

const struct batch_type batch_page = {.name = "page", .send = send_pages};
const struct batch_type batch_search = {.name = "search", .send = send_pages};

/* ---- one post ---- */

struct post_flight {
    struct posts_ticket ticket;
    struct batch *batch;
};

enum status h_post(struct request *r)
{
    int64_t *id = arena_alloc(&r->arena, sizeof *id);
    if (!id)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    if (!text_int(r->path_param.data, r->path_param.len, 1, INT64_MAX, id))
        return reply_field(r, STATUS_BAD_REQUEST, "id", "deve ser um número inteiro positivo");
    r->data = id;
    return batch_join(r, BATCH_POST);
}

static void answer_post(struct request *r, const struct post *p)
{
    struct buf text = buf_init(PAGE_CAP);
    if (!r->connection)
        return;
    if (p) {
        post_json(&text, p);
        struct body *body = buf_failed(&text) ? NULL : body_new(text.data, text.len);
        reply_tagged(r, body, r->headers[HEADER_IF_NONE_MATCH]);
        body_unref(body);
    } else {
        reply_problem(r, STATUS_NOT_FOUND, "Não há post com este id.");
    }
    request_answer(r);
    buf_release(&text);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct post *)a)->id, y = ((const struct post *)b)->id;
    return (x > y) - (x < y);
}

static void on_posts(struct posts_ticket *t, enum status st, const struct post *rows, size_t n)
{
    struct batch *b = ((struct post_flight *)(void *)t)->batch;
    if (st != STATUS_OK)
        batch_refuse(b, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
    for (struct request *r = b->flying; r && st == STATUS_OK; r = r->batch_next) {
        struct post key = {.id = *(int64_t *)r->data};
        if (r->state != REQUEST_ANSWERED)
            answer_post(r, n ? bsearch(&key, rows, n, sizeof *rows, by_id) : NULL);
    }
    batch_back(b);
}

static void send_posts(struct batch *b)
{
    struct post_flight *f = b->data;
    int64_t ids[BATCH_MAX];
    size_t n = 0;
    for (struct request *r = b->flying; r; r = r->batch_next)
        n = store_ids_add(ids, n, *(int64_t *)r->data);
    *f = (struct post_flight){{on_posts}, b};
    if (store_posts_by_ids(b->loop->reads, ids, n, &f->ticket) == STATUS_OK)
        b->outstanding++;
    else
        batch_refuse(b, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
}

const struct batch_type batch_post = {
    .name = "post", .data_size = sizeof(struct post_flight), .send = send_posts};
