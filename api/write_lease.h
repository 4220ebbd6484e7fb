/* write_lease: when a loop that writes post after post may answer without removing the cached page
 * each time.
 *
 * A removal may leave a mark in Redis (store_cache). While any mark stands there is no page and
 * nobody stores one, so a write needs no removal of its own: that is the lease. It is taken by a
 * loop whose writes follow each other without a pause, and given back when they stop or when
 * somebody reads the cached page, so that readers have their cache.
 *
 * Why it is safe: the mark is taken away by its owner, or, as of a dead one, by a reader who has
 * seen for MARK_DEAD_US that it was not renewed. The owner believes it for LEASE_VALID_US only,
 * counted from before it was sent, and looks at the clock after the commit. So what was answered
 * under a mark was committed while it stood. Taking it away adds to the version: a page that was
 * read before is not stored after. All times are of the monotonic clocks of those who measure;
 * Redis' clock has no part in it. */
#ifndef ALICERCE_WRITE_LEASE_H
#define ALICERCE_WRITE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LEASE_CLOSE = 256,        /* flights in a row, each … */
    LEASE_GAP_US = 5000,      /* … begun so soon after the one before had landed */
    LEASE_RENEW_US = 100000,  /* the mark is sent anew, and readers' wishes are heard */
    LEASE_VALID_US = 500000,  /* < MARK_DEAD_US by more than clocks can differ */
    LEASE_IDLE_US = 50000,    /* without a write it is given back */
    LEASE_COOL_US = 10000000, /* after a reader came: writes remove the page one by one */
    MARK_DEAD_US = 5000000
};

struct write_lease {
    int64_t since_us; /* when the mark that is believed was sent; 0: none */
    int64_t landed_us;
    int64_t cool_until_us;
    unsigned turn;   /* of giving back: a mark sent before counts no more */
    unsigned flying; /* flights that write */
    unsigned close;  /* of them in a row that came without a pause */
    bool marked;     /* a mark of ours may stand */
};

/* A removal on its way. */
struct lease_ask {
    int64_t sent_us;
    unsigned turn;
    bool keep; /* it is to leave a mark */
    bool drop; /* it is to take one away */
};

static inline void write_lease_began(struct write_lease *l, int64_t now_us)
{
    bool close = l->flying > 0 || now_us - l->landed_us <= LEASE_GAP_US;
    l->close = !close ? 0 : l->close < LEASE_CLOSE ? l->close + 1 : l->close;
    l->flying++;
}

static inline void write_lease_landed(struct write_lease *l, int64_t now_us)
{
    l->landed_us = now_us;
    l->flying--;
}

/* Given back, or lost with the connection. */
static inline void write_lease_ended(struct write_lease *l)
{
    l->since_us = 0;
    l->marked = false;
    l->turn++;
}

/* Somebody reads the page. */
static inline void write_lease_cool(struct write_lease *l, int64_t now_us)
{
    write_lease_ended(l);
    l->cool_until_us = now_us + LEASE_COOL_US;
}

/* A removal is about to be sent. `may`: nothing forbids that it leaves a mark. */
static inline struct lease_ask write_lease_ask(struct write_lease *l, bool may, int64_t now_us)
{
    bool keep = may && l->close >= LEASE_CLOSE && now_us >= l->cool_until_us;
    bool drop = l->marked && !keep;
    if (!keep)
        write_lease_ended(l);
    l->marked = keep;
    return (struct lease_ask){now_us, l->turn, keep, drop};
}

/* It was done; `kept`: the mark stands (else a reader waits for the page). */
static inline void write_lease_answered(struct write_lease *l, const struct lease_ask *ask,
                                        bool kept, int64_t now_us)
{
    if (!ask->keep || ask->turn != l->turn)
        return;
    if (!kept)
        write_lease_cool(l, now_us);
    else if (ask->sent_us > l->since_us)
        l->since_us = ask->sent_us;
}

/* May a write that is known to be committed be answered? now_us: read from the clock after that. */
static inline bool write_lease_covers(const struct write_lease *l, int64_t now_us)
{
#ifdef PLANT_LEASE_UNASKED /* tests only: answered before a mark stands */
    return l->close >= LEASE_CLOSE;
#endif
    return l->since_us != 0 && now_us - l->since_us < LEASE_VALID_US;
}

static inline bool write_lease_due(const struct write_lease *l, int64_t now_us)
{
    return l->since_us != 0 && now_us - l->since_us >= LEASE_RENEW_US;
}

static inline bool write_lease_idle(const struct write_lease *l, int64_t now_us)
{
    return l->marked && l->flying == 0 && now_us - l->landed_us >= LEASE_IDLE_US;
}

/* What a reader knows of marks that hinder it: all that were there at `version`. */
struct mark_watch {
    int64_t version;
    int64_t since_us; /* 0: nothing hinders it */
};

/* A page was not stored because a mark stands; the version is now this. */
static inline void mark_watch_refused(struct mark_watch *w, int64_t version, int64_t now_us)
{
    if (w->since_us == 0 || version < w->version)
        *w = (struct mark_watch){version, now_us};
}

/* Marks with this version or a lower one are dead; -1: none is known to be. Asked before a page is
 * sent; what is given out is forgotten. */
static inline int64_t mark_watch_dead(struct mark_watch *w, int64_t now_us)
{
#ifdef PLANT_MARK_FOR_EVER /* tests only: a dead writer's mark stays */
    return -1;
#endif
    if (w->since_us == 0 || now_us - w->since_us < MARK_DEAD_US)
        return -1;
    w->since_us = 0;
    return w->version;
}

#endif
