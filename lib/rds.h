/* rds: one connection to Redis, pipelined, driven by an ev.
 *
 * Commands are collected and written once a tick (rds_flush). A lost or stalled connection answers
 * everything in flight with STATUS_CACHE_AWAY and is made anew with jitter. A Redis whose
 * maxmemory-policy may evict keys is refused: it would throw deliveries away. One thread. */
#ifndef ALICERCE_RDS_H
#define ALICERCE_RDS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct ev;
struct rds;

enum rds_change {
    RDS_READY,
    RDS_CLOSED, /* by the server or the network, seen at once by everyone */
    RDS_STALLED /* it stopped answering */
};

struct rds_options {
    const char *host; /* all strings outlive the rds */
    int port;
    const char *user, *password; /* NULL for none */
    int db;
    const char *client_name;
    int64_t connect_timeout_ms;
    int64_t stall_ms; /* an answer that takes longer: the connection is made anew */
    /* Called after the connection became ready or was lost, and when the first attempt to connect
     * failed; may be NULL. */
    void (*changed)(void *ctx, enum rds_change change);
    void *ctx;
};

/* Begins to connect at the next tick. */
struct rds *rds_new(struct ev *ev, const struct rds_options *o);
/* Everything in flight is answered with STATUS_CACHE_AWAY, then all is freed. */
void rds_free(struct rds *r);
/* Deadlines, reconnects, and a PING each second of silence so that a frozen server is noticed. */
void rds_tick(struct rds *r, int64_t now_ms);
bool rds_ready(const struct rds *r);
/* Why the last connection or attempt ended, for people; "" when none did. */
const char *rds_why(const struct rds *r);
/* Monotonic ms at which the present connection became ready, or the last one was lost. */
int64_t rds_since_ms(const struct rds *r);
unsigned rds_in_flight(const struct rds *r);
/* Ends the connection now: what is in flight is answered with STATUS_CACHE_AWAY. */
void rds_reset(struct rds *r, const char *why);

/* STATUS_OK: reply is anything, REDIS_REPLY_ERROR included. STATUS_CACHE_AWAY: reply is NULL and
 * the outcome unknown. The reply lives during the call; the callback may send more commands. */
typedef void (*rds_fn)(void *ctx, enum status st, const redisReply *reply);

/* STATUS_OK, or STATUS_CACHE_AWAY at once (fn is not called). Arguments are copied. */
enum status rds_command(struct rds *r, rds_fn fn, void *ctx, int argc, const char *const *argv,
                        const size_t *lens);
/* The same for a command that is formatted already (RESP array of bulk strings). */
enum status rds_formatted(struct rds *r, rds_fn fn, void *ctx, const char *cmd, size_t len);
/* Once a tick, after all commands. */
void rds_flush(struct rds *r);

/* Asks the server at once, blocking at most timeout_ms: STATUS_OK, STATUS_CACHE_AWAY (not reachable
 * or wrong password: go on, the loops keep trying) or STATUS_NOT_CONFIGURED with the policy in
 * ret_policy[32] when maxmemory-policy is not noeviction. For the start of a program. */
enum status rds_check_policy(const struct rds_options *o, int timeout_ms, char *ret_policy);

#endif
