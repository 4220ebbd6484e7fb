/* exposition: /metrics and /health of the worker on METRICS_PORT, answered from memory by a
 * libmicrohttpd daemon without a thread in the worker's own loop. What has to be asked of the
 * servers is asked every few seconds in the background. */
#ifndef ALICERCE_EXPOSITION_H
#define ALICERCE_EXPOSITION_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct ev;
struct exposition;
struct pg;
struct rds;
struct worker_counters;

struct exposition_options {
    struct ev *ev;
    struct pg *pg;            /* asked for counts */
    const struct pg *batches; /* its state is PostgreSQL's in /health */
    struct rds *rds;          /* asked for the state of the queue; its state is Redis' */
    const struct worker_counters *counters;
    const char *host;
    uint16_t port;
};

/* NULL when it cannot listen; errno has why. */
struct exposition *exposition_new(const struct exposition_options *o);
/* Before the connections are freed: takes no more calls. */
void exposition_stop(struct exposition *x);
/* After they were freed: their last answers still reach it. NULL is fine for all of these. */
void exposition_free(struct exposition *x);
/* Answers who asks and refreshes what is old. After every pass of the loop, before the flushes. */
void exposition_pump(struct exposition *x, bool resting);
/* Once a tick: the connections' time-outs. */
void exposition_tick(struct exposition *x);

/* "GET /health" of a worker at that address, blocking, a few seconds at most: containers have no
 * curl. False: not 200; `why` (128 bytes) says what came instead. */
bool exposition_ask(const char *host, uint16_t port, char *why);

#endif
