/* replay: what listeners that come back have missed (GET /api/ao-vivo, Last-Event-ID).
 *
 * When a network or a proxy comes back, so do all listeners at once, and most of them miss the
 * same. So a loop reads one replay at a time, and all who miss the same share it and its bytes: a
 * crowd takes neither Redis nor memory away from everybody else. All on the loop's thread. */
#ifndef ALICERCE_REPLAY_H
#define ALICERCE_REPLAY_H

#include <stdbool.h>

#include "body.h"
#include "event.h"
#include "status.h"

struct request;

/* Embedded in its owner, who keeps it until done ran. */
struct replay_ticket {
    struct request *request; /* parked, with a reference; when it waits no more nothing is read */
    /* STATUS_OK: what the stream begins with, up to `until`, which is not before live_position;
     * `text` is the caller's. Else STATUS_CACHE_AWAY or STATUS_OVERLOADED. */
    void (*done)(struct replay_ticket *t, enum status st, struct event_id until, struct body *text);
    struct replay_ticket *next;
};

/* Reads what came behind `after` (resumes), or as little as there has to be. lost: it begins with
 * the word that something is missing. done may run within the call. */
void replay_ask(struct replay_ticket *t, unsigned kinds, struct event_id after, bool resumes,
                bool lost);

#endif
