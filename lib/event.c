/* event: owns the names of a message's fields and what is believed of their values. */
#include "event.h"

#include <string.h>

#include "text.h"

static const struct {
    const char *name, *bulk; /* the latter as it stands in a command */
    size_t bulk_len;
    bool always; /* written also when it is empty */
} texts[EVENT_TEXTS] = {
#define TEXT(s, len, always)                                                                       \
    {                                                                                              \
        s, "$" #len "\r\n" s "\r\n", sizeof "$" #len "\r\n" s "\r\n" - 1, always                   \
    }
    [EVENT_REQUEST_ID] = TEXT("request_id", 10, true),
    [EVENT_TRACEPARENT] = TEXT("traceparent", 11, true),
    [EVENT_SIGNATURE] = TEXT("assinatura", 10, false),
    [EVENT_AGENT] = TEXT("agente", 6, false),
#undef TEXT
};

/* ---- encoding ---- */

static void add_bulk(struct buf *b, const void *data, size_t len)
{
    buf_char(b, '$');
    buf_uint(b, len);
    buf_lit(b, "\r\n");
    buf_add(b, data, len);
    buf_lit(b, "\r\n");
}

static bool is_written(const struct queue_message *m, unsigned i)
{
    return texts[i].always || *m->text[i];
}

unsigned event_pairs(const struct queue_message *m)
{
    unsigned n = 2; /* corpo, recebida_em */
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        n += is_written(m, i);
    return n;
}

void event_encode(struct buf *b, const struct queue_message *m)
{
    char time[TEXT_TIME_LEN];
    text_time(m->recebida_us, time);
    buf_lit(b, "$5\r\ncorpo\r\n");
    add_bulk(b, m->corpo, m->corpo_len);
    buf_lit(b, "$11\r\nrecebida_em\r\n");
    add_bulk(b, time, sizeof time);
    for (unsigned i = 0; i < EVENT_TEXTS; i++) {
        if (!is_written(m, i))
            continue;
        buf_add(b, texts[i].bulk, texts[i].bulk_len);
        add_bulk(b, m->text[i], strlen(m->text[i]));
    }
}

/* ---- ids ---- */

static size_t put_number(char *out, uint64_t v)
{
    char digits[20]; /* 18446744073709551615 */
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

size_t event_id_format(struct event_id id, char out[EVENT_ID_MAX])
{
    size_t n = put_number(out, id.ms);
    out[n++] = '-';
    return n + put_number(out + n, id.seq);
}

/* Unsigned 64 bits, which text_int does not reach. */
static bool take_number(const char *s, size_t len, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++)
        if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(v, 10U, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
            return false;
    *ret = v;
    return len > 0;
}

bool event_id_parse(const char *s, size_t len, struct event_id *ret)
{
    const char *dash = memchr(s, '-', len);
    struct event_id id;
    if (!dash || !take_number(s, (size_t)(dash - s), &id.ms) ||
        !take_number(dash + 1, len - (size_t)(dash - s) - 1, &id.seq))
        return false;
    *ret = id;
    return true;
}

/* ---- decoding ---- */

/* Redis takes any 64 bits as milliseconds; PostgreSQL's timestamps end in the year 294276. Past the
 * year 9999 no clock made it: such an entry counts as one of the epoch, always the same. */
static int64_t time_of_id(struct event_id id)
{
    return id.ms < UINT64_C(253402300800000) ? (int64_t)id.ms * 1000 : 0;
}

struct event_text event_clean_text(const char *s, size_t len)
{
    struct event_text none = {NULL, 0};
    if (len == 0 || len > EVENT_TEXT_MAX || !text_utf8(s, len, NULL))
        return none;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return none;
    return (struct event_text){s, len};
}

void event_begin(struct event *e, struct event_id id)
{
    *e = (struct event){.id = id, .corpo = {"", 0}, .recebida_us = time_of_id(id)};
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

void event_field(struct event *e, const char *name, size_t name_len, const char *value,
                 size_t value_len)
{
    if (is_name(name, name_len, "corpo"))
        e->corpo = (struct event_text){value, value_len};
    else if (is_name(name, name_len, "recebida_em"))
        text_time_parse(value, value_len, &e->recebida_us);
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        if (is_name(name, name_len, texts[i].name))
            e->text[i] = event_clean_text(value, value_len);
}
