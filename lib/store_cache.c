/* store_cache: owns the keys posts_cache and posts_cache:versao and the guard script. */
#include "store_cache.h"

#include <stdio.h>
#include <string.h>

#include "rds.h"

#define PAGE    "posts_cache"
#define VERSION "posts_cache:versao"

/* Both keys come as KEYS, so the script is fit for a cluster's slots if they share one. */
#ifdef PLANT_STALE_FILL
#define FILL "redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1"
#else
#define FILL                                                                                       \
    "if (redis.call('GET', KEYS[2]) or '') == ARGV[1] then"                                        \
    " redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1 end return 0"
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

static void on_done(void *ctx, enum status st, const redisReply *reply)
{
    struct cache_done *t = ctx;
    t->done(t, status_of(st, reply));
}

enum status store_cache_fill(struct rds *r, const char *version, const char *page, size_t len,
                             int64_t ttl, struct cache_done *t)
{
    char seconds[24];
    int n = snprintf(seconds, sizeof seconds, "%lld", (long long)ttl);
    const char *argv[] = {"EVAL", FILL, "2", PAGE, VERSION, version, page, seconds};
    const size_t lens[] = {
        4,   sizeof FILL - 1, 1, sizeof PAGE - 1, sizeof VERSION - 1, strlen(version),
        len, (size_t)n};
    return rds_command(r, on_done, t, 8, argv, lens);
}

/* One step, so that no reader stores between the two what it read before. A full Redis would refuse
 * INCR and let DEL pass, hence the flag (Redis 7, "Script flags"). */
#define CLEAR                                                                                      \
    "#!lua flags=allow-oom\n"                                                                      \
    "redis.call('INCR', KEYS[2]) return redis.call('DEL', KEYS[1])"

enum status store_cache_invalidate(struct rds *r, struct cache_done *t)
{
    const char *argv[] = {"EVAL", CLEAR, "2", PAGE, VERSION};
    const size_t lens[] = {4, sizeof CLEAR - 1, 1, sizeof PAGE - 1, sizeof VERSION - 1};
    return rds_command(r, t ? on_done : NULL, t, 5, argv, lens);
}
