/* live_pending: owns the text and where each message in it ends. Invariant: spans are in the order
 * of the text and cover it. */
#include "live_pending.h"

enum { TEXT_CAP = 2 * LIVE_SECOND_MAX };

void live_pending_init(struct live_pending *p)
{
    p->text = buf_init(TEXT_CAP);
}

void live_pending_release(struct live_pending *p)
{
    buf_release(&p->text);
}

void live_pending_clear(struct live_pending *p)
{
    buf_reset(&p->text);
    p->n = 0;
}

static void end_span(struct live_pending *p, struct live_span span)
{
    span.end = p->text.len;
    p->spans[p->n++] = span;
}

static bool span_free(const struct live_pending *p)
{
    return p->n + 2 < LIVE_PENDING_MAX; /* an id behind it, too */
}

void live_pending_add_own(struct live_pending *p, enum sse_kind kind, const char *json, size_t len)
{
    if (!span_free(p))
        return;
    sse_put(&p->text, kind, json, len);
    end_span(p, (struct live_span){.kind = kind});
}

void live_pending_add(struct live_pending *p, enum sse_kind kind, const char *json, size_t len)
{
    if (p->second_bytes + len > LIVE_SECOND_MAX || !span_free(p)) {
        p->over = true;
        return;
    }
    live_pending_add_own(p, kind, json, len);
    p->second_bytes += len;
}

void live_pending_add_id(struct live_pending *p, struct event_id id)
{
    if (p->n == 0 || p->spans[p->n - 1].is_id)
        return;
    sse_put_id(&p->text, id);
    end_span(p, (struct live_span){.is_id = true, .id = id});
}

void live_pending_add_lost(struct live_pending *p, struct event_id id)
{
    p->over = !span_free(p);
    if (p->over)
        return;
    sse_put_lost(&p->text);
    end_span(p, (struct live_span){.kind = SSE_LOST, .id = id});
    live_pending_add_id(p, id);
}

/* The first span behind what ends with `from`. */
static unsigned first_behind(const struct live_pending *p, struct event_id from)
{
    unsigned first = 0;
    for (unsigned i = 0; i < p->n; i++)
        if (p->spans[i].is_id && !event_id_before(from, p->spans[i].id))
            first = i + 1;
    return first;
}

bool live_pending_piece(const struct live_pending *p, unsigned kinds, struct event_id from,
                        struct body **ret)
{
    struct buf b = buf_init(TEXT_CAP);
    const struct live_span *id = NULL;
    size_t start = 0;
    unsigned begin = first_behind(p, from);
    kinds |= 1u << SSE_LOST;
    for (unsigned i = 0; i < p->n; start = p->spans[i++].end) {
        const struct live_span *s = &p->spans[i];
        if (s->is_id)
            id = s;
        else if (i >= begin && (kinds & (1u << s->kind)))
            buf_add(&b, p->text.data + start, s->end - start);
    }
    bool any = b.len > 0;
    if (any && id)
        sse_put_id(&b, id->id);
    *ret = any && !buf_failed(&b) ? body_new(b.data, b.len) : NULL;
    bool whole = *ret || (!any && !buf_failed(&b));
    buf_release(&b);
    return whole;
}
