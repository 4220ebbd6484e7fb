/* graph_pace: owns the rule of who rests how long. */
#include "graph_pace.h"

#include <string.h>

#include "backoff.h"
#include "jsonscan.h"

/* ---- headers ---- */

/* A figure of a header, rounded down: Meta writes integers, a gateway may not. -1 for none. */
static int64_t figure(struct jsonscan v)
{
    if (v.type != JSONSCAN_NUMBER)
        return -1;
    const char *dot = memchr(v.text, '.', v.len);
    if (dot && !memchr(v.text, 'e', v.len) && !memchr(v.text, 'E', v.len))
        v.len = (size_t)(dot - v.text);
    int64_t n;
    return jsonscan_int(v, 0, 1000000, &n) ? n : -1;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The figure that is nearest to its limit decides. */
static int64_t percent_of(struct jsonscan usage)
{
    static const char *const names[] = {"call_count", "total_cputime", "total_time"};
    struct jsonscan v[3];
    jsonscan_pick(usage, 3, names, v);
    return larger(figure(v[0]), larger(figure(v[1]), figure(v[2])));
}

static bool parse(const char *header, struct jsonscan *ret)
{
    return header && jsonscan_check(header, strlen(header), ret) == NULL;
}

/* {"PAGE OR BUSINESS":[{"type":"leadgen","call_count":…,"estimated_time_to_regain_access":…}]}: all
 * entries are about this call, by whichever id. Minutes. */
static void read_business(struct jsonscan root, struct graph_usage *u)
{
    struct jsonscan_walk members = {NULL};
    struct jsonscan key, list, entry;
    while (jsonscan_next_member(root, &members, &key, &list)) {
        struct jsonscan_walk entries = {NULL};
        while (jsonscan_next(list, &entries, &entry)) {
            int64_t minutes = figure(jsonscan_get(entry, "estimated_time_to_regain_access"));
            u->page_percent = larger(u->page_percent, percent_of(entry));
            u->regain_ms = larger(u->regain_ms, minutes * 60000);
        }
    }
}

struct graph_usage graph_usage_read(const char *business, const char *app, const char *page)
{
    struct graph_usage u = {-1, -1, 0};
    struct jsonscan root;
    if (parse(business, &root))
        read_business(root, &u);
    if (parse(app, &root))
        u.app_percent = percent_of(root);
    if (parse(page, &root))
        u.page_percent = larger(u.page_percent, percent_of(root));
    return u;
}

/* ---- who rests ---- */

static bool is_page(const struct graph_rest *r, struct pg_text page)
{
    return r->len > 0 && r->len == page.len && memcmp(r->id, page.data, page.len) == 0;
}

static struct graph_rest *find(struct graph_pace *p, struct pg_text page)
{
    for (unsigned i = 0; i < GRAPH_PAGES; i++)
        if (is_page(&p->pages[i], page))
            return &p->pages[i];
    return NULL;
}

/* The page's place; a new one takes that of a page whose rest is over. Without a page, or when too
 * many rest, it is the one of all. */
static struct graph_rest *place(struct graph_pace *p, struct pg_text page, int64_t now_ms)
{
    struct graph_rest *r = page.data ? find(p, page) : &p->all;
    for (unsigned i = 0; i < GRAPH_PAGES && !r; i++)
        if (p->pages[i].until_ms <= now_ms && page.len > 0 && page.len <= sizeof r->id)
            r = &p->pages[i];
    if (!r)
        return &p->all;
    if (r != &p->all && !is_page(r, page)) {
        *r = (struct graph_rest){.len = page.len};
        memcpy(r->id, page.data, page.len);
    }
    return r;
}

static void rest(struct graph_rest *r, int64_t ms, int64_t now_ms)
{
    r->until_ms = larger(r->until_ms, now_ms + ms);
}

/* first, doubling to most. */
static int64_t doubled(int64_t first, unsigned times, int64_t most)
{
    int64_t ms = times < 20 ? first << times : most;
    return ms < most ? ms : most;
}

static int64_t less_a_random_half(int64_t ms, uint64_t *seed)
{
    return ms / 2 + (int64_t)(backoff_random(seed) % (uint64_t)(ms / 2 + 1));
}

/* Limits are those of a rolling hour or day. Of a usage above 100 % the excess has to be forgotten
 * first, which at an even pace takes this part of an hour, and a minute at least. */
static int64_t excess_ms(int64_t percent)
{
    return percent < 100 ? 0 : larger(60000, 3600000 * (percent - 100) / percent);
}

int64_t graph_pace_limited(struct graph_pace *p, struct pg_text page, const struct graph_usage *u,
                           int64_t now_ms)
{
    struct graph_rest *r = place(p, page, now_ms);
    int64_t ms = u->regain_ms;
    if (ms == 0)
        ms = excess_ms(page.data ? larger(u->page_percent, u->app_percent) : u->app_percent);
    if (ms == 0)
        ms = less_a_random_half(doubled(GRAPH_LIMIT_FIRST_MS, r->limits, GRAPH_LIMIT_MAX_MS),
                                &p->seed);
    if (ms > GRAPH_REST_MAX_MS)
        ms = GRAPH_REST_MAX_MS;
    if (r->until_ms <= now_ms) /* calls that were in flight together are one limit */
        r->limits++;
    rest(r, ms, now_ms);
    return ms;
}

/* 1 s at 90 %, 2 s at 91 % … 10 s at 99 %; at 100 % as if it had been a limit. */
static int64_t slowed_ms(int64_t percent)
{
    return percent < GRAPH_SLOW_PERCENT ? 0
           : percent < 100              ? (percent - GRAPH_SLOW_PERCENT + 1) * 1000
                                        : excess_ms(percent);
}

void graph_pace_good(struct graph_pace *p, struct pg_text page, const struct graph_usage *u,
                     int64_t now_ms)
{
    struct graph_rest *known = page.data ? find(p, page) : NULL;
    int64_t page_ms = slowed_ms(u->page_percent);
    p->all.limits = 0;
    if (known)
        known->limits = 0;
    rest(&p->all, slowed_ms(u->app_percent), now_ms);
    if (page_ms > 0)
        rest(place(p, page, now_ms), page_ms, now_ms);
}

void graph_pace_rest(struct graph_pace *p, int64_t ms, int64_t now_ms)
{
    rest(&p->all, ms, now_ms);
}

bool graph_pace_may_ask(const struct graph_pace *p, int64_t now_ms)
{
    return now_ms >= p->all.until_ms;
}

int64_t graph_pace_page_ms(const struct graph_pace *p, struct pg_text page, int64_t now_ms)
{
    for (unsigned i = 0; i < GRAPH_PAGES; i++)
        if (is_page(&p->pages[i], page) && p->pages[i].until_ms > now_ms)
            return p->pages[i].until_ms - now_ms;
    return 0;
}

int64_t graph_pace_retry_ms(unsigned attempt, uint64_t *seed)
{
    unsigned times = attempt > 0 ? attempt - 1 : 0;
    return less_a_random_half(doubled(GRAPH_RETRY_FIRST_MS, times, GRAPH_RETRY_MAX_MS), seed);
}
