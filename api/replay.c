/* replay: owns the list of a loop's replays. Invariant: the first one is being read, the others
 * wait. */
#include "replay.h"

#include <stdlib.h>

#include "account_call.h"
#include "buf.h"
#include "live.h"
#include "loop.h"
#include "request.h"
#include "sse.h"
#include "store_ao_vivo.h"

enum { REPLAY_MAX = 500, TRIES_MAX = 5 };

struct replay {
    struct ao_vivo_read read; /* first: the store's way back */
    struct loop *loop;
    struct replay *next;
    struct replay_ticket *tickets;
    unsigned kinds, tries;
    bool lost;  /* as asked for */
    bool again; /* there is more to be read, or nothing was yet */
    struct event_id after, from;
    struct buf text;
};

static void begin_text(struct replay *p, bool lost)
{
    buf_reset(&p->text);
    buf_lit(&p->text, "retry: 3000\n\n");
    if (lost)
        sse_put_lost(&p->text);
}

static bool same_place(struct event_id a, struct event_id b)
{
    return !event_id_before(a, b) && !event_id_before(b, a);
}

/* ---- the list ---- */

static struct replay *find(const struct loop *loop, unsigned kinds, struct event_id after,
                           bool lost)
{
    struct replay *p = loop->replays;
    while (p && (p->kinds != kinds || p->lost != lost || !same_place(p->after, after)))
        p = p->next;
    return p;
}

static void tell(struct replay *p, enum status st)
{
    sse_put_id(&p->text, p->from);
    struct body *text =
        st == STATUS_OK && !buf_failed(&p->text) ? body_new(p->text.data, p->text.len) : NULL;
    if (st == STATUS_OK && !text)
        st = STATUS_OVERLOADED;
    while (p->tickets) {
        struct replay_ticket *t = p->tickets;
        p->tickets = t->next;
        t->done(t, st, p->from, text);
    }
    body_unref(text);
    buf_release(&p->text);
    free(p);
}

static bool wanted(const struct replay *p)
{
    const struct replay_ticket *t = p->tickets;
    while (t && !account_call_waits(t->request))
        t = t->next;
    return t != NULL;
}

static bool read_on(struct replay *p)
{
    return wanted(p) && p->tries++ <= TRIES_MAX &&
           store_ao_vivo_range(p->loop->rds, p->from, REPLAY_MAX + 1, &p->read) == STATUS_OK;
}

static void read_first(struct loop *loop)
{
    while (loop->replays && !read_on(loop->replays)) {
        struct replay *p = loop->replays;
        loop->replays = p->next;
        tell(p, STATUS_CACHE_AWAY);
    }
}

static void end_first(struct loop *loop, enum status st)
{
    struct replay *p = loop->replays;
    loop->replays = p->next;
    tell(p, st);
    read_first(loop);
}

/* ---- reading ---- */

static void on_entry(struct ao_vivo_read *t, struct event_id id, const struct ao_vivo_field *fields,
                     size_t n)
{
    struct replay *p = (struct replay *)(void *)t;
    sse_put_entry(&p->text, p->kinds, id, fields, n);
    p->from = id;
}

static void on_range(struct ao_vivo_read *t, enum status st, size_t n)
{
    struct replay *p = (struct replay *)(void *)t;
    p->again = n > REPLAY_MAX;
    if (st == STATUS_OK && (p->again || buf_failed(&p->text)))
        begin_text(p, true); /* too much to tell: it was read all the same */
    if (st != STATUS_OK)
        end_first(p->loop, st);
    else if (!p->again && !event_id_before(p->from, live_position(p->loop->live)))
        end_first(p->loop, STATUS_OK);
    else if (!read_on(p))
        end_first(p->loop, STATUS_CACHE_AWAY);
}

void replay_ask(struct replay_ticket *t, unsigned kinds, struct event_id after, bool resumes,
                bool lost)
{
    struct loop *loop = t->request->loop;
    bool reads = resumes || event_id_before(after, live_position(loop->live));
    struct replay *p = reads ? find(loop, kinds, after, lost) : NULL;
    bool made = !p;
    if (made)
        p = malloc(sizeof *p);
    if (!p) {
        t->done(t, STATUS_OVERLOADED, after, NULL);
        return;
    }
    if (made)
        *p = (struct replay){.read = {on_entry, on_range},
                             .loop = loop,
                             .kinds = kinds,
                             .lost = lost,
                             .after = after,
                             .from = after,
                             .text = buf_init(LIVE_CAP / 2)};
    t->next = p->tickets;
    p->tickets = t;
    if (!made)
        return;
    begin_text(p, lost);
    if (!reads) {
        tell(p, STATUS_OK);
        return;
    }
    struct replay **end = &loop->replays;
    while (*end)
        end = &(*end)->next;
    *end = p;
    if (p == loop->replays)
        read_first(loop);
}
