/* chores: owns the table of chores and their times. One step at a time; a chore goes on at once
 * while its steps find something, else rests. */
#include "chores.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "ev.h"
#include "log.h"
#include "pg.h"
#include "store_chore.h"

static const struct {
    const char *name;
    int64_t rest_ms; /* when there was nothing left to do */
    int64_t step_ms; /* between two steps: for what is in no hurry */
    int64_t busy_ms; /* the same while the queue is long: PostgreSQL has better things to do */
} table[STORE_CHORES] = {
    [STORE_CHORE_SEARCH] = {"posts_indexar", 500, 0,
                            0}, /* searches read the rest directly until then */
    [STORE_CHORE_KEYS] = {"idempotencia_limpar", 3600000, 0, 0},
    [STORE_CHORE_EVENTS] = {"eventos_indexar", 500, 0, 2000}, /* the same */
    [STORE_CHORE_ARCHIVE] = {"entregas_expirar", 60000, 50, 1000},
    [STORE_CHORE_REPLAY] = {"reenvios_passo", 250, 0, 500},
    [STORE_CHORE_AUDIT] = {"auditoria_expirar", 3600000, 50, 1000},
    [STORE_CHORE_STUCK] = {"transacoes_presas", 5000, 5000, 5000},
};

enum { PAUSE_MS = 5000 }; /* after a failure */

struct chores {
    struct store_chore_ticket ticket;
    struct ev *ev;
    struct pg *pg;
    enum store_chore current;
    bool out, busy;
    int64_t retention_days, audit_days;
    int64_t not_before_ms[STORE_CHORES];
    struct log_limit limit;
};

static void on_step(struct store_chore_ticket *t, enum status st, int64_t n)
{
    struct chores *c = (struct chores *)(void *)t;
    unsigned suppressed;
    int64_t rest = st != STATUS_OK ? PAUSE_MS
                   : n > 0         ? c->busy ? table[c->current].busy_ms : table[c->current].step_ms
                                   : table[c->current].rest_ms;
    c->out = false;
    c->not_before_ms[c->current] = ev_now_ms(c->ev) + rest;
    if (st != STATUS_OK && st != STATUS_DATABASE_AWAY && log_limit_pass(&c->limit, 1, &suppressed))
        log_warn("chore_failed", NULL, "%s: %s", table[c->current].name, status_name(st));
}

struct chores *chores_new(struct ev *ev, struct pg *pg, int64_t retention_days, int64_t audit_days)
{
    struct chores *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ticket.done = on_step;
    c->ev = ev;
    c->pg = pg;
    c->retention_days = retention_days;
    c->audit_days = audit_days;
    return c;
}

void chores_free(struct chores *c)
{
    free(c);
}

static int64_t retention_of(const struct chores *c, enum store_chore chore)
{
    return chore == STORE_CHORE_AUDIT ? c->audit_days : c->retention_days;
}

/* In turn, beginning behind the last one, so that a long one does not keep the others waiting. */
void chores_pump(struct chores *c, bool busy)
{
    c->busy = busy;
    for (unsigned i = 1; i <= STORE_CHORES && !c->out && pg_ready(c->pg); i++) {
        enum store_chore next = (enum store_chore)((c->current + i) % STORE_CHORES);
        if (ev_now_ms(c->ev) < c->not_before_ms[next])
            continue;
        c->current = next;
        c->out = store_chore_step(c->pg, next, retention_of(c, next), &c->ticket) == STATUS_OK;
        return;
    }
}
