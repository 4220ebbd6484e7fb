/* live: the listeners of one loop and what they are told (GET /api/ao-vivo).
 *
 * Events come from Redis' stream by one connection, which waits for the next ones and exists only
 * while somebody listens; each is made into bytes once and shared. What comes within LIVE_EVERY_MS
 * goes out together, and at most LIVE_SECOND_MAX bytes in a second (live_pending): beyond that
 * listeners are told that they have missed something. So a storm of events costs a bounded number
 * of writes, and a listener that does not keep up with it is cut. All on the loop's thread. */
#ifndef ALICERCE_LIVE_H
#define ALICERCE_LIVE_H

#include <stdint.h>

#include "body.h"
#include "event.h"
#include "status.h"

struct live;
struct loop;
struct request;

enum {
    LIVE_EVERY_MS = 100,
    LIVE_CAP = 64 * 1024,       /* what waits for one listener, and a replay */
    LIVE_LISTENERS_MAX = 10000, /* of one loop */
    LIVE_HEARTBEAT_MS = 15000,
    LIVE_TOKENS_MS = 5000 /* between two looks at whether tokens were revoked */
};

struct live *live_new(struct loop *loop);
/* After the server: its listeners are gone. */
void live_free(struct live *live);
void live_tick(struct live *live, int64_t now_ms);
/* Once a pass: what is to be written to Redis. */
void live_flush(struct live *live);

/* Up to where its listeners were told; 0-0 when nobody listens. Whoever joins must know what came
 * before. */
struct event_id live_position(const struct live *live);
/* Answers with a stream that begins with `first` and goes on behind `from`, which is not before
 * live_position. STATUS_OK, or the refusal. */
enum status live_join(struct live *live, struct request *r, unsigned kinds, struct event_id from,
                      struct body *first);

#endif
