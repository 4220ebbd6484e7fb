/* queue: owns the key and the group, the commands on them and what their answers mean.
 *
 * Commands are formatted by hand (RESP array of bulk strings), because XADD stands on the intake's
 * hot path and the others carry up to a thousand ids. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rds.h"
#include "text.h"

#define KEY   "fila:webhooks"
#define GROUP "workers"

/* As bulk strings. */
#define KEY_BULK   "$13\r\n" KEY "\r\n"
#define GROUP_BULK "$7\r\n" GROUP "\r\n"
_Static_assert(sizeof KEY - 1 == 13 && sizeof GROUP - 1 == 7, "the lengths above");

enum {
    COMMAND_CAP = 64 << 20, /* far above one XADD of the intake's 3 MiB */
    XADD_REST = 896         /* the command's own words, the usual texts, lengths */
};

/* ---- commands ---- */

static void add_head(struct buf *b, size_t argc)
{
    buf_char(b, '*');
    buf_uint(b, argc);
    buf_lit(b, "\r\n");
}

static void add_arg(struct buf *b, const char *s, size_t len)
{
    buf_char(b, '$');
    buf_uint(b, len);
    buf_lit(b, "\r\n");
    buf_add(b, s, len);
    buf_lit(b, "\r\n");
}

static void add_str(struct buf *b, const char *s)
{
    add_arg(b, s, strlen(s));
}

static void add_int(struct buf *b, int64_t v)
{
    struct buf digits = buf_init(20);
    buf_int(&digits, v);
    add_arg(b, digits.data, digits.len);
    buf_release(&digits);
}

static void add_id(struct buf *b, struct event_id id)
{
    char text[EVENT_ID_MAX];
    add_arg(b, text, event_id_format(id, text));
}

static void add_ids(struct buf *b, const struct event_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_id(b, ids[i]);
}

/* Sends what is in `b` and releases it. */
static enum status send_buf(struct rds *r, struct buf *b, rds_fn fn, void *ctx)
{
    enum status st = buf_failed(b) ? STATUS_OVERLOADED : rds_formatted(r, fn, ctx, b->data, b->len);
    buf_release(b);
    return st;
}

static bool is_error(const redisReply *reply, const char *code)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, code, strlen(code)) == 0;
}

/* ---- answers of commands that only succeed or fail ---- */

static void on_answer(void *ctx, enum status st, const redisReply *reply)
{
    struct queue_ticket *t = ctx;
    if (st == STATUS_OK && reply->type == REDIS_REPLY_ERROR)
        st = STATUS_OVERLOADED;
    t->done(t, st);
}

enum status queue_push(struct rds *r, const struct queue_message *m, struct queue_ticket *t)
{
    struct buf b = buf_init(COMMAND_CAP);
    buf_reserve(&b, m->corpo_len + XADD_REST); /* one allocation */
    add_head(&b, 3 + 2 * event_pairs(m));
    buf_lit(&b, "$4\r\nXADD\r\n" KEY_BULK "$1\r\n*\r\n");
    event_encode(&b, m);
    enum status st = send_buf(r, &b, on_answer, t);
    return st == STATUS_OVERLOADED ? STATUS_CACHE_AWAY : st; /* no memory: not sent either */
}

static void on_group(void *ctx, enum status st, const redisReply *reply)
{
    struct queue_ticket *t = ctx;
    if (st == STATUS_OK && reply->type == REDIS_REPLY_ERROR && !is_error(reply, "BUSYGROUP"))
        st = STATUS_OVERLOADED;
    t->done(t, st);
}

/* Redis documentation, "Scripting with Lua", "Script flags". */
static enum status create_by_script(struct rds *r, struct queue_ticket *t)
{
    static const char script[] =
        "#!lua flags=allow-oom\n"
        "return redis.call('XGROUP', 'CREATE', KEYS[1], '" GROUP "', '0', 'MKSTREAM')";
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 4);
    buf_lit(&b, "$4\r\nEVAL\r\n");
    add_arg(&b, script, sizeof script - 1);
    buf_lit(&b, "$1\r\n1\r\n" KEY_BULK);
    return send_buf(r, &b, on_group, t);
}

enum status queue_create_group(struct rds *r, bool forced, struct queue_ticket *t)
{
    static const char cmd[] = "*6\r\n$6\r\nXGROUP\r\n$6\r\nCREATE\r\n" KEY_BULK GROUP_BULK
                              "$1\r\n0\r\n$8\r\nMKSTREAM\r\n";
    return forced ? create_by_script(r, t) : rds_formatted(r, on_group, t, cmd, sizeof cmd - 1);
}

enum status queue_keep(struct rds *r, const char *consumer, const struct event_id *ids, size_t n,
                       struct queue_ticket *t)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 6 + n);
    buf_lit(&b, "$6\r\nXCLAIM\r\n" KEY_BULK GROUP_BULK);
    add_str(&b, consumer);
    buf_lit(&b, "$1\r\n0\r\n"); /* min-idle-time */
    add_ids(&b, ids, n);
    buf_lit(&b, "$6\r\nJUSTID\r\n"); /* no bodies back, and no delivery counted */
    return send_buf(r, &b, on_answer, t);
}

