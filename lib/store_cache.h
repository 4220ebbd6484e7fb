/* store_cache: the first page of posts in Redis, and what guards it.
 *
 * Key `posts_cache` holds the answer as it is sent; `posts_cache:versao` counts writes. A writer
 * adds one to the version and deletes the page, in one step, after its commit and before its
 * answer; a reader that found no page notes the version before it asks PostgreSQL and stores what
 * it read only while the version is still the same. So no page older than an acknowledged write is
 * ever stored.
 *
 * A writer that goes on writing may leave a mark in `posts_cache:gravando` (a sorted set: its name,
 * and the version at which it was left or renewed): while there is one no page is stored, and its
 * owner's writes need no removal each (api/write_lease.h). A reader who is hindered says so in
 * `posts_cache:esperada`, and the next renewal takes the mark away. */
#ifndef ALICERCE_STORE_CACHE_H
#define ALICERCE_STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct rds;

enum { CACHE_VERSION_MAX = 24 }; /* digits of an int64 and a NUL */
enum { CACHE_LEASE_MAX = 33 };   /* a mark's name, 32 characters, and a NUL */
enum cache_filled { CACHE_STORED, CACHE_MOVED_ON, CACHE_MARKED };

struct cache_get {
    /* page NULL: not there. version ("" when unset) lives during the call, like page. */
    void (*done)(struct cache_get *t, enum status st, const char *page, size_t len,
                 const char *version);
};
enum status store_cache_get(struct rds *r, struct cache_get *t);

struct cache_fill {
    /* What became of it: CACHE_MARKED with the version at which marks hindered it. */
    void (*done)(struct cache_fill *t, enum status st, enum cache_filled filled, int64_t version);
};
/* Stores the page for ttl seconds unless the version has moved on or a mark stands. dead: marks of
 * this version and before are removed (mark_watch); -1 for none. */
enum status store_cache_fill(struct rds *r, const char *version, const char *page, size_t len,
                             int64_t ttl, int64_t dead, struct cache_fill *t);

struct cache_done {
    void (*done)(struct cache_done *t, enum status st, bool kept);
};
/* What a removal does to the caller's mark. */
enum cache_mark {
    CACHE_NO_MARK,  /* there is none */
    CACHE_KEEP,     /* it stands afterwards, unless a reader waits for the page: `kept` */
    CACHE_GIVE_BACK /* it is gone afterwards */
};
/* Removes the page: after a commit, before the answer. lease: the name of the caller's mark,
 * CACHE_LEASE_MAX - 1 characters. t may be NULL. */
enum status store_cache_clear(struct rds *r, const char *lease, enum cache_mark mark,
                              struct cache_done *t);

#endif
