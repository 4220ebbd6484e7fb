/* session_reply: the answer that carries a session: of signing in, renewing, another password of
 * one's own, who am I. */
#ifndef ALICERCE_SESSION_REPLY_H
#define ALICERCE_SESSION_REPLY_H

#include "request.h"
#include "store_usuarios.h"

/* Seconds since 1970. */
int64_t session_now_s(void);
/* {"token":…,"expira_em":…,"usuario":{…}}; token NULL: without it. */
enum status session_reply(struct request *r, const char *token, int64_t exp,
                          const struct usuario *u);
/* The same with a new token for the account, of a session that began at `began`. */
enum status session_reply_token(struct request *r, const struct usuario *u, int64_t now,
                                int64_t began);

#endif
