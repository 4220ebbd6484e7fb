/* audit: owns the notes that are under way. */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_address.h"
#include "log.h"
#include "loop.h"

struct note {
    struct auditoria_ticket ticket;
    struct auditoria_quem who;
    char request_id[REQUEST_ID_MAX + 1], alvo[96];
    enum auditoria_acao acao;
};

struct auditoria_quem audit_who(const struct request *r)
{
    struct auditoria_quem who = {.request_id = r->id};
    struct cidr_address peer = client_address_whole(r);
    if (r->auth) {
        who.id = r->auth->claims.sub;
        who.desde = r->auth->claims.desde;
    }
    cidr_format(&peer, who.endereco);
    return who;
}

static void tell_lost(const struct note *n, enum status st)
{
    log_error("audit_lost", n->request_id, "%s: %s of %s by account %lld from %s", status_name(st),
              auditoria_acao_name(n->acao), *n->alvo ? n->alvo : "-", (long long)n->who.id,
              n->who.endereco);
}

static void on_noted(struct auditoria_ticket *t, enum status st)
{
    struct note *n = (struct note *)(void *)t;
    if (st != STATUS_OK)
        tell_lost(n, st);
    free(n);
}

void audit_note(const struct request *r, const struct auditoria_quem *who, enum auditoria_acao acao,
                const char *alvo, const char *detalhe)
{
    struct note here = {.ticket.done = on_noted, .who = *who, .acao = acao};
    snprintf(here.request_id, sizeof here.request_id, "%s", r->id);
    snprintf(here.alvo, sizeof here.alvo, "%s", alvo ? alvo : "");
    struct note *n = malloc(sizeof *n);
    if (!n) {
        tell_lost(&here, STATUS_OVERLOADED);
        return;
    }
    *n = here;
    enum status st = store_auditoria_note(r->loop->writes, who, acao, alvo, detalhe, &n->ticket);
    if (st != STATUS_OK)
        on_noted(&n->ticket, st);
}
