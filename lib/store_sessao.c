/* store_sessao: owns the keys jwt:* and login:*, and their scripts. */
#include "store_sessao.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "buf.h"
#include "hmac.h"
#include "rds.h"
#include "text.h"

#define REVOKED "jwt:revogado:"
#define ACCOUNT "jwt:conta:"

enum { KEY_MAX = 96, ASK_CAP = 256 * 1024 };

static enum status status_of(enum status st, const redisReply *reply)
{
    return st == STATUS_OK && reply->type == REDIS_REPLY_ERROR ? STATUS_CACHE_AWAY : st;
}

/* ---- is a token still believed? ---- */

static void bulk(struct buf *b, const char *prefix, size_t prefix_len, const char *rest, size_t len)
{
    buf_char(b, '$');
    buf_uint(b, prefix_len + len);
    buf_lit(b, "\r\n");
    buf_add(b, prefix, prefix_len);
    buf_add(b, rest, len);
    buf_lit(b, "\r\n");
}

static void put_keys(struct buf *b, const struct sessao_question *q)
{
    char id[24];
    int n = snprintf(id, sizeof id, "%lld", (long long)q->conta);
    bulk(b, REVOKED, sizeof REVOKED - 1, q->jti, strlen(q->jti));
    bulk(b, ACCOUNT, sizeof ACCOUNT - 1, id, (size_t)n);
}

/* What is no number there was not put there by us: nothing is believed then. */
static bool generation_passed(const redisReply *value, int64_t desde)
{
    int64_t least;
    if (value->type == REDIS_REPLY_NIL)
        return false;
    return value->type != REDIS_REPLY_STRING ||
           !text_int(value->str, value->len, 0, INT64_MAX, &least) || desde < least;
}

static void on_asked(void *ctx, enum status st, const redisReply *reply)
{
    struct sessao_ask *t = ctx;
    st = status_of(st, reply);
    if (st == STATUS_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 * t->n))
        st = STATUS_CACHE_AWAY;
    for (size_t i = 0; st == STATUS_OK && i < t->n; i++)
        t->questions[i].revoked =
            reply->element[2 * i]->type != REDIS_REPLY_NIL ||
            generation_passed(reply->element[2 * i + 1], t->questions[i].desde);
    t->done(t, st);
}

enum status store_sessao_ask(struct rds *r, struct sessao_ask *t)
{
    struct buf b = buf_init(ASK_CAP);
    buf_char(&b, '*');
    buf_uint(&b, 2 * t->n + 1);
    buf_lit(&b, "\r\n$4\r\nMGET\r\n");
    for (size_t i = 0; i < t->n; i++)
        put_keys(&b, &t->questions[i]);
    enum status st =
        buf_failed(&b) ? STATUS_CACHE_AWAY : rds_formatted(r, on_asked, t, b.data, b.len);
    buf_release(&b);
    return st;
}

static void on_done(void *ctx, enum status st, const redisReply *reply)
{
    struct sessao_done *t = ctx;
    t->done(t, status_of(st, reply));
}

/* A full Redis must not keep a token alive, hence the flag (Redis 7, "Script flags"). */
#define REVOKE                                                                                     \
    "#!lua flags=allow-oom\n"                                                                      \
    "return redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])"

enum status store_sessao_revoke(struct rds *r, const char *jti, int64_t ttl_s,
                                struct sessao_done *t)
{
    char key[KEY_MAX], ttl[24];
    snprintf(key, sizeof key, REVOKED "%s", jti);
    snprintf(ttl, sizeof ttl, "%lld", (long long)ttl_s);
    return rds_command(r, on_done, t, 5, (const char *[]){"EVAL", REVOKE, "1", key, ttl}, NULL);
}

/* Two changes of one account may arrive in another order than they were committed in. */
#define END_ACCOUNT                                                                                \
    "#!lua flags=allow-oom\n"                                                                      \
    "local had = tonumber(redis.call('GET', KEYS[1]) or '0') or 0\n"                               \
    "if tonumber(ARGV[1]) >= had then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end\n"    \
    "return 1"

