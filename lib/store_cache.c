/* store_cache: owns the keys posts_cache and posts_cache:* and the guard scripts. */
#include "store_cache.h"

#include <stdio.h>
#include <string.h>

#include "rds.h"

#define PAGE    "posts_cache"
#define VERSION "posts_cache:versao"
#define MARKS   "posts_cache:gravando"
#define AWAITED "posts_cache:esperada"

enum { AWAITED_S = 5 }; /* as long as the wish is not older than the cooling of a lease */

/* All keys come as KEYS, so the scripts are fit for a cluster's slots if they share one.
 * 1: stored; 0: the version has moved on; -1 - version: a mark stands. A dead mark is removed like
 * one that is given back: the version moves on, so this page is not stored. A version that is lower
 * than that of the marks to remove is one that began anew: nothing is known of its marks. */
#ifdef PLANT_STALE_FILL
#define FILL "redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1"
#else
#define FILL                                                                                       \
    "local v = redis.call('GET', KEYS[2]) or ''"                                                   \
    " if ARGV[4] ~= '-1' and (tonumber(v) or 0) >= tonumber(ARGV[4])"                              \
    " and redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[4]) > 0 then"                       \
    " redis.call('INCR', KEYS[2]) return 0 end" STOP_AT_MARK " if v ~= ARGV[1] then return 0 end"  \
    " redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1"
#endif
#ifdef PLANT_FILL_UNDER_MARK
#define STOP_AT_MARK
#else
#define STOP_AT_MARK                                                                               \
    " if redis.call('EXISTS', KEYS[3]) == 1 then"                                                  \
    " redis.call('SET', KEYS[4], 1, 'EX', ARGV[5]) return -1 - (tonumber(v) or 0) end"
#endif

static enum status status_of(enum status st, const redisReply *reply)
{
    return st == STATUS_OK && reply->type == REDIS_REPLY_ERROR ? STATUS_CACHE_AWAY : st;
}

static void on_get(void *ctx, enum status st, const redisReply *reply)
{
    struct cache_get *t = ctx;
    st = status_of(st, reply);
    if (st == STATUS_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2))
        st = STATUS_CACHE_AWAY;
    if (st != STATUS_OK) {
        t->done(t, st, NULL, 0, "");
        return;
    }
    const redisReply *page = reply->element[0], *version = reply->element[1];
    const char *text = version->type == REDIS_REPLY_STRING ? version->str : "";
    t->done(t, st, page->type == REDIS_REPLY_STRING ? page->str : NULL,
            page->type == REDIS_REPLY_STRING ? page->len : 0, text);
}

enum status store_cache_get(struct rds *r, struct cache_get *t)
{
    static const char cmd[] = "*3\r\n$4\r\nMGET\r\n$11\r\n" PAGE "\r\n$18\r\n" VERSION "\r\n";
    return rds_formatted(r, on_get, t, cmd, sizeof cmd - 1);
}

static void on_fill(void *ctx, enum status st, const redisReply *reply)
{
    struct cache_fill *t = ctx;
    st = status_of(st, reply);
    long long said = st == STATUS_OK && reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    enum cache_filled filled = said > 0 ? CACHE_STORED : said == 0 ? CACHE_MOVED_ON : CACHE_MARKED;
    t->done(t, st, filled, filled == CACHE_MARKED ? -1 - said : 0);
}

enum status store_cache_fill(struct rds *r, const char *version, const char *page, size_t len,
                             int64_t ttl, int64_t dead, struct cache_fill *t)
{
    char number[3][24];
    const int64_t value[3] = {ttl, dead, AWAITED_S};
    size_t n[3];
    for (int i = 0; i < 3; i++)
        n[i] = (size_t)snprintf(number[i], sizeof number[i], "%lld", (long long)value[i]);
    const char *argv[] = {"EVAL",  FILL,    "4",  PAGE,      VERSION,   MARKS,
                          AWAITED, version, page, number[0], number[1], number[2]};
    const size_t lens[] = {4,
                           sizeof FILL - 1,
                           1,
                           sizeof PAGE - 1,
                           sizeof VERSION - 1,
                           sizeof MARKS - 1,
                           sizeof AWAITED - 1,
                           strlen(version),
                           len,
                           n[0],
                           n[1],
                           n[2]};
    return rds_command(r, on_fill, t, 12, argv, lens);
}

/* One step, so that no reader stores between the two what it read before. A full Redis would refuse
 * INCR and let DEL pass, hence the flag (Redis 7, "Script flags"). */
#define FLAGS "#!lua flags=allow-oom\n"
/* A version that is no number, and marks that are no sorted set, were not put there by us: they
 * begin anew. Else every write would wait for a removal that never comes. */
#define COUNT                                                                                      \
    "local v = redis.pcall('INCR', KEYS[2]) if type(v) ~= 'number' then"                           \
    " redis.call('DEL', KEYS[2]) v = redis.call('INCR', KEYS[2]) end"
#define CLEAR FLAGS COUNT " return redis.call('DEL', KEYS[1]) * 0"
#define CLEAR_MARKED                                                                               \
    FLAGS COUNT " local m, kept = 0, 0"                                                            \
                " if ARGV[2] == '1' and redis.call('DEL', KEYS[4]) == 0 then"                      \
                " m, kept = redis.pcall('ZADD', KEYS[3], v, ARGV[1]), 1"                           \
                " else m = redis.pcall('ZREM', KEYS[3], ARGV[1]) end"                              \
                " if type(m) ~= 'number' then"                                                     \
                " if not string.find(m.err, 'WRONGTYPE', 1, true) then return m end"               \
                " redis.call('DEL', KEYS[3]) kept = 0 end"                                         \
                " redis.call('DEL', KEYS[1]) return kept"

static void on_cleared(void *ctx, enum status st, const redisReply *reply)
{
    struct cache_done *t = ctx;
    st = status_of(st, reply);
    t->done(t, st, st == STATUS_OK && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1);
}

/* Every lone write sends the first, so it is written out. */
static enum status clear(struct rds *r, struct cache_done *t)
{
    enum { SCRIPT_LEN = 189 };
    _Static_assert(sizeof CLEAR - 1 == SCRIPT_LEN, "length in the command");
    static const char cmd[] = "*5\r\n$4\r\nEVAL\r\n$189\r\n" CLEAR "\r\n$1\r\n2\r\n$11\r\n" PAGE
                              "\r\n$18\r\n" VERSION "\r\n";
    return rds_formatted(r, t ? on_cleared : NULL, t, cmd, sizeof cmd - 1);
}

enum status store_cache_clear(struct rds *r, const char *lease, enum cache_mark mark,
                              struct cache_done *t)
{
    if (mark == CACHE_NO_MARK)
        return clear(r, t);
    const char *argv[] = {"EVAL",  CLEAR_MARKED, "4",
                          PAGE,    VERSION,      MARKS,
                          AWAITED, lease,        mark == CACHE_KEEP ? "1" : "0"};
    const size_t lens[] = {4,
                           sizeof CLEAR_MARKED - 1,
                           1,
                           sizeof PAGE - 1,
                           sizeof VERSION - 1,
                           sizeof MARKS - 1,
                           sizeof AWAITED - 1,
                           CACHE_LEASE_MAX - 1,
                           1};
    return rds_command(r, t ? on_cleared : NULL, t, 9, argv, lens);
}
