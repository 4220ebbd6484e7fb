/* sse: owns the table of kinds and the layout of messages. */
#include "sse.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    bool asked; /* may be named in ?tipos= */
} kinds[SSE_KINDS] = {
    [SSE_POST] = {"post", true},      [SSE_DELIVERY] = {"entrega", true},
    [SSE_LEAD] = {"lead", true},      [SSE_COUNTERS] = {"contadores", true},
    [SSE_SAMPLE] = {"amostra", true}, [SSE_LOST] = {"perdido", false},
};

unsigned sse_kind_bit(const char *name, size_t len)
{
    for (unsigned i = 0; i < SSE_KINDS; i++)
        if (kinds[i].asked && strlen(kinds[i].name) == len && memcmp(kinds[i].name, name, len) == 0)
            return 1u << i;
    return 0;
}

unsigned sse_all_kinds(void)
{
    unsigned all = 0;
    for (unsigned i = 0; i < SSE_KINDS; i++)
        all |= kinds[i].asked ? 1u << i : 0;
    return all;
}

static enum sse_kind kind_of(const char *name)
{
    for (unsigned i = 0; i < SSE_KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return (enum sse_kind)i;
    return SSE_KINDS;
}

void sse_put(struct buf *b, enum sse_kind kind, const char *json, size_t len)
{
    buf_printf(b, "event: %s\ndata: ", kinds[kind].name);
    buf_add(b, json, len);
    buf_lit(b, "\n\n");
}

void sse_put_lost(struct buf *b)
{
    sse_put(b, SSE_LOST, "{}", 2);
}

void sse_put_id(struct buf *b, struct event_id id)
{
    char text[EVENT_ID_MAX];
    buf_lit(b, "id: ");
    buf_add(b, text, event_id_format(id, text));
    buf_lit(b, "\n\n");
}

void sse_each_message(const struct ao_vivo_field *f, void *ctx,
                      void (*fn)(void *ctx, enum sse_kind kind, const char *json, size_t len))
{
    enum sse_kind kind = kind_of(f->kind);
    const char *at = f->text, *end = f->text + f->len;
    while (kind != SSE_KINDS && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (stop > at && !memchr(at, '\r', (size_t)(stop - at))) /* it would end a line */
            fn(ctx, kind, at, (size_t)(stop - at));
        at = stop + 1;
    }
}

struct selection {
    struct buf *b;
    unsigned kinds;
};

static void put_selected(void *ctx, enum sse_kind kind, const char *json, size_t len)
{
    struct selection *s = ctx;
    if ((s->kinds | 1u << SSE_LOST) & (1u << kind))
        sse_put(s->b, kind, json, len);
}

void sse_put_entry(struct buf *b, unsigned wanted, struct event_id id,
                   const struct ao_vivo_field *fields, size_t n)
{
    struct selection s = {b, wanted};
    size_t before = b->len;
    for (size_t i = 0; i < n; i++)
        sse_each_message(&fields[i], &s, put_selected);
    if (b->len > before)
        sse_put_id(b, id);
}
