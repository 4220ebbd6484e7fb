/* h_posts_cache: the first page by way of Redis, never older than an acknowledged write.
 *
 * A flight asks Redis once for page and version. A hit answers all; a miss asks PostgreSQL once and
 * stores the page under the version noted before, then answers. Without a Redis that can be
 * believed (cache_guard) PostgreSQL answers alone. What is no page of ours (the key is that of
 * older systems, which kept a bare list there) is a miss, and what is read then takes its place. */
#include "handlers.h"

#include <string.h>

#include "ev.h"
#include "loop.h"
#include "post_json.h"
#include "rds.h"
#include "reply.h"
#include "store_cache.h"
#include "store_posts.h"

#define SOURCE "cache" /* `fonte` of the page that Redis keeps */

enum { FIRST_PAGE = 50, PAGE_CAP = 64 << 20 };

struct cache_flight {
    struct cache_get get;
    struct posts_ticket page;
    struct cache_fill fill;
    struct batch *batch;
    struct body *body; /* read from PostgreSQL, waiting for the fill */
    bool fills;        /* the version is known: what is read may be stored */
    int64_t since_ms;  /* the connection that told the version: the next Redis may count anew */
    char version[CACHE_VERSION_MAX];
};

#define FLIGHT(t, member)                                                                          \
    ((struct cache_flight *)(void *)((char *)(t)-offsetof(struct cache_flight, member)))

enum status h_posts_cache(struct request *r)
{
    return batch_join(r, BATCH_CACHE);
}

static void answer_all(struct batch *b, struct body *body)
{
    for (struct request *r = b->flying; r; r = r->batch_next)
        if (r->state != REQUEST_ANSWERED && r->connection) {
            reply_tagged(r, body, r->headers[HEADER_IF_NONE_MATCH]);
            request_answer(r);
        }
}

static void answer_read(struct cache_flight *f)
{
    answer_all(f->batch, f->body);
    body_unref(f->body);
    f->body = NULL;
}

/* Stored or not, what was read is the answer. */
static void on_fill(struct cache_fill *t, enum status st, enum cache_filled filled, int64_t version)
{
    struct cache_flight *f = FLIGHT(t, fill);
    struct mark_watch *watch = &f->batch->loop->lease.watch;
    if (st == STATUS_OK && filled == CACHE_MARKED)
        mark_watch_refused(watch, version, ev_clock_us());
    else if (st == STATUS_OK && filled == CACHE_STORED)
        watch->since_us = 0;
    answer_read(f);
    batch_back(f->batch);
}

static struct body *render(const char *source, const struct post *rows, size_t n)
{
    struct buf text = buf_init(PAGE_CAP);
    post_json_page(&text, source, rows, n, FIRST_PAGE);
    struct body *body = buf_failed(&text) ? NULL : body_new(text.data, text.len);
    buf_release(&text);
    return body;
}

static bool fill(struct cache_flight *f, const struct post *rows, size_t n)
{
    struct loop *loop = f->batch->loop;
    bool same = rds_since_ms(loop->rds) == f->since_ms;
    struct body *page = f->fills && same ? render(SOURCE, rows, n) : NULL;
    enum status st = STATUS_CACHE_AWAY;
    if (page)
        st = store_cache_fill(loop->rds, f->version, page->data, page->len,
                              loop->config->posts_cache_ttl,
                              mark_watch_dead(&loop->lease.watch, ev_clock_us()), &f->fill);
    body_unref(page);
    return st == STATUS_OK;
}

static void on_page(struct posts_ticket *t, enum status st, const struct post *rows, size_t n)
{
    struct cache_flight *f = FLIGHT(t, page);
    if (st != STATUS_OK) {
        batch_refuse(f->batch, STATUS_DATABASE_AWAY, "O banco de dados não respondeu.");
    } else {
        f->body = render("banco_de_dados", rows, n);
        if (fill(f, rows, n))
            f->batch->outstanding++;
        else
            answer_read(f);
    }
    batch_back(f->batch);
}

static void read_page(struct cache_flight *f)
{
    struct posts_query q = {.before = INT64_MAX, .limit = FIRST_PAGE + 1};
    if (store_posts_page(f->batch->loop->reads, &q, &f->page) == STATUS_OK)
        f->batch->outstanding++;
    else
        batch_refuse(f->batch, STATUS_DATABASE_AWAY, "O banco de dados não está ao alcance.");
}

static void on_get(struct cache_get *t, enum status st, const char *page, size_t len,
                   const char *version)
{
    struct cache_flight *f = FLIGHT(t, get);
    struct loop *loop = f->batch->loop;
    if (st == STATUS_OK && page && post_json_is_page(SOURCE, page, len)) {
        metric_add(&loop->metrics.cache_hits, 1);
        struct body *body = body_new(page, len);
        answer_all(f->batch, body);
        body_unref(body);
    } else {
        metric_add(&loop->metrics.cache_misses, 1);
        f->fills = st == STATUS_OK && strlen(version) < sizeof f->version;
        f->since_ms = rds_since_ms(loop->rds);
        if (f->fills)
            strcpy(f->version, version);
        read_page(f);
    }
    batch_back(f->batch);
}

static void send(struct batch *b)
{
    struct cache_flight *f = b->data;
    *f = (struct cache_flight){
        .get.done = on_get, .page.done = on_page, .fill.done = on_fill, .batch = b};
    lease_reader(b->loop);
    bool trusted = cache_guard_trusted(&b->loop->guard, ev_now_ms(b->loop->ev));
    if (trusted && store_cache_get(b->loop->rds, &f->get) == STATUS_OK)
        b->outstanding++;
    else
        read_page(f);
}

const struct batch_type batch_cache = {
    .name = "cache", .data_size = sizeof(struct cache_flight), .send = send};
