/* clearing: between the commit of a change to posts and its answers: the cached page is removed, or
 * cannot be there (lease.h), or it is waited until it may be left where nobody believes it
 * (cache_guard.h). Embedded in the flight of a batch kind that writes posts. */
#ifndef ALICERCE_CLEARING_H
#define ALICERCE_CLEARING_H

#include <stdbool.h>

#include "batch.h"
#include "store_cache.h"
#include "write_lease.h"

enum clearing_stage { CLEARING_NOT_BEGUN, CLEARING_SENT, CLEARING_HOLDING, CLEARING_DONE };

struct clearing {
    struct cache_done cleared;
    struct lease_ask ask;
    struct batch *batch;
    enum clearing_stage stage;
};

/* At the start of a flight. */
void clearing_init(struct clearing *c, struct batch *b);
/* In the kind's `landed`: true when its answers may leave. `written`: something was, or may have
 * been; looked at when the flight lands for the first time. */
bool clearing_landed(struct clearing *c, bool written);
/* In the kind's `tick`. */
void clearing_tick(struct clearing *c);

#endif
