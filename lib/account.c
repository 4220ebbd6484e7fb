/* account: owns the names of roles and the form of addresses; passwords are in account_password.c.
 */
#include "account.h"

#include <string.h>

static const char *const roles[ROLE_COUNT] = {
    [ROLE_ADMIN] = "admin", [ROLE_OPERATOR] = "operador", [ROLE_READER] = "leitor"};

const char *account_role_name(enum account_role role)
{
    return (unsigned)role < ROLE_COUNT ? roles[role] : "";
}

bool account_role_parse(const char *s, size_t len, enum account_role *ret)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        if (strlen(roles[i]) == len && memcmp(roles[i], s, len) == 0) {
            *ret = (enum account_role)i;
            return true;
        }
    return false;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Atoms of atext with single dots between them. */
static bool is_dot_atom(const char *s, size_t len)
{
    if (len < 1 || len > 64 || s[0] == '.' || s[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.' ? s[i - 1] == '.' : !is_alnum(s[i]) && !strchr("!#$%&'*+-/=?^_`{|}~", s[i]))
            return false;
        if (s[i] == '\0')
            return false;
    }
    return true;
}

static bool is_label(const char *s, size_t len)
{
    if (len < 1 || len > 63 || s[0] == '-' || s[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(s[i]) && s[i] != '-')
            return false;
    return true;
}

static bool is_host_name(const char *s, size_t len)
{
    unsigned labels = 0;
    while (len) {
        const char *dot = memchr(s, '.', len);
        size_t n = dot ? (size_t)(dot - s) : len;
        if (!is_label(s, n) || (dot && n + 1 == len))
            return false;
        labels++;
        s += dot ? n + 1 : n;
        len -= dot ? n + 1 : n;
    }
    return labels >= 2;
}

bool account_email_ok(const char *s, size_t len)
{
    const char *at = len <= ACCOUNT_EMAIL_MAX ? memchr(s, '@', len) : NULL;
    size_t before = at ? (size_t)(at - s) : 0;
    return at && is_dot_atom(s, before) && is_host_name(at + 1, len - before - 1);
}

void account_email_fold(char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] >= 'A' && s[i] <= 'Z')
            s[i] = (char)(s[i] + 'a' - 'A');
}
