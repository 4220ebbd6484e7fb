/* account_call: what the handlers of accounts share: the form of an account on the wire, and a
 * request that goes from server to server by itself instead of in a batch: such calls are rare, and
 * no two of them are alike. Its steps' tickets live in the arena; the reference keeps it. */
#ifndef ALICERCE_ACCOUNT_CALL_H
#define ALICERCE_ACCOUNT_CALL_H

#include "hasher.h"
#include "request.h"
#include "store_sessao.h"
#include "store_usuarios.h"

/* {"id":1,"nome":…,"email":…,"papel":…,"ativo":true,"criado_em":…} */
void account_json(struct buf *b, const struct usuario *u);

/* Parks the request and takes a reference. STATUS_PENDING, or the refusal. */
enum status account_call_begin(struct request *r);
/* The last step is over: answers with what r->reply has, and gives the reference back. */
void account_call_end(struct request *r);
/* Does anybody still wait for it? */
bool account_call_waits(const struct request *r);

/* Puts the password into the job for the request's loop and clears it where it was. */
void account_call_password(struct request *r, struct hasher_job *job, char *password, size_t len);

/* Was the call's statement sent? If not it is refused and over. STATUS_PENDING in any case. */
enum status account_call_sent(struct request *r, enum status st);

/* The refusal for a statement that failed: nothing was changed, or nobody knows. */
enum status account_call_refuse(struct request *r, enum status st, bool writes);
/* The same for a change: by its outcome, which is not USUARIO_OK, when st is STATUS_OK. */
enum status account_call_refuse_change(struct request *r, enum status st,
                                       enum usuario_outcome outcome);

/* Tells all replicas that the account's tokens of an older generation count no more; t->done is
 * called in any case. When it cannot be told: account_call_unannounced. */
void account_call_end_tokens(struct request *r, int64_t id, int64_t desde, struct sessao_done *t);
enum status account_call_unannounced(struct request *r);

#endif
