/* audit: the audit log as the API's handlers write it.
 *
 * A handler whose statement notes what it does (store_* with a struct auditoria_quem) gives it
 * audit_who. For all else there is audit_note: beside the action, nobody waits for it, and what
 * cannot be written to PostgreSQL is in the log as audit_lost with all that it would have said. */
#ifndef ALICERCE_AUDIT_H
#define ALICERCE_AUDIT_H

#include "store_auditoria.h"

struct request;

/* Who asks, while the client is connected: in the handler. The account is that of the token; id 0
 * without one: to be filled in. Its texts live as long as the request. */
struct auditoria_quem audit_who(const struct request *r);
/* alvo, detalhe: as in store_auditoria_note. */
void audit_note(const struct request *r, const struct auditoria_quem *who, enum auditoria_acao acao,
                const char *alvo, const char *detalhe);

#endif
