/* store_ao_vivo: owns the keys ao_vivo and amostras*, and the script that says whose turn it is. */
#include "store_ao_vivo.h"

#include <stdio.h>
#include <string.h>

#include "rds.h"

#define KEY       "ao_vivo"
#define SAMPLES   "amostras"
#define INSTANCES "amostras:instancias"
#define TURN      "amostras:vez"

enum { FIELDS_MAX = 4, NUMBER_MAX = 24 };

static enum status status_of(enum status st, const redisReply *reply)
{
    return st == STATUS_OK && reply->type == REDIS_REPLY_ERROR ? STATUS_CACHE_AWAY : st;
}

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static bool is_array(const redisReply *reply, size_t min)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements >= min;
}

/* ---- writing ---- */

/* The bound is approximate ("~"), which lets Redis drop whole nodes. */
static void add_to_stream(struct rds *r, const char *key, const char *kept,
                          const struct ao_vivo_field *fields, size_t n)
{
    const char *argv[6 + 2 * FIELDS_MAX] = {"XADD", key, "MAXLEN", "~", kept, "*"};
    size_t lens[6 + 2 * FIELDS_MAX];
    int argc = 6;
    for (int i = 0; i < argc; i++)
        lens[i] = strlen(argv[i]);
    for (size_t i = 0; i < n && i < FIELDS_MAX; i++) {
        argv[argc] = fields[i].kind;
        lens[argc++] = strlen(fields[i].kind);
        argv[argc] = fields[i].text;
        lens[argc++] = fields[i].len;
    }
    rds_command(r, NULL, NULL, argc, argv, lens);
}

void store_ao_vivo_publish(struct rds *r, const struct ao_vivo_field *fields, size_t n)
{
    char kept[NUMBER_MAX];
    snprintf(kept, sizeof kept, "%d", AO_VIVO_KEPT);
    if (n > 0)
        add_to_stream(r, KEY, kept, fields, n);
}

void store_amostra_add(struct rds *r, const char *json, size_t len)
{
    char kept[NUMBER_MAX];
    snprintf(kept, sizeof kept, "%d", AMOSTRAS_KEPT);
    const struct ao_vivo_field sample = {"amostra", json, len};
    add_to_stream(r, SAMPLES, kept, &sample, 1);
    store_ao_vivo_publish(r, &sample, 1);
}

/* ---- reading ---- */

/* [id, [field, value, …]] */
static bool hand_on(struct ao_vivo_read *t, const redisReply *entry)
{
    struct event_id id;
    struct ao_vivo_field fields[FIELDS_MAX];
    size_t n = 0;
    if (!is_array(entry, 2) || !is_text(entry->element[0]) || !is_array(entry->element[1], 0) ||
        !event_id_parse(entry->element[0]->str, entry->element[0]->len, &id))
        return false;
    const redisReply *pairs = entry->element[1];
    for (size_t i = 0; i + 1 < pairs->elements && n < FIELDS_MAX; i += 2)
        if (is_text(pairs->element[i]) && is_text(pairs->element[i + 1]))
            fields[n++] = (struct ao_vivo_field){pairs->element[i]->str, pairs->element[i + 1]->str,
                                                 pairs->element[i + 1]->len};
    t->entry(t, id, fields, n);
    return true;
}

static size_t hand_on_all(struct ao_vivo_read *t, const redisReply *entries)
{
    size_t n = 0;
    for (size_t i = 0; i < entries->elements; i++)
        n += hand_on(t, entries->element[i]);
    return n;
}

/* nil, or [[key, entries]] */
static void on_wait(void *ctx, enum status st, const redisReply *reply)
{
    struct ao_vivo_read *t = ctx;
    size_t n = 0;
    st = status_of(st, reply);
    if (st == STATUS_OK && is_array(reply, 1) && is_array(reply->element[0], 2) &&
        is_array(reply->element[0]->element[1], 0))
        n = hand_on_all(t, reply->element[0]->element[1]);
    t->done(t, st, n);
}

static void on_range(void *ctx, enum status st, const redisReply *reply)
{
    struct ao_vivo_read *t = ctx;
    size_t n = 0;
    st = status_of(st, reply);
    if (st == STATUS_OK && is_array(reply, 0))
        n = hand_on_all(t, reply);
    t->done(t, st, n);
}

/* With its NUL; `open`: not the id itself. */
static const char *id_text(struct event_id id, bool open, char out[EVENT_ID_MAX + 2])
{
    out[0] = '(';
    out[1 + event_id_format(id, out + 1)] = 0;
    return open ? out : out + 1;
}

enum status store_ao_vivo_wait(struct rds *r, struct event_id after, unsigned count,
                               int64_t block_ms, struct ao_vivo_read *t)
{
    char id[EVENT_ID_MAX + 2], n[NUMBER_MAX], block[NUMBER_MAX];
    snprintf(n, sizeof n, "%u", count);
    snprintf(block, sizeof block, "%lld", (long long)block_ms);
    const char *argv[] = {"XREAD", "COUNT",   n,   "BLOCK",
                          block,   "STREAMS", KEY, id_text(after, false, id)};
    return rds_command(r, on_wait, t, 8, argv, NULL);
}

