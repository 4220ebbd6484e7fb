/* account: what is known of an account without asking anybody: roles, the form of an address, what
 * makes a password too easy. Pure functions. */
#ifndef ALICERCE_ACCOUNT_H
#define ALICERCE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

enum account_role { ROLE_ADMIN, ROLE_OPERATOR, ROLE_READER, ROLE_COUNT };

enum {
    ACCOUNT_NAME_MAX = 100,  /* characters */
    ACCOUNT_EMAIL_MAX = 254, /* RFC 5321 section 4.5.3.1.3, without the angle brackets */
    ACCOUNT_PASSWORD_MIN = 12,
    ACCOUNT_PASSWORD_MAX = 128 /* characters: up to 512 bytes */
};

/* "admin", "operador", "leitor". Static. */
const char *account_role_name(enum account_role role);
/* false: there is no such role. */
bool account_role_parse(const char *s, size_t len, enum account_role *ret);

/* An address in ASCII as people have them: dot-atom before the '@' (RFC 5322 section 3.2.3, at most
 * 64 bytes), two or more labels of a host name behind it. */
bool account_email_ok(const char *s, size_t len);
/* ASCII letters to lower case, in place: how addresses are compared. */
void account_email_fold(char *s, size_t len);

/* NULL when the password may be used for this address (may be NULL), else why not: Portuguese, for
 * people, holding nothing of the password. It is UTF-8 without U+0000. */
const char *account_password_fault(const char *s, size_t len, const char *email);

#endif