enum status store_sessao_end_account(struct rds *r, int64_t conta, int64_t desde, int64_t ttl_s,
                                     struct sessao_done *t)
{
    char key[KEY_MAX], generation[24], ttl[24];
    snprintf(key, sizeof key, ACCOUNT "%lld", (long long)conta);
    snprintf(generation, sizeof generation, "%lld", (long long)desde);
    snprintf(ttl, sizeof ttl, "%lld", (long long)ttl_s);
    return rds_command(r, on_done, t, 6,
                       (const char *[]){"EVAL", END_ACCOUNT, "1", key, generation, ttl}, NULL);
}

/* ---- guessing ---- */

/* Counts before the password is looked at, so that a hundred guesses sent at once are not all let
 * through. A try that is turned away does not count: waiting helps. Redis' own clock, one for all
 * replicas. */
#define TRY                                                                                        \
    "#!lua flags=allow-oom\n"                                                                      \
    "local t = redis.call('TIME')\n"                                                               \
    "local now, window, wait = t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1] * 1000, 0\n"         \
    "for i = 1, 3 do\n"                                                                            \
    "  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - window)\n"                            \
    "  local n, most = redis.call('ZCARD', KEYS[i]), tonumber(ARGV[i + 2])\n"                      \
    "  if n >= most then\n"                                                                        \
    "    local e = redis.call('ZRANGE', KEYS[i], n - most, n - most, 'WITHSCORES')\n"              \
    "    wait = math.max(wait, e[2] + window - now)\n"                                             \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "if wait > 0 then return math.ceil(wait / 1000) end\n"                                         \
    "for i = 1, 3 do\n"                                                                            \
    "  redis.call('ZADD', KEYS[i], now, ARGV[2])\n"                                                \
    "  redis.call('EXPIRE', KEYS[i], ARGV[1])\n"                                                   \
    "end\n"                                                                                        \
    "return 0"

static void on_try(void *ctx, enum status st, const redisReply *reply)
{
    struct sessao_try *t = ctx;
    if (st == STATUS_OK && reply->type != REDIS_REPLY_INTEGER)
        st = STATUS_CACHE_AWAY;
    t->done(t, st, st == STATUS_OK ? reply->integer : 0);
}

static void name_keys(const char *email, const struct cidr_address *client, struct sessao_try *t)
{
    uint8_t digest[SHA256_LEN];
    char who[33] = "", where[33] = "";
    sha256(email, strlen(email), digest);
    text_hex(digest, 16, who);
    text_hex(client->byte, sizeof client->byte, where);
    snprintf(t->both, sizeof t->both, "login:conta:%s:%s", who, where);
    snprintf(t->account, sizeof t->account, "login:conta:%s", who);
    snprintf(t->address, sizeof t->address, "login:endereco:%s", where);
}

enum status store_sessao_try(struct rds *r, const char *email, const struct cidr_address *client,
                             struct sessao_try *t)
{
    uint8_t fresh[SESSAO_MEMBER_BYTES];
    char window[12], both[12], account[12], address[12];
    name_keys(email, client, t);
    if (getrandom(fresh, sizeof fresh, 0) != sizeof fresh)
        return STATUS_CACHE_AWAY;
    text_hex(fresh, sizeof fresh, t->member);
    snprintf(window, sizeof window, "%d", SESSAO_WINDOW_S);
    snprintf(both, sizeof both, "%d", SESSAO_TRIES_BOTH);
    snprintf(account, sizeof account, "%d", SESSAO_TRIES_ACCOUNT);
    snprintf(address, sizeof address, "%d", SESSAO_TRIES_ADDRESS);
    const char *argv[] = {"EVAL", TRY,       "3",  t->both, t->account, t->address,
                          window, t->member, both, account, address};
    return rds_command(r, on_try, t, sizeof argv / sizeof argv[0], argv, NULL);
}

static void take_out(struct rds *r, const char *key, const char *member)
{
    rds_command(r, NULL, NULL, 3, (const char *[]){"ZREM", key, member}, NULL);
}

void store_sessao_forget(struct rds *r, const struct sessao_try *t)
{
    take_out(r, t->both, t->member);
    take_out(r, t->account, t->member);
    take_out(r, t->address, t->member);
}

void store_sessao_forgive(struct rds *r, const struct sessao_try *t)
{
    store_sessao_forget(r, t);
    rds_command(r, NULL, NULL, 2, (const char *[]){"DEL", t->both}, NULL);
}
