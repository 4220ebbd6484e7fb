/* store_sessao: what Redis knows of tokens and of sign-ins.
 *
 *   jwt:revogado:{jti}       a token that was given back; lives as long as the token would have
 *   jwt:conta:{id}           tokens of an older generation than this count no more; lives as long
 *                            as a token may
 *   login:conta:{h}          times of sign-ins that failed or are under way, for an account, a
 *   login:endereco:{a}       client's address, and both; lives for the window
 *   login:conta:{h}:{a}
 *
 * {h} is a digest of the e-mail address, so that no key holds personal data nor what a stranger
 * typed. Every call takes a ticket as in store_counter. */
#ifndef ALICERCE_STORE_SESSAO_H
#define ALICERCE_STORE_SESSAO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cidr.h"
#include "status.h"

struct rds;

/* ---- is a token still believed? ---- */

enum { SESSAO_ASK_MAX = 1000, SESSAO_JTI_MAX = 64 };

struct sessao_question {
    const char *jti;
    int64_t conta, desde; /* the account, and the generation that the token was made under */
    bool revoked;         /* the answer */
};

struct sessao_ask {
    /* STATUS_OK: `revoked` is set in each question. */
    void (*done)(struct sessao_ask *t, enum status st);
    struct sessao_question *questions; /* kept by the caller until done */
    size_t n;                          /* <= SESSAO_ASK_MAX */
};
/* One command for all of them. */
enum status store_sessao_ask(struct rds *r, struct sessao_ask *t);

struct sessao_done {
    void (*done)(struct sessao_done *t, enum status st);
};
/* A token ends, for `ttl_s` seconds. */
enum status store_sessao_revoke(struct rds *r, const char *jti, int64_t ttl_s,
                                struct sessao_done *t);
/* Tokens of the account that were made under an older generation end. Never goes back. */
enum status store_sessao_end_account(struct rds *r, int64_t conta, int64_t desde, int64_t ttl_s,
                                     struct sessao_done *t);
#define SESSAO_NEVER ((int64_t)1 << 53) /* as generation: no token counts, the account is gone */

/* ---- guessing ---- */

enum {
    SESSAO_WINDOW_S = 15 * 60,
    SESSAO_TRIES_BOTH = 10,     /* of one account from one address */
    SESSAO_TRIES_ACCOUNT = 100, /* of one account from everywhere */
    SESSAO_TRIES_ADDRESS = 100, /* of all accounts from one address */
    SESSAO_KEY_MAX = 96,
    SESSAO_MEMBER_BYTES = 16
};

/* Which sign-in; filled in by store_sessao_try, needed again by store_sessao_forgive. */
struct sessao_try {
    /* wait_s: 0, it may go on and counts as failed until it is forgiven; else for how long not. */
    void (*done)(struct sessao_try *t, enum status st, int64_t wait_s);
    char both[SESSAO_KEY_MAX], account[SESSAO_KEY_MAX], address[SESSAO_KEY_MAX];
    char member[2 * SESSAO_MEMBER_BYTES + 1];
};
/* email: folded. Each try has a name of its own that nobody else chooses: those that share one
 * would count as one. */
enum status store_sessao_try(struct rds *r, const char *email, const struct cidr_address *client,
                             struct sessao_try *t);
/* The password was right: this try does not count, and what the account got wrong from this address
 * is forgotten. Nobody waits for it. */
void store_sessao_forgive(struct rds *r, const struct sessao_try *t);
/* The password was not looked at: this try does not count. */
void store_sessao_forget(struct rds *r, const struct sessao_try *t);

#endif
