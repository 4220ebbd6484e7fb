/* live_pending: messages that the listeners of one loop are told at its next flush.
 *
 * They stand behind one another in one text, so that each listener's part is copied from it, and
 * are bounded in number and, for each second, in bytes: what is beyond that is left out, and said
 * to be missing as soon as there is room. A plain value of live's, on the loop's thread. */
#ifndef ALICERCE_LIVE_PENDING_H
#define ALICERCE_LIVE_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "body.h"
#include "buf.h"
#include "event.h"
#include "sse.h"

enum {
    LIVE_SECOND_MAX = 32 * 1024, /* bytes in a second */
    LIVE_PENDING_MAX = 512       /* messages and ids of one flush */
};

struct live_span { /* a message, or the id of the entry whose messages stand before it */
    bool is_id;
    enum sse_kind kind;
    size_t end; /* in the text */
    struct event_id id;
};

struct live_pending {
    struct buf text;
    struct live_span spans[LIVE_PENDING_MAX];
    unsigned n;
    size_t second_bytes;
    bool over; /* messages were left out in this second */
};

/* Once, on zeroed memory. */
void live_pending_init(struct live_pending *p);
void live_pending_release(struct live_pending *p);
/* After the flush. */
void live_pending_clear(struct live_pending *p);

/* A message of the stream; sets `over` when it has no room. */
void live_pending_add(struct live_pending *p, enum sse_kind kind, const char *json, size_t len);
/* A message of the loop's own, which does not count in the second; nothing when it has no room. */
void live_pending_add_own(struct live_pending *p, enum sse_kind kind, const char *json, size_t len);
/* All messages of the entry were added. */
void live_pending_add_id(struct live_pending *p, struct event_id id);
/* Something is missing up to this entry; `over` says afterwards whether this was left out, too. */
void live_pending_add_lost(struct live_pending *p, struct event_id id);

/* The part that is of these kinds and behind `from`, the caller's; NULL when there is none. False:
 * no memory for it. */
bool live_pending_piece(const struct live_pending *p, unsigned kinds, struct event_id from,
                        struct body **ret);

#endif
