/* news: tells listeners, by way of Redis, what the worker has stored: counts, ids of deliveries,
 * and which leads came. No personal data goes in.
 *
 * What is told goes out beside the acknowledgement of the batch, in at most one command each
 * NEWS_EVERY_MS; what comes sooner is told together. Best effort: a Redis that is away is told
 * nothing, and a batch waits for none of it. One thread. */
#ifndef ALICERCE_NEWS_H
#define ALICERCE_NEWS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct batch;
struct rds;

enum { NEWS_EVERY_MS = 100, NEWS_NAMED_MAX = 50 /* ids, and leads: of more only the number */ };

struct news {
    struct rds *rds;
    size_t done, dead, postponed, leads;
    unsigned n_ids, n_leads; /* that are named */
    struct buf ids, rows;    /* elements of JSON arrays */
    int64_t sent_ms;
};

void news_init(struct news *news, struct rds *rds);
void news_release(struct news *news);
/* All spans of the batch are committed. */
void news_add(struct news *news, const struct batch *b);
/* After every pass of the loop, before the flushes. */
void news_pump(struct news *news, int64_t now_ms);

#endif