/* Reads one's own entries behind the last id that there can be: none. */
enum status queue_show_up(struct rds *r, const char *consumer, struct queue_ticket *t)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 7);
    buf_lit(&b, "$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n" GROUP_BULK);
    add_str(&b, consumer);
    buf_lit(&b, "$7\r\nSTREAMS\r\n" KEY_BULK);
    add_id(&b, (struct event_id){UINT64_MAX, 0}); /* the very last one would wrap around */
    return send_buf(r, &b, on_answer, t);
}

/* ---- delete and acknowledge ---- */

static void on_deleted(void *ctx, enum status st, const redisReply *reply)
{
    struct queue_end *e = ctx;
    e->st = st == STATUS_OK && reply->type == REDIS_REPLY_ERROR ? STATUS_OVERLOADED : st;
}

static void on_acked(void *ctx, enum status st, const redisReply *reply)
{
    struct queue_end *e = ctx;
    if (st == STATUS_OK && reply->type == REDIS_REPLY_ERROR)
        st = STATUS_OVERLOADED;
    e->done(e, e->st == STATUS_OK ? st : e->st);
}

static enum status send_delete(struct rds *r, const struct event_id *ids, size_t n,
                               struct queue_end *e)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 2 + n);
    buf_lit(&b, "$4\r\nXDEL\r\n" KEY_BULK);
    add_ids(&b, ids, n);
    return send_buf(r, &b, on_deleted, e);
}

static enum status send_ack(struct rds *r, const struct event_id *ids, size_t n,
                            struct queue_end *e)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 3 + n);
    buf_lit(&b, "$4\r\nXACK\r\n" KEY_BULK GROUP_BULK);
    add_ids(&b, ids, n);
    return send_buf(r, &b, on_acked, e);
}

/* When the second one cannot be sent, the first one's answer is noted in e, which its owner keeps
 * for the next attempt: that is made on the same connection, behind it. */
enum status queue_ack(struct rds *r, const struct event_id *ids, size_t n, struct queue_end *e)
{
    enum status st = send_delete(r, ids, n, e);
    return st == STATUS_OK ? send_ack(r, ids, n, e) : st;
}

/* ---- claiming ---- */

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static bool is_array(const redisReply *reply, size_t min)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements >= min;
}

/* [id, [field, value, ...]]; nil, or [id, nil], when the entry was deleted after it was claimed. */
static bool hand_on(struct queue_claim *c, const redisReply *entry)
{
    struct event_id id;
    struct event e;
    if (!is_array(entry, 2) || !is_text(entry->element[0]) || !is_array(entry->element[1], 0) ||
        !event_id_parse(entry->element[0]->str, entry->element[0]->len, &id))
        return false;
    event_begin(&e, id);
    const redisReply *pairs = entry->element[1];
    for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
        const redisReply *name = pairs->element[i], *value = pairs->element[i + 1];
        if (is_text(name) && is_text(value))
            event_field(&e, name->str, name->len, value->str, value->len);
    }
    c->entry(c, &e);
    return true;
}

static size_t hand_on_all(struct queue_claim *c, const redisReply *entries)
{
    size_t n = 0;
    for (size_t i = 0; i < entries->elements; i++)
        n += hand_on(c, entries->element[i]);
    return n;
}

/* NOGROUP: group or stream is missing. UNBLOCKED: the stream was deleted while we waited on it. */
static enum status status_of_claim(enum status st, const redisReply *reply)
{
    if (st != STATUS_OK)
        return st;
    if (is_error(reply, "NOGROUP") || is_error(reply, "UNBLOCKED"))
        return STATUS_NOT_FOUND;
    return reply->type == REDIS_REPLY_ERROR ? STATUS_OVERLOADED : STATUS_OK;
}

/* nil, or [[key, entries]] */
static void on_new(void *ctx, enum status st, const redisReply *reply)
{
    struct queue_claim *c = ctx;
    size_t n = 0;
    st = status_of_claim(st, reply);
    if (st == STATUS_OK && is_array(reply, 1) && is_array(reply->element[0], 2) &&
        is_array(reply->element[0]->element[1], 0))
        n = hand_on_all(c, reply->element[0]->element[1]);
    c->done(c, st, n);
}

enum status queue_claim_new(struct rds *r, const char *consumer, unsigned count, int64_t block_ms,
                            struct queue_claim *c)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, block_ms > 0 ? 11 : 9);
    buf_lit(&b, "$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n" GROUP_BULK);
    add_str(&b, consumer);
    buf_lit(&b, "$5\r\nCOUNT\r\n");
    add_int(&b, count);
    if (block_ms > 0) {
        buf_lit(&b, "$5\r\nBLOCK\r\n");
        add_int(&b, block_ms);
    }
    buf_lit(&b, "$7\r\nSTREAMS\r\n" KEY_BULK "$1\r\n>\r\n");
    return send_buf(r, &b, on_new, c);
}

