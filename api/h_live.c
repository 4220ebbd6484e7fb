/* h_live: GET /api/ao-vivo: where a listener begins, and what it has missed.
 *
 * Before it joins it is read up to where its loop has told the others, so that nothing falls
 * between what it gets from here and what comes later. */
#include "handlers.h"

#include <string.h>

#include "account_call.h"
#include "live.h"
#include "loop.h"
#include "replay.h"
#include "reply.h"
#include "sse.h"
#include "store_ao_vivo.h"

struct live_call {
    struct ao_vivo_state state; /* first: the store's way back */
    struct replay_ticket replay;
    struct request *request;
    unsigned kinds;
    bool resumes, bad_id;
    struct event_id from;
};

static enum status read_kinds(struct request *r, unsigned *ret)
{
    struct slice given = request_param(r, "tipos");
    const char *at = given.data, *end = given.data ? given.data + given.len : NULL;
    *ret = given.data ? 0 : sse_all_kinds();
    while (given.data && at <= end) {
        const char *stop = memchr(at, ',', (size_t)(end - at));
        stop = stop ? stop : end;
        unsigned kind = sse_kind_bit(at, (size_t)(stop - at));
        if (!kind)
            return reply_field(r, STATUS_BAD_REQUEST, "tipos",
                               "deve ser uma lista de post, entrega, lead, contadores, amostra");
        *ret |= kind;
        at = stop + 1;
    }
    return STATUS_OK;
}

/* A header that is no id of ours is as good as one that is too old. */
static enum status read_last(struct request *r, struct live_call *call)
{
    struct slice header = r->headers[HEADER_LAST_EVENT_ID], param = request_param(r, "ultimo");
    if (param.data && !event_id_parse(param.data, param.len, &call->from))
        return reply_field(r, STATUS_BAD_REQUEST, "ultimo", "deve ser o id de um evento");
    call->resumes = param.data != NULL;
    if (header.data && header.len) {
        call->resumes = true;
        call->bad_id = !event_id_parse(header.data, header.len, &call->from);
    }
    return STATUS_OK;
}

static void fail(struct live_call *call, enum status st)
{
    if (account_call_waits(call->request))
        reply_problem(call->request, st, st == STATUS_CACHE_AWAY ? "O Redis não respondeu." : NULL);
    account_call_end(call->request);
}

static void on_replay(struct replay_ticket *t, enum status st, struct event_id until,
                      struct body *text)
{
    struct live_call *call =
        (struct live_call *)(void *)((char *)t - offsetof(struct live_call, replay));
    struct request *r = call->request;
    if (st != STATUS_OK) {
        fail(call, st);
        return;
    }
    if (account_call_waits(r))
        live_join(r->loop->live, r, call->kinds, until, text);
    account_call_end(r);
}

static void on_state(struct ao_vivo_state *t, enum status st)
{
    struct live_call *call = (struct live_call *)(void *)t;
    if (st != STATUS_OK) {
        fail(call, st);
        return;
    }
    bool lost = call->resumes && (call->bad_id || event_id_before(t->last, call->from) ||
                                  (t->trimmed && event_id_before(call->from, t->first)));
    bool resumes = call->resumes && !lost;
    replay_ask(&call->replay, call->kinds, resumes ? call->from : t->last, resumes, lost);
}

enum status h_live(struct request *r)
{
    struct live_call *call = arena_alloc(&r->arena, sizeof *call);
    if (!call)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call = (struct live_call){
        .request = r, .state.done = on_state, .replay = {.request = r, .done = on_replay}};
    enum status st = read_kinds(r, &call->kinds);
    if (st == STATUS_OK)
        st = read_last(r, call);
    if (st != STATUS_OK)
        return st;
    st = account_call_begin(r);
    if (st == STATUS_PENDING && store_ao_vivo_state(r->loop->rds, &call->state) != STATUS_OK)
        fail(call, STATUS_CACHE_AWAY);
    return st;
}
