/* store_ping: owns the smallest question to each server. */
#include "store_ping.h"

#include "rds.h"

static const struct pg_statement ping = {.name = "ping", .sql = "SELECT 1", .n_params = 0};

const struct pg_statement *const store_ping_statements[] = {&ping, NULL};

static void on_pg(void *ctx, enum status st, const PGresult *res)
{
    (void)res;
    struct ping_ticket *t = ctx;
    t->done(t, st);
}

enum status store_ping_pg(struct pg *pg, struct ping_ticket *t)
{
    return pg_query(pg, &ping, &(struct pg_values){0}, on_pg, t);
}

static void on_rds(void *ctx, enum status st, const redisReply *reply)
{
    struct ping_ticket *t = ctx;
    t->done(t, st == STATUS_OK && reply->type == REDIS_REPLY_ERROR ? STATUS_CACHE_AWAY : st);
}

enum status store_ping_rds(struct rds *r, struct ping_ticket *t)
{
    return rds_formatted(r, on_rds, t, "*1\r\n$4\r\nPING\r\n", 14);
}
