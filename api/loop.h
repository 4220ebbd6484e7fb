/* loop: one event loop of the API, nothing shared: its own HTTP daemon, its own connections, its
 * own batches and counters. Started and stopped by main; everything else runs on the loop's thread.
 */
#ifndef ALICERCE_LOOP_H
#define ALICERCE_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "auth.h"
#include "batch.h"
#include "cache_guard.h"
#include "cidr.h"
#include "config.h"
#include "hmac.h"
#include "lease.h"
#include "metrics.h"
#include "post_news.h"
#include "store_cache.h"

struct ev;
struct export;
struct hasher;
struct janitor;
struct offload;
struct pg;
struct rate;
struct rds;
struct replay;
struct samples;
struct live;
struct server;
struct stream;
struct upload;
struct vault;

enum {
    PARKED_MAX = 1000,         /* requests waiting on one loop: more would only wait longer */
    BODY_BYTES_MAX = 64 << 20, /* of all bodies held by one loop */
    META_SECRETS_MAX = 2,
    EXPORTS_MAX = 4, /* of one loop at a time: each reads pages as fast as its client takes them */
    DELIVERIES_MAX = 8 /* the same of single deliveries: 3 MiB each, several times that as JSON */
};

/* What the whole process shares, read-only after the start but for the two flags. */
struct app {
    const struct config *config;
    struct hmac_key *meta_secrets[META_SECRETS_MAX];
    unsigned n_meta_secrets;
    struct token_keys *tokens; /* NULL: without JWT_SECRET */
    struct hasher *hasher;
    struct offload *offload; /* its seats are those of all that has to do with files */
    struct offload *stores;  /* for calls to where whole files lie: the same, or, of a bucket, one
                                whose threads wait for the network */
    struct vault *vault;     /* NULL: STORAGE_DIR cannot be used */
    struct rate *rate;       /* NULL: no limit */
    struct cidr_list proxies;
    struct loop **loops;
    unsigned n_loops;
    atomic_int stopping; /* SIGTERM was seen: answers carry Connection: close, /status says 503 */
    atomic_int schema_ready;
};

struct loop_metrics {
    metric requests[6]; /* by class of answer: [2] is 2xx; [0] is without one (client gone) */
    metric overloaded, deadlines, refused;
    metric batches[BATCH_KINDS], batched[BATCH_KINDS]; /* flights, and requests in them */
    metric deliveries_queued, deliveries_direct, deliveries_refused, bad_signatures;
    metric cache_hits, cache_misses;
    metric sign_ins_slowed; /* answered 429 */
    metric rds_lost;
    metric parked, connections; /* gauges */
    struct metric_histogram latency;
};

struct loop {
    struct app *app;
    const struct config *config;
    unsigned index;
    struct ev *ev;
    struct server *server;
    struct pg *reads, *writes, *searches;
    struct rds *rds;
    struct cache_guard guard;
    struct cache_done cleared; /* of the page that was there before the connection to Redis */
    bool clearing;             /* its answer is out */
    struct lease lease;
    struct batch batches[BATCH_KINDS];
    struct auth_gate *gate;
    struct live *live;
    struct replay *replays; /* the first one is being read */
    struct post_news news;
    struct request *oldest, *newest; /* parked, in the order of their deadlines */
    unsigned n_parked;
    int64_t warm_until_ms; /* 0: all servers were there once, or had their time */
    size_t body_bytes;
    unsigned n_heavy[HEAVY_KINDS];      /* seats taken */
    struct export *exports;             /* of leads, that are being sent; by newer */
    struct stream *streams;             /* that are being sent; by newer */
    int64_t streams_ms;                 /* when they were looked at */
    struct answer_constants *constants; /* answer.c's */
    struct upload *uploads;             /* that are coming; by newer */
    struct janitor *janitor;            /* of the first loop alone */
    struct samples *samples;            /* the same */
    uint64_t id_seed[2];
    atomic_int shed; /* connections to end, by steer's wish */
    atomic_bool pg_ready,
        rds_ready; /* all of its connections, at the last tick: for every /status */
    struct loop_metrics metrics;
};

/* NULL with a line on standard error when the port or memory cannot be had. */
struct loop *loop_new(struct app *app, unsigned index);
/* The thread's function: runs until the process stops and the drain is over. */
void *loop_run(void *loop);
void loop_free(struct loop *loop);

/* At LOG_LEVEL=debug, what is sent to PostgreSQL from here on names this request (pg_tag). */
void loop_trace(struct loop *loop, const struct request *r);

/* Parks a request until request_answer or its deadline, which should be no nearer than those of
 * others but for a few. STATUS_PENDING, or STATUS_OVERLOADED. */
enum status loop_park(struct loop *loop, struct request *r);
/* Takes a seat for such an answer, kept until the request ends, which is when the client has it
 * all. STATUS_OK, or STATUS_OVERLOADED: all are taken, and the reply says so. */
enum status loop_take_seat(struct request *r, enum heavy kind);
void loop_unpark(struct loop *loop, struct request *r);

#endif
