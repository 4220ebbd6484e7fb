/* rds_policy: owns the look at maxmemory-policy, and rds.h's question before a program starts. */
#include "rds_policy.h"

#include <string.h>
#include <sys/time.h>

#include "rds.h"

bool rds_policy_find(const char *info, size_t len, char ret[static RDS_POLICY_MAX])
{
    static const char key[] = "maxmemory_policy:";
    const char *p = memmem(info, len, key, sizeof key - 1);
    if (!p)
        return false;
    p += sizeof key - 1;
    size_t n = 0;
    while (p + n < info + len && p[n] != '\r' && p[n] != '\n' && n < RDS_POLICY_MAX - 1)
        n++;
    memcpy(ret, p, n);
    ret[n] = 0;
    return true;
}

static redisReply *ask(redisContext *c, int argc, const char **argv)
{
    redisReply *reply = redisCommandArgv(c, argc, argv, NULL);
    if (reply && reply->type == REDIS_REPLY_ERROR) {
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

static bool log_in(redisContext *c, const struct rds_options *o)
{
    if (!o->password)
        return true;
    const char *argv[] = {"AUTH", o->user ? o->user : o->password, o->password};
    redisReply *reply = ask(c, o->user ? 3 : 2, argv);
    if (reply)
        freeReplyObject(reply);
    return reply != NULL;
}

enum status rds_check_policy(const struct rds_options *o, int timeout_ms, char *ret_policy)
{
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    redisContext *c = *o->host == '/' ? redisConnectUnixWithTimeout(o->host, limit)
                                      : redisConnectWithTimeout(o->host, o->port, limit);
    redisReply *info = NULL;
    char policy[RDS_POLICY_MAX];
    enum status st = STATUS_CACHE_AWAY;
    if (c && !c->err && redisSetTimeout(c, limit) == REDIS_OK && log_in(c, o))
        info = ask(c, 2, (const char *[]){"INFO", "memory"});
    if (info && info->str) {
        bool found = rds_policy_find(info->str, info->len, policy);
        st = found && strcmp(policy, "noeviction") != 0 ? STATUS_NOT_CONFIGURED : STATUS_OK;
        if (st == STATUS_NOT_CONFIGURED)
            strcpy(ret_policy, policy);
    }
    if (info)
        freeReplyObject(info);
    if (c)
        redisFree(c);
    return st;
}
