/* h_samples: GET /api/amostras: the samples of the last hour, as one of the processes made them. */
#include "handlers.h"

#include "account_call.h"
#include "loop.h"
#include "reply.h"
#include "store_ao_vivo.h"

enum { ANSWER_CAP = 1 << 20 };

struct samples_call {
    struct amostra_read read;
    struct request *request;
    struct buf text;
    unsigned n;
};

static void on_sample(struct amostra_read *t, const char *json, size_t len)
{
    struct samples_call *call = (struct samples_call *)(void *)t;
    buf_str(&call->text, call->n++ ? "," : "");
    buf_add(&call->text, json, len);
}

static void on_read(struct amostra_read *t, enum status st)
{
    struct samples_call *call = (struct samples_call *)(void *)t;
    struct request *r = call->request;
    buf_lit(&call->text, "]}");
    if (account_call_waits(r) && st == STATUS_OK)
        reply_buf(r, STATUS_OK, REPLY_JSON, &call->text);
    else if (account_call_waits(r))
        reply_problem(r, STATUS_CACHE_AWAY, "O Redis não respondeu.");
    r->reply.secret = true;
    buf_release(&call->text);
    account_call_end(r);
}

enum status h_samples(struct request *r)
{
    struct samples_call *call = arena_alloc(&r->arena, sizeof *call);
    if (!call)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call = (struct samples_call){
        .read = {on_sample, on_read}, .request = r, .text = buf_init(ANSWER_CAP)};
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    buf_printf(&call->text, "{\"intervalo_s\":%d,\"amostras\":[", AMOSTRAS_EVERY_MS / 1000);
    if (store_amostra_read(r->loop->rds, &call->read) != STATUS_OK)
        on_read(&call->read, STATUS_CACHE_AWAY);
    return st;
}
