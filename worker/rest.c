/* rest: owns the question and the last answer. */
#include "rest.h"

#include <stdlib.h>

#include "ev.h"
#include "log.h"
#include "store.h"
#include "store_fila.h"

enum { ASK_EVERY_MS = 250 };

struct rest {
    struct fila_pause pause;
    struct ev *ev;
    struct pg *pg;
    bool out, known, wanted;
    int64_t not_before_ms;
};

static void on_answer(struct fila_pause *p, enum status st)
{
    struct rest *r = (struct rest *)(void *)p;
    r->out = false;
    if (st != STATUS_OK)
        return;
    bool wanted = p->since_us != STORE_NO_TIME;
    if (wanted && !r->wanted)
        log_info("paused", NULL, "by %s: nothing is claimed until fila retomar",
                 *p->by ? p->by : "fila pausar");
    else if (!wanted && r->wanted)
        log_info("resumed", NULL, "the pause is over");
    r->known = true;
    r->wanted = wanted;
}

struct rest *rest_new(struct ev *ev, struct pg *pg)
{
    struct rest *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->pause.done = on_answer;
    r->ev = ev;
    r->pg = pg;
    return r;
}

void rest_free(struct rest *r)
{
    free(r);
}

void rest_pump(struct rest *r)
{
    if (r->out || !pg_ready(r->pg) || ev_now_ms(r->ev) < r->not_before_ms)
        return;
    r->not_before_ms = ev_now_ms(r->ev) + ASK_EVERY_MS;
    r->out = store_fila_read(r->pg, &r->pause) == STATUS_OK;
}

bool rest_wanted(const struct rest *r)
{
    return !r->known || r->wanted;
}
