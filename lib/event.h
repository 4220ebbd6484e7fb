/* event: one delivery as a queue message: encoded in the API, decoded in the worker.
 *
 * On the stream it has the fields corpo (the raw bytes), recebida_em (RFC 3339 UTC, microseconds)
 * and the texts of enum event_text_name. Other producers may leave fields out or add some: the
 * decoder takes what is there and never fails. Pure functions. */
#ifndef ALICERCE_EVENT_H
#define ALICERCE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Short texts that are archived with a delivery: fields of the stream, columns of `entregas`. */
enum event_text_name {
    EVENT_REQUEST_ID,
    EVENT_TRACEPARENT,
    EVENT_SIGNATURE, /* assinatura: X-Hub-Signature-256 as it came */
    EVENT_AGENT,     /* agente: User-Agent */
    EVENT_TEXTS
};

/* A delivery as the intake has it. */
struct queue_message {
    const void *corpo;
    size_t corpo_len;
    int64_t recebida_us;           /* microseconds since 1970 UTC */
    const char *text[EVENT_TEXTS]; /* "" for none */
};

enum {
    EVENT_TEXT_MAX = 256, /* bytes of a text that are kept */
    EVENT_ID_MAX = 41     /* two 64-bit numbers and a dash */
};

/* Field and value pairs that event_encode writes: a signature and an agent only when there is one.
 */
unsigned event_pairs(const struct queue_message *m);
/* Appends them as RESP bulk strings (Redis protocol specification, "Bulk strings"). */
void event_encode(struct buf *b, const struct queue_message *m);

/* A stream entry's id. */
struct event_id {
    uint64_t ms, seq;
};
static inline bool event_id_before(struct event_id a, struct event_id b)
{
    return a.ms != b.ms ? a.ms < b.ms : a.seq < b.seq;
}
/* "1732242600123-0"; returns the length, writes no NUL. */
size_t event_id_format(struct event_id id, char out[EVENT_ID_MAX]);
/* false unless it is an id as Redis writes it. */
bool event_id_parse(const char *s, size_t len, struct event_id *ret);

struct event_text {
    const char *data; /* NULL for none */
    size_t len;
};

/* The text itself when it may stand in a column and in a log line (valid UTF-8, no controls, at
 * most EVENT_TEXT_MAX bytes), else none: for such a thing no delivery is refused. */
struct event_text event_clean_text(const char *s, size_t len);

/* A delivery as the worker has it. Texts point into what the decoder was given. */
struct event {
    struct event_id id;
    struct event_text corpo;             /* data is never NULL; empty when the field is missing */
    struct event_text text[EVENT_TEXTS]; /* clean */
    int64_t recebida_us;                 /* the id's time when the field is missing or no time */
};

/* Decodes field by field: begin, then event_field for each pair in any order. The last of equal
 * fields counts. */
void event_begin(struct event *e, struct event_id id);
void event_field(struct event *e, const char *name, size_t name_len, const char *value,
                 size_t value_len);

#endif
