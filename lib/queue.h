/* queue: the stream of deliveries in Redis; the only owner of its key names.
 *
 * Stream `fila:webhooks`, group `workers`, one consumer per worker process. An entry lives in the
 * stream until it is acknowledged and deleted, which the worker does after its commit: at least
 * once. A claimed entry that is neither acknowledged nor kept (queue_keep) within QUEUE_IDLE_MS
 * belongs to whoever claims idle entries next: that is how a dead worker's are taken over, and how
 * one's own are found again after a reply was lost. Retries and dead letters are rows of `entregas`
 * (store_entrega.h), so that the stream holds nothing but what is new.
 *
 * Commands go out with the next rds_flush. Redis documentation: XADD, XREADGROUP, XAUTOCLAIM,
 * XCLAIM. */
#ifndef ALICERCE_QUEUE_H
#define ALICERCE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "status.h"

struct rds;

enum {
    QUEUE_IDLE_MS = 5000,    /* claimed and not touched for so long: free to be taken over */
    QUEUE_CONSUMER_MAX = 128 /* bytes of a consumer's name, with its NUL */
};

/* Embedded in its owner, kept until done ran. done runs exactly once if and only if the call
 * returned STATUS_OK; any other status is the answer at once. */
struct queue_ticket {
    void (*done)(struct queue_ticket *t, enum status st);
};

/* One XADD. m is copied. done:
 *   STATUS_OK          the entry is durable (as Redis' appendfsync has it)
 *   STATUS_OVERLOADED  Redis refused it (OOM, READONLY, LOADING, MISCONF...): nothing was written
 *   STATUS_CACHE_AWAY  the outcome is unknown
 * At once: STATUS_CACHE_AWAY, nothing was sent. */
enum status queue_push(struct rds *r, const struct queue_message *m, struct queue_ticket *t);

/* Makes the group, from the start of what is there, and the stream with it. An existing one is
 * STATUS_OK too. A full Redis refuses (STATUS_OVERLOADED), and would stay full without a group to
 * drain it: `forced` gets past that, with Redis 7 and its like. */
enum status queue_create_group(struct rds *r, bool forced, struct queue_ticket *t);

struct queue_claim {
    /* For each claimed entry, in order; it lives during the call. */
    void (*entry)(struct queue_claim *c, const struct event *e);
    /* After the entries.
     *   STATUS_OK          n entries were claimed; 0 when there were none
     *   STATUS_NOT_FOUND   the group or the stream is gone: queue_create_group
     *   STATUS_OVERLOADED  Redis refused it: later again
     *   STATUS_CACHE_AWAY  the connection was lost; entries may have been claimed all the same */
    void (*done)(struct queue_claim *c, enum status st, size_t n);
    struct event_id cursor; /* queue_claim_idle: where the next call goes on; 0-0 at the start and
                               again after the end */
};

/* Up to `count` entries that nobody has had. block_ms 0: answers at once; else waits so long for
 * the first one (it holds up every other command on that connection). */
enum status queue_claim_new(struct rds *r, const char *consumer, unsigned count, int64_t block_ms,
                            struct queue_claim *c);
/* Up to `count` entries that have been idle for QUEUE_IDLE_MS in anybody's hand, one's own
 * included. Entries that were deleted meanwhile are dropped from the group by Redis and not told
 * of. */
enum status queue_claim_idle(struct rds *r, const char *consumer, unsigned count,
                             struct queue_claim *c);
/* Makes n entries in one's hand look fresh. */
enum status queue_keep(struct rds *r, const char *consumer, const struct event_id *ids, size_t n,
                       struct queue_ticket *t);
/* A sign of life from one who claims nothing: the consumer is there and not idle. */
enum status queue_show_up(struct rds *r, const char *consumer, struct queue_ticket *t);
struct queue_end {
    /* STATUS_OK: they are gone (perhaps they were before). Anything else: end them again. */
    void (*done)(struct queue_end *e, enum status st);
    enum status st; /* queue's own */
};
/* Deletes and acknowledges n entries, in this order: when only the first is done, the group forgets
 * the rest by itself. No MULTI: a full Redis refuses it, and would stay full. */
enum status queue_ack(struct rds *r, const struct event_id *ids, size_t n, struct queue_end *e);

/* Deletes consumers that hold nothing and were not heard of for `idle_ms`; never one that holds an
 * entry (checked and deleted in one script). */
enum status queue_forget_dead(struct rds *r, int64_t idle_ms, struct queue_ticket *t);
/* One's own consumer, at a clean stop; nothing happens while it holds entries. */
enum status queue_leave(struct rds *r, const char *consumer, struct queue_ticket *t);

struct queue_state {
    void (*done)(struct queue_state *s, enum status st);
    int64_t length;    /* entries in the stream */
    int64_t in_hand;   /* of these: claimed, not yet acknowledged */
    int64_t oldest_us; /* when the oldest came in (its id), microseconds since 1970; 0 for none */
    int64_t consumers; /* heard of within QUEUE_IDLE_MS */
    int64_t
        memory; /* bytes that the stream takes, from a sample of 100 of its nodes; 0: not told */
};
/* Seconds since the oldest came in, 0 when there is none; Redis' bytes for each entry. */
int64_t queue_oldest_age_s(const struct queue_state *s);
int64_t queue_bytes_each(const struct queue_state *s);
/* A snapshot; all zero while there is no stream. STATUS_OVERLOADED: Redis refused to tell. */
enum status queue_inspect(struct rds *r, struct queue_state *s);

#endif
