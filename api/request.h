/* request: one HTTP request, from MHD's first callback to its completed callback.
 *
 * Born in server.c, it belongs to MHD's connection; every batch or ticket that works for it holds
 * one more reference, so that an answer which comes after the client has gone finds it whole.
 * Everything a batch may look at lives in the arena or the body, never in MHD's memory, which dies
 * with the connection. One thread: the loop's. */
#ifndef ALICERCE_REQUEST_H
#define ALICERCE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "body.h"
#include "buf.h"
#include "queue.h"
#include "status.h"
#include "store_counter.h"

struct MHD_Connection;
struct auth;
struct batch;
struct loop;
struct route;
struct stream;
struct upload;

/* The request headers that anything here reads; the order is that of the table in headers.c. */
enum header {
    HEADER_HOST,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_ENCODING,
    HEADER_IF_MATCH,
    HEADER_IF_NONE_MATCH,
    HEADER_RANGE,
    HEADER_IF_RANGE,
    HEADER_AUTHORIZATION,
    HEADER_FORWARDED_FOR,
    HEADER_IDEMPOTENCY_KEY,
    HEADER_REQUEST_ID,
    HEADER_SIGNATURE,
    HEADER_TRACEPARENT,
    HEADER_USER_AGENT,
    HEADER_ORIGIN,
    HEADER_LAST_EVENT_ID,
    HEADER_COUNT
};

enum batch_kind {
    BATCH_STATUS,
    BATCH_PAGE,
    BATCH_SEARCH,
    BATCH_POST,
    BATCH_CREATE,
    BATCH_CHANGE,
    BATCH_CACHE,
    BATCH_VISIT,
    BATCH_COUNTER,
    BATCH_STATS,
    BATCH_WEBHOOK,
    BATCH_DIRECT,
    BATCH_QUEUE,
    BATCH_OWN,
    BATCH_KINDS
};

struct slice {
    const char *data; /* NULL: absent */
    size_t len;
};

struct param {
    struct slice name, value; /* decoded, in the arena */
};

enum {
    REQUEST_PARAMS_MAX = 16,
    REQUEST_ID_MAX = 128,
    REQUEST_ARENA_CAP = 64 * 1024, /* the target and its decoded copy, params, a handler's state */
    BODY_MAX = 1 << 20,
    BODY_KEEP = 16 * 1024 /* a recycled request keeps a body buffer up to this size */
};

/* One that few answers have. */
struct reply_header {
    const char *name, *value; /* static, or in the arena */
    struct reply_header *next;
};

struct reply {
    unsigned http; /* 0: none yet */
    const char *content_type;
    struct body *body;         /* shared; a reference of ours */
    struct slice constant;     /* or bytes that are static, or live as long as the request */
    bool is_static;            /* the former */
    struct stream *stream;     /* or made while it is sent; ours */
    struct reply_header *more; /* in the arena */
    const char *allow;         /* static */
    char etag[40];             /* with its quotes; "" for none */
    char location[48];
    unsigned retry_after;     /* seconds; 0 for none */
    bool replayed;            /* Idempotency-Replayed: true */
    bool echoes;              /* the caller's own bytes: X-Content-Type-Options: nosniff */
    bool secret;              /* Cache-Control: no-store */
    const char *authenticate; /* WWW-Authenticate; static */
    unsigned rate_limit, rate_remaining, rate_reset_s; /* RateLimit-*; limit 0: none of them */
};

/* Answers that take much memory, or long; a loop has few of them at a time. */
enum heavy { HEAVY_NONE, HEAVY_EXPORT, HEAVY_DELIVERY, HEAVY_KINDS };

enum request_state { REQUEST_READING, REQUEST_PARKED, REQUEST_ANSWERED };

struct request {
    struct loop *loop;
    struct MHD_Connection *connection; /* NULL once MHD is done with it */
    enum request_state state;
    enum heavy heavy; /* the seat that it has */
    unsigned refs;
    const struct route *route;
    struct auth *auth;   /* who asks, in the arena; NULL where no token is wanted */
    enum status refused; /* found while the headers were read; answered after the body */
    const char *refused_why;

    char *target;           /* as it came, in the arena */
    const char *target_end; /* in the HTTP library's memory, for headers_read alone */
    const char *path;
    size_t path_len;
    struct slice path_param; /* {id}, {nome} */
    struct param *params;    /* REQUEST_PARAMS_MAX in the arena, once there is a query */
    unsigned n_params;
    char *query; /* undecoded, NULL for none */

    struct slice headers[HEADER_COUNT]; /* MHD's memory: until the handler returns */
    char id[REQUEST_ID_MAX + 1];

    struct upload *upload; /* where the body goes instead; ours until a handler takes it */
    struct buf body;
    size_t body_seen; /* bytes that came, kept or not */

    struct reply reply;
    int64_t born_us, deadline_ms;

    struct batch *batch;           /* it flies with; set by the kinds that need it */
    struct request *batch_next;    /* in its batch */
    bool gathers;                  /* in one that has not been sent */
    enum batch_kind move_to;       /* where it goes after the flight; BATCH_KINDS: nowhere */
    struct request *older, *newer; /* in the loop's list of parked ones */
    union {                        /* what a store calls back on */
        struct counter_ticket counter;
        struct queue_ticket queue;
    } ticket;
    void *data; /* the handler's, in the arena */

    struct arena arena;
};

static inline void request_ref(struct request *r)
{
    r->refs++;
}
void request_unref(struct request *r);

/* The answer may be sent: reply is filled in. Nothing happens when it has one already (deadline).
 */
void request_answer(struct request *r);

/* The decoded value of a query parameter, data NULL when it is absent. */
struct slice request_param(const struct request *r, const char *name);

#endif
