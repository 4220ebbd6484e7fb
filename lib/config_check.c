/* config_check: owns what is known of hosts, URLs and secrets beyond the types of the table. */
#include "config_check.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "cidr.h"
#include "config.h"
#include "text.h"

void config_free_text(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

/* A host name, or an IPv6 address without its brackets. */
static bool is_host(const char *s)
{
    struct in6_addr six;
    size_t len = strlen(s);
    /* 253: RFC 1035 section 2.3.4 without the root's dot; '_' stands in compose service names */
    return (text_token(s, len, 253) && !strchr(s, ':')) || inet_pton(AF_INET6, s, &six) == 1;
}

/* Splits "host", "host:port", "[v6]" or "[v6]:port" in place. *ret_port stays without a port. */
static bool split_host_port(char *s, const char **ret_host, int64_t *ret_port)
{
    char *host = s, *rest;
    if (*s == '[') {
        host = s + 1;
        rest = strchr(host, ']');
        if (!rest)
            return false;
        *rest++ = '\0';
    } else {
        rest = host + strcspn(host, ":");
    }
    if (*rest == ':') {
        *rest++ = '\0';
        if (!text_int(rest, strlen(rest), 1, 65535, ret_port))
            return false;
    } else if (*rest != '\0') {
        return false;
    }
    *ret_host = host;
    return is_host(host) && (*s == '[') == (strchr(host, ':') != NULL);
}

const char *config_check_redis_host(struct config *c, char *value)
{
    (void)c;
    return is_host(value) ? NULL : "a host name or an IP address";
}

const char *config_check_address(struct config *c, char *value)
{
    struct in6_addr any; /* holds either kind */
    (void)c;
    bool good = inet_pton(AF_INET, value, &any) == 1 || inet_pton(AF_INET6, value, &any) == 1;
    return good ? NULL : "an IPv4 or IPv6 address";
}

/* A comma-separated list of ports as libpq has it; an empty one means the default. */
static bool are_ports(const char *s)
{
    for (;; s++) {
        size_t n = strcspn(s, ",");
        int64_t port;
        if (n > 0 && !text_int(s, n, 1, 65535, &port))
            return false;
        s += n;
        if (*s == '\0')
            return true;
    }
}

static bool is_conninfo(const char *value)
{
    PQconninfoOption *found = PQconninfoParse(value, NULL); /* its message may hold the password */
    bool good = found != NULL;
    for (const PQconninfoOption *o = found; o && o->keyword; o++)
        if (strcmp(o->keyword, "port") == 0 && o->val)
            good = are_ports(o->val);
    PQconninfoFree(found);
    return good;
}

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

const char *config_check_database_url(struct config *c, char *value)
{
    (void)c;
    bool url = starts_with(value, "postgresql://") || starts_with(value, "postgres://");
    return url && is_conninfo(value)
               ? NULL
               : "postgresql://user:password@host:port/database, reserved characters as %XX";
}

/* Percent-decodes a part of a URL into *ret, NULL for an empty part. false: it is broken. */
static bool decode_part(char *s, char **ret)
{
    size_t len;
    if (!text_percent_decode(s, strlen(s), false, &len))
        return false;
    s[len] = '\0';
    config_free_text(*ret);
    *ret = len > 0 ? strdup(s) : NULL;
    return len == 0 || *ret;
}

/* "user:password", ":password" or "user". */
static bool parse_user(struct config *c, char *s)
{
    char *colon = strchr(s, ':');
    if (colon)
        *colon = '\0';
    char none[] = "";
    return decode_part(s, &c->redis_user) &&
           decode_part(colon ? colon + 1 : none, &c->redis_password);
}

/* What follows redis://; afterwards the host stands at its start. The user ends at the last '@', as
 * a host has none: a password with an unescaped one is understood too. */
static bool parse_redis(struct config *c, char *s)
{
    char none[] = "", *at = strrchr(s, '@'), *authority = at ? at + 1 : s;
    const char *host;
    if (at)
        *at = '\0';
    if (!parse_user(c, at ? s : none))
        return false;
    char *slash = strchr(authority, '/');
    c->redis_db = 0;
    c->redis_port = 6379;
    if (slash) {
        *slash++ = '\0';
        if (*slash && !text_int(slash, strlen(slash), 0, INT_MAX, &c->redis_db))
            return false;
    }
    if (!split_host_port(authority, &host, &c->redis_port))
        return false;
    memmove(s, host, strlen(host) + 1);
    return true;
}

const char *config_check_redis_url(struct config *c, char *value)
{
    static const char scheme[] = "redis://";
    if (starts_with(value, "rediss://"))
        return "redis://: TLS to Redis (rediss://) is not supported yet";
    if (!starts_with(value, scheme) || !parse_redis(c, value + strlen(scheme)))
        return "redis://[user[:password]@]host[:port][/db], reserved characters as %XX";
    memmove(value, value + strlen(scheme), strlen(value + strlen(scheme)) + 1);
    return NULL;
}

/* Length of "http://" or "https://", 0 for neither. */
static size_t scheme_of(const char *url)
{
    return starts_with(url, "https://") ? 8 : starts_with(url, "http://") ? 7 : 0;
}

/* A host and perhaps a port. */
static bool is_authority(const char *s, size_t len)
{
    char copy[300]; /* 253 of a host, the port, brackets */
    const char *host;
    int64_t port = 0;
    if (len >= sizeof copy)
        return false;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return split_host_port(copy, &host, &port);
}

const char *config_check_one_or_two(struct config *c, char *value)
{
    (void)c;
    const char *comma = strchr(value, ',');
    bool good = !comma || (comma > value && comma[1] != '\0' && !strchr(comma + 1, ','));
    return good ? NULL : "one secret, or two separated by a comma";
}

/* RFC 6454 section 6.2: scheme, host and port alone. One slash at the end is dropped. */
const char *config_check_origin(struct config *c, char *value)
{
    (void)c;
    size_t scheme = scheme_of(value), len = strlen(value);
    if (len > scheme && value[len - 1] == '/')
        value[--len] = '\0';
    return scheme > 0 && is_authority(value + scheme, len - scheme)
               ? NULL
               : "an origin: http:// or https://, a host and perhaps a port, no path";
}

const char *config_check_token(struct config *c, char *value)
{
    (void)c;
    for (const char *s = value; *s; s++)
        if (*s <= ' ' || *s > '~')
            return "a token of visible ASCII characters, without spaces";
    return NULL;
}

/* RFC 3986 section 3.3 without escapes: what the paths of versions and gateways are made of. */
static bool is_path(const char *s)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~/";
    size_t len = strlen(s);
    return strspn(s, characters) == len && !strstr(s, "//") && !strstr(s, "/..") &&
           (len == 0 || s[len - 1] != '/');
}

