/* sse: kinds of live events, and their form on the wire (WHATWG HTML, "Server-sent events").
 * Pure functions. */
#ifndef ALICERCE_SSE_H
#define ALICERCE_SSE_H

#include <stddef.h>

#include "buf.h"
#include "event.h"
#include "store_ao_vivo.h"

/* A set of kinds has the bit 1u << kind for each. */
enum sse_kind {
    SSE_POST,
    SSE_DELIVERY,
    SSE_LEAD,
    SSE_COUNTERS,
    SSE_SAMPLE,
    SSE_LOST, /* something is missing: every listener is told, none can ask for it */
    SSE_KINDS
};

/* The bit of a kind that may be asked for by this name; 0 for none. */
unsigned sse_kind_bit(const char *name, size_t len);
/* The bits of all that may be asked for. */
unsigned sse_all_kinds(void);

/* One message. The text is one line. */
void sse_put(struct buf *b, enum sse_kind kind, const char *json, size_t len);
void sse_put_lost(struct buf *b);
/* The id of an entry stands by itself, behind all messages of the entry: who loses the connection
 * among them gets the entry again. A block without data is no event, but its id counts. */
void sse_put_id(struct buf *b, struct event_id id);
/* An entry of the stream as far as it is of these kinds, with its id; nothing if none of it is. */
void sse_put_entry(struct buf *b, unsigned kinds, struct event_id id,
                   const struct ao_vivo_field *fields, size_t n);
/* Calls fn for each message that a field holds. Kinds of a newer version are passed over: nobody
 * here can ask for them. */
void sse_each_message(const struct ao_vivo_field *f, void *ctx,
                      void (*fn)(void *ctx, enum sse_kind kind, const char *json, size_t len));

#endif
