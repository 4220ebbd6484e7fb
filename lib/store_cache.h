/* store_cache: the first page of posts in Redis, and the version that guards it.
 *
 * Key `posts_cache` holds the answer as it is sent; `posts_cache:versao` counts writes. A writer
 * adds one to the version and deletes the page, in one step, after its commit and before its
 * answer; a reader that found no page notes the version before it asks PostgreSQL and stores what
 * it read only while the version is still the same. So no page older than an acknowledged write is
 * ever stored. */
#ifndef ALICERCE_STORE_CACHE_H
#define ALICERCE_STORE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct rds;

enum { CACHE_VERSION_MAX = 24 }; /* digits of an int64 and a NUL */

struct cache_get {
    /* page NULL: not there. version ("" when unset) lives during the call, like page. */
    void (*done)(struct cache_get *t, enum status st, const char *page, size_t len,
                 const char *version);
};
enum status store_cache_get(struct rds *r, struct cache_get *t);

struct cache_done {
    void (*done)(struct cache_done *t, enum status st);
};
/* Stores the page for ttl seconds unless the version has moved on (that is STATUS_OK too). */
enum status store_cache_fill(struct rds *r, const char *version, const char *page, size_t len,
                             int64_t ttl, struct cache_done *t);
/* After a commit, before the answer. */
enum status store_cache_invalidate(struct rds *r, struct cache_done *t);

#endif