const char *config_check_base_url(struct config *c, char *value)
{
    (void)c;
    size_t scheme = scheme_of(value), len = strlen(value);
    if (len > scheme && value[len - 1] == '/')
        value[--len] = '\0';
    size_t authority = strcspn(value + scheme, "/");
    return scheme > 0 && is_authority(value + scheme, authority) &&
                   is_path(value + scheme + authority)
               ? NULL
               : "an http:// or https:// URL: a host, perhaps a port and a path, no user or query";
}

const char *config_check_storage_url(struct config *c, char *value)
{
    if (config_check_base_url(c, value) || strlen(value) > 512)
        return "the http:// or https:// URL of a bucket: a host, perhaps a port and a path, no "
               "user "
               "or query; the keys are STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY";
    return c->storage_access_key && c->storage_secret_key
               ? NULL
               : "STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY to be set, too";
}

const char *config_check_region(struct config *c, char *value)
{
    (void)c;
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_";
    size_t len = strlen(value); /* 32: the longest of AWS has 14 */
    return len <= 32 && strspn(value, characters) == len
               ? NULL
               : "1 to 32 letters, digits, '-' and '_', as eu-central-1";
}

/* 32: the length of a key for HS256 (RFC 7518 section 3.2). */
const char *config_check_jwt_secret(struct config *c, char *value)
{
    size_t first = strcspn(value, ",");
    const char *second = value[first] ? value + first + 1 : NULL;
    bool good =
        !config_check_one_or_two(c, value) && first >= 32 && (!second || strlen(second) >= 32);
    return good ? NULL : "a secret of 32 bytes or more, or two such separated by a comma";
}

const char *config_check_email(struct config *c, char *value)
{
    (void)c;
    return account_email_ok(value, strlen(value)) ? NULL : "an e-mail address";
}

const char *config_check_admin_password(struct config *c, char *value)
{
    if (!c->admin_email)
        return "ADMIN_EMAIL to be set, too";
    return account_password_fault(value, strlen(value), c->admin_email)
               ? "12 to 128 characters that are neither common, a sequence nor ADMIN_EMAIL"
               : NULL;
}

const char *config_check_networks(struct config *c, char *value)
{
    struct cidr_list list;
    (void)c;
    return cidr_parse_list(value, &list)
               ? NULL
               : "none, or up to 32 networks separated by commas, as 10.0.0.0/8,fd00::/8";
}
