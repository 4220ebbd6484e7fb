/* graph_pace: how fast the Graph API may be asked: what its usage headers say, who rests until
 * when, and when a failed look-up is tried again. Pure functions over a struct; times are the
 * loop's monotonic milliseconds. Meta, "Rate Limits". */
#ifndef ALICERCE_GRAPH_PACE_H
#define ALICERCE_GRAPH_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"

enum {
    GRAPH_ATTEMPTS = 10,         /* failed look-ups after which a lead is 'falhou' */
    GRAPH_RETRY_FIRST_MS = 5000, /* doubling */
    GRAPH_RETRY_MAX_MS = 3600000,
    GRAPH_LIMIT_FIRST_MS = 5000, /* doubling, where no header says how long */
    GRAPH_LIMIT_MAX_MS = 900000,
    GRAPH_REST_MAX_MS = 3600000, /* of what a header asks for: it is asked again once an hour */
    GRAPH_MISCONFIGURED_MS = 60000,
    GRAPH_SLOW_PERCENT = 90, /* of what is allowed: from here on it is slower by itself */
    GRAPH_PAGES = 64         /* pages that rest at once; when more should, all do */
};

/* What the headers of an answer said. */
struct graph_usage {
    int64_t app_percent;  /* X-App-Usage: the largest of its figures, -1 for none */
    int64_t page_percent; /* X-Business-Use-Case-Usage or X-Page-Usage, -1 for none */
    int64_t regain_ms;    /* estimated_time_to_regain_access, 0 for none */
};
/* Headers may be NULL, and anything. */
struct graph_usage graph_usage_read(const char *business, const char *app, const char *page);

struct graph_rest {
    char id[132]; /* of a page, JOBS_ID_MAX at most; "" for all calls and for a free place */
    size_t len;
    int64_t until_ms;
    unsigned limits; /* rate limits in a row */
};
struct graph_pace {
    struct graph_rest all;
    struct graph_rest pages[GRAPH_PAGES];
    uint64_t seed; /* any start value, different for each process */
};

/* A rate limit: that page, or (data NULL) everything, rests as long as the headers say, else
 * longer with each limit in a row. Returns for how long. */
int64_t graph_pace_limited(struct graph_pace *p, struct pg_text page, const struct graph_usage *u,
                           int64_t now_ms);
/* A good answer about this page: forgets the limits in a row, and rests a little when what is
 * allowed is nearly used up. */
void graph_pace_good(struct graph_pace *p, struct pg_text page, const struct graph_usage *u,
                     int64_t now_ms);
/* Everything rests for so long. */
void graph_pace_rest(struct graph_pace *p, int64_t ms, int64_t now_ms);

bool graph_pace_may_ask(const struct graph_pace *p, int64_t now_ms);
/* How long the page still rests; 0: it does not. */
int64_t graph_pace_page_ms(const struct graph_pace *p, struct pg_text page, int64_t now_ms);

/* How long to wait after the attempt-th (1 …) failure, with a random half taken off. */
int64_t graph_pace_retry_ms(unsigned attempt, uint64_t *seed);

#endif