/* [cursor, entries, ids that were deleted (Redis 7)] */
static void on_idle(void *ctx, enum status st, const redisReply *reply)
{
    struct queue_claim *c = ctx;
    size_t n = 0;
    st = status_of_claim(st, reply);
    c->cursor = (struct event_id){0, 0};
    if (st == STATUS_OK && is_array(reply, 2) && is_text(reply->element[0]) &&
        is_array(reply->element[1], 0)) {
        event_id_parse(reply->element[0]->str, reply->element[0]->len, &c->cursor);
        n = hand_on_all(c, reply->element[1]);
    }
    c->done(c, st, n);
}

enum status queue_claim_idle(struct rds *r, const char *consumer, unsigned count,
                             struct queue_claim *c)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 8);
    buf_lit(&b, "$10\r\nXAUTOCLAIM\r\n" KEY_BULK GROUP_BULK);
    add_str(&b, consumer);
    add_int(&b, QUEUE_IDLE_MS);
    add_id(&b, c->cursor);
    buf_lit(&b, "$5\r\nCOUNT\r\n");
    add_int(&b, count);
    return send_buf(r, &b, on_idle, c);
}

/* ---- consumers ---- */

/* Looked at and deleted in one script: a consumer that claims in between would take its entries
 * with it into oblivion. ARGV: least idle milliseconds, and a name or "" for all. */
static const char forget[] =
    "local all = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], '" GROUP "')\n"
    "if all.err then return 0 end\n"
    "for _, c in ipairs(all) do\n"
    "  local f = {}\n"
    "  for i = 1, #c, 2 do f[c[i]] = c[i + 1] end\n"
    "  if f.pending == 0 and f.idle >= tonumber(ARGV[1])\n"
    "    and (ARGV[2] == '' or ARGV[2] == f.name) then\n"
    "    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], '" GROUP "', f.name)\n"
    "  end\n"
    "end\n"
    "return 0";

static enum status run_forget(struct rds *r, int64_t idle_ms, const char *consumer,
                              struct queue_ticket *t)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 6);
    buf_lit(&b, "$4\r\nEVAL\r\n");
    add_arg(&b, forget, sizeof forget - 1);
    buf_lit(&b, "$1\r\n1\r\n" KEY_BULK);
    add_int(&b, idle_ms);
    add_str(&b, consumer);
    return send_buf(r, &b, on_answer, t);
}

enum status queue_forget_dead(struct rds *r, int64_t idle_ms, struct queue_ticket *t)
{
    return run_forget(r, idle_ms, "", t);
}

enum status queue_leave(struct rds *r, const char *consumer, struct queue_ticket *t)
{
    return run_forget(r, 0, consumer, t);
}

/* ---- state ---- */

static const char inspect[] =
    "local len = redis.call('XLEN', KEYS[1])\n"
    "local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)\n"
    "local all = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], '" GROUP "')\n"
    "local pending, alive = 0, 0\n"
    "for _, c in ipairs(all.err and {} or all) do\n"
    "  local f = {}\n"
    "  for i = 1, #c, 2 do f[c[i]] = c[i + 1] end\n"
    "  pending = pending + f.pending\n"
    "  if f.idle < tonumber(ARGV[1]) then alive = alive + 1 end\n"
    "end\n"
    "local memory = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 100)\n"
    "return {len, pending, alive, first[1] and first[1][1] or '',"
    " type(memory) == 'number' and memory or 0}";

static void on_state(void *ctx, enum status st, const redisReply *reply)
{
    struct queue_state *s = ctx;
    struct event_id oldest;
    if (st == STATUS_OK && !is_array(reply, 4))
        st = STATUS_OVERLOADED;
    if (st == STATUS_OK) {
        s->length = reply->element[0]->integer;
        s->in_hand = reply->element[1]->integer;
        s->consumers = reply->element[2]->integer;
        s->memory = is_array(reply, 5) ? reply->element[4]->integer : 0;
        s->oldest_us = 0;
        if (event_id_parse(reply->element[3]->str, reply->element[3]->len, &oldest)) {
            struct event e;
            event_begin(&e, oldest);
            s->oldest_us = e.recebida_us;
        }
    }
    s->done(s, st);
}

int64_t queue_oldest_age_s(const struct queue_state *s)
{
    int64_t age = s->oldest_us > 0 ? (int64_t)time(NULL) - s->oldest_us / 1000000 : 0;
    return age > 0 ? age : 0;
}

int64_t queue_bytes_each(const struct queue_state *s)
{
    return s->length > 0 ? s->memory / s->length : 0;
}

enum status queue_inspect(struct rds *r, struct queue_state *s)
{
    struct buf b = buf_init(COMMAND_CAP);
    add_head(&b, 5);
    buf_lit(&b, "$4\r\nEVAL\r\n");
    add_arg(&b, inspect, sizeof inspect - 1);
    buf_lit(&b, "$1\r\n1\r\n" KEY_BULK);
    add_int(&b, QUEUE_IDLE_MS);
    return send_buf(r, &b, on_state, s);
}
