/* store_counter: owns the counters' keys. */
#include "store_counter.h"

#include <stdio.h>
#include <string.h>

#include "rds.h"
#include "text.h"

#define VISITS "contador_requisicoes"

static enum status read_text(const redisReply *reply, int64_t *ret)
{
    return text_int(reply->str, reply->len, INT64_MIN, INT64_MAX, ret) ? STATUS_OK
                                                                       : STATUS_CONFLICT;
}

/* Redis' own words for what is wrong with the value (t_string.c); all else is Redis' trouble. */
static enum status of_error(const char *text)
{
    bool value = strncmp(text, "WRONGTYPE", 9) == 0 || strstr(text, "not an integer") ||
                 strstr(text, "overflow");
    return value ? STATUS_CONFLICT : STATUS_CACHE_AWAY;
}

static void on_reply(void *ctx, enum status st, const redisReply *reply)
{
    struct counter_ticket *t = ctx;
    int64_t value = 0;
    if (st == STATUS_OK && reply->type == REDIS_REPLY_INTEGER)
        value = reply->integer;
    else if (st == STATUS_OK && reply->type == REDIS_REPLY_STRING)
        st = read_text(reply, &value);
    else if (st == STATUS_OK && reply->type == REDIS_REPLY_ERROR)
        st = of_error(reply->str);
    t->done(t, st, value);
}

enum status store_counter_visits_add(struct rds *r, unsigned n, struct counter_ticket *t)
{
    char cmd[96], amount[16];
    int digits = snprintf(amount, sizeof amount, "%u", n);
    int len = snprintf(cmd, sizeof cmd, "*3\r\n$6\r\nINCRBY\r\n$20\r\n" VISITS "\r\n$%d\r\n%s\r\n",
                       digits, amount);
    return rds_formatted(r, on_reply, t, cmd, (size_t)len);
}

enum status store_counter_visits(struct rds *r, struct counter_ticket *t)
{
    static const char cmd[] = "*2\r\n$3\r\nGET\r\n$20\r\n" VISITS "\r\n";
    return rds_formatted(r, on_reply, t, cmd, sizeof cmd - 1);
}

enum status store_counter_read(struct rds *r, const char *name, struct counter_ticket *t)
{
    char key[80];
    snprintf(key, sizeof key, "contador:%s", name);
    return rds_command(r, on_reply, t, 2, (const char *[]){"GET", key}, NULL);
}

enum status store_counter_add(struct rds *r, const char *name, int64_t n, struct counter_ticket *t)
{
    char key[80], amount[24];
    snprintf(key, sizeof key, "contador:%s", name);
    snprintf(amount, sizeof amount, "%lld", (long long)n);
    return rds_command(r, on_reply, t, 3, (const char *[]){"INCRBY", key, amount}, NULL);
}
