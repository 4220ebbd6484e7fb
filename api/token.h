/* token: makes and checks the API's tokens (RFC 7519, HS256 by libjwt). Pure: no clock, no server.
 *
 * A token is believed for what it is, never for what it says about itself: the algorithm is pinned,
 * a header with anything but alg and typ is refused (so there is no kid, jku or crit to obey), and
 * the claims are typed and within the lives that we give. RFC 8725 is the list that this follows.
 * Keys are immutable after token_keys_new: any thread may use them. */
#ifndef ALICERCE_TOKEN_H
#define ALICERCE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "status.h"

enum {
    TOKEN_MAX = 1024,            /* bytes; ours have about 330 */
    TOKEN_LIFE_S = 15 * 60,      /* of one */
    TOKEN_SESSION_S = 12 * 3600, /* from the sign-in, however often it is renewed */
    TOKEN_LEEWAY_S = 60,         /* between the clocks of replicas */
    TOKEN_JTI_MAX = 64,          /* ours have 32 */
    TOKEN_SECRET_MIN = 32        /* bytes of a key (RFC 7518 section 3.2) */
};

struct token_claims {
    int64_t sub; /* the account's id; a decimal string in the token */
    enum account_role papel;
    int64_t iat, exp, nbf; /* seconds since 1970; nbf 0: none */
    int64_t ini;           /* when the password was given; iat when the token does not say */
    int64_t desde;         /* generation of the account (sql/0009_contas.sql); iat likewise */
    char jti[TOKEN_JTI_MAX + 1];
};

struct token_keys;

/* `secrets`: one, or two separated by a comma; the first signs, both are accepted. NULL without
 * memory. */
struct token_keys *token_keys_new(const char *secrets);
/* Clears the secrets. NULL is fine. */
void token_keys_free(struct token_keys *keys);

/* The signed token as a C string for free(); NULL without memory. */
char *token_make(const struct token_keys *keys, const struct token_claims *claims);

/* STATUS_OK, or STATUS_UNAUTHORIZED with *ret_why (static, Portuguese). What is told beyond "not
 * valid" is told only of tokens whose signature is right. */
enum status token_check(const struct token_keys *keys, const char *token, size_t len, int64_t now_s,
                        struct token_claims *ret, const char **ret_why);
/* It counts no more, on any replica whose clock is within the leeway. */
bool token_expired(int64_t exp, int64_t now_s);
/* The part of it that time changes, for claims that were checked before. */
enum status token_check_times(const struct token_claims *claims, int64_t now_s,
                              const char **ret_why);

#endif