enum status store_ao_vivo_range(struct rds *r, struct event_id after, unsigned count,
                                struct ao_vivo_read *t)
{
    char id[EVENT_ID_MAX + 2], n[NUMBER_MAX];
    snprintf(n, sizeof n, "%u", count);
    const char *argv[] = {"XRANGE", KEY, id_text(after, true, id), "+", "COUNT", n};
    return rds_command(r, on_range, t, 6, argv, NULL);
}

/* A value of XINFO's list of names and values, NULL when it is not there. */
static const redisReply *member(const redisReply *info, const char *name)
{
    for (size_t i = 0; i + 1 < info->elements; i += 2)
        if (is_text(info->element[i]) && strcmp(info->element[i]->str, name) == 0)
            return info->element[i + 1];
    return NULL;
}

static void parse_id(const redisReply *text, struct event_id *ret)
{
    if (text && is_text(text))
        event_id_parse(text->str, text->len, ret);
}

/* An error is what a stream that is not there gets, or Redis' refusal: the two are told apart. */
static void on_state(void *ctx, enum status st, const redisReply *reply)
{
    struct ao_vivo_state *t = ctx;
    t->first = t->last = (struct event_id){0, 0};
    t->trimmed = false;
    bool absent = st == STATUS_OK && reply->type == REDIS_REPLY_ERROR &&
                  strncmp(reply->str, "ERR no such key", 15) == 0;
    st = absent ? STATUS_OK : status_of(st, reply);
    if (st == STATUS_OK && is_array(reply, 2)) {
        const redisReply *first = member(reply, "first-entry"), *length = member(reply, "length"),
                         *added = member(reply, "entries-added");
        parse_id(member(reply, "last-generated-id"), &t->last);
        if (first && is_array(first, 1))
            parse_id(first->element[0], &t->first);
        t->trimmed = !added || !length || added->integer > length->integer;
    }
    t->done(t, st);
}

enum status store_ao_vivo_state(struct rds *r, struct ao_vivo_state *t)
{
    return rds_command(r, on_state, t, 3, (const char *[]){"XINFO", "STREAM", KEY}, NULL);
}

/* ---- samples ---- */

/* One clock for all: Redis' own. A little less than the interval, so that a single instance, whose
 * timer is not exact, has its turn each time; a clock that went back does not stop the samples. */
static const char report[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[2])\n"
    "redis.call('PEXPIRE', KEYS[1], 60000)\n"
    "local last = tonumber(redis.call('GET', KEYS[2]) or '0') or 0\n"
    "if last <= now and now - last < 4700 then return {} end\n"
    "redis.call('SET', KEYS[2], string.format('%.0f', now), 'PX', 60000)\n"
    "local all, fresh = redis.call('HGETALL', KEYS[1]), {}\n"
    "for i = 1, #all, 2 do\n"
    "  local at, text = string.match(all[i + 1], '^(%d+) (.*)$')\n"
    "  if at and math.abs(now - tonumber(at)) < 12000 then fresh[#fresh + 1] = text\n"
    "  else redis.call('HDEL', KEYS[1], all[i]) end\n"
    "end\n"
    "return fresh";

static void on_report(void *ctx, enum status st, const redisReply *reply)
{
    struct amostra_report *t = ctx;
    const char *texts[AMOSTRA_INSTANCES_MAX];
    size_t lens[AMOSTRA_INSTANCES_MAX], n = 0;
    st = status_of(st, reply);
    for (size_t i = 0; st == STATUS_OK && is_array(reply, 1) && i < reply->elements; i++)
        if (is_text(reply->element[i]) && n < AMOSTRA_INSTANCES_MAX) {
            texts[n] = reply->element[i]->str;
            lens[n++] = reply->element[i]->len;
        }
    t->done(t, st, texts, lens, n);
}

enum status store_amostra_report(struct rds *r, const char *instance, const char *text, size_t len,
                                 struct amostra_report *t)
{
    const char *argv[] = {"EVAL", report, "2", INSTANCES, TURN, instance, text};
    const size_t lens[] = {
        4, sizeof report - 1, 1, sizeof INSTANCES - 1, sizeof TURN - 1, strlen(instance), len};
    return rds_command(r, on_report, t, 7, argv, lens);
}

/* [[id, ["amostra", json]], …], newest first */
static void on_samples(void *ctx, enum status st, const redisReply *reply)
{
    struct amostra_read *t = ctx;
    st = status_of(st, reply);
    for (size_t i = st == STATUS_OK && is_array(reply, 0) ? reply->elements : 0; i-- > 0;) {
        const redisReply *entry = reply->element[i];
        if (is_array(entry, 2) && is_array(entry->element[1], 2) &&
            is_text(entry->element[1]->element[1]))
            t->sample(t, entry->element[1]->element[1]->str, entry->element[1]->element[1]->len);
    }
    t->done(t, st);
}

enum status store_amostra_read(struct rds *r, struct amostra_read *t)
{
    char kept[NUMBER_MAX];
    snprintf(kept, sizeof kept, "%d", AMOSTRAS_KEPT);
    return rds_command(r, on_samples, t, 6,
                       (const char *[]){"XREVRANGE", SAMPLES, "+", "-", "COUNT", kept}, NULL);
}
