/* config: owns the table of variables, their types and checks. Called once, at start.
 *
 * A new variable is a field in struct config and a row in options[]. A value that needs a look of
 * its own gets a check: it returns NULL when the value is good, else what is wanted; it may shorten
 * the value in place and set other fields. Values of hidden types never reach an output. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

enum {
    VALUE_MAX = 16 * 1024, /* bytes of a file named by X_FILE; a URL of many hosts is under 2 KiB */
    WANT_MAX = 96,         /* "an integer from … to …" with the longest numbers is 58 */
    THREADS_MAX = 64,
    REDIS_DB_MAX = INT_MAX
};

enum option_type {
    OPTION_TEXT,    /* shown when it is wrong */
    OPTION_SECRET,  /* hidden, may come from X_FILE */
    OPTION_URL,     /* holds a password: as SECRET */
    OPTION_INTEGER, /* within min and max */
    OPTION_WORD     /* one of words; stored is its index, as an enum of that order */
};

struct option {
    const char *name;
    enum option_type type;
    enum config_program programs;
    size_t field;         /* offset in struct config */
    const char *fallback; /* as the variable would have it; NULL: the field stays 0 */
    const char *shown;    /* in place of the fallback in --help, or NULL */
    int64_t min, max;
    const char *words; /* "debug|info|warn|error" */
    const char *(*check)(struct config *c, char *value);
    const char *meaning;
};

/* the table */

static const char *check_database_url(struct config *c, char *value);
static const char *check_redis_host(struct config *c, char *value);
static const char *check_redis_url(struct config *c, char *value);
static const char *check_address(struct config *c, char *value);
static const char *check_one_or_two(struct config *c, char *value);
static const char *check_origin(struct config *c, char *value);

#define FIELD(name) offsetof(struct config, name)

static const struct option options[] = {
    {.name = "DATABASE_URL",
     .type = OPTION_URL,
     .programs = CONFIG_BOTH,
     .field = FIELD(database_url),
     .fallback = "postgresql://alicerce:alicerce@localhost:5432/alicerce",
     .check = check_database_url,
     .meaning = "PostgreSQL, as libpq reads it; several hosts allowed"},
    {.name = "REDIS_HOST",
     .type = OPTION_TEXT,
     .programs = CONFIG_BOTH,
     .field = FIELD(redis_host),
     .fallback = "localhost",
     .check = check_redis_host,
     .meaning = "Redis: name or address"},
    {.name = "REDIS_PORT",
     .type = OPTION_INTEGER,
     .programs = CONFIG_BOTH,
     .field = FIELD(redis_port),
     .fallback = "6379",
     .min = 1,
     .max = 65535,
     .meaning = "Redis: port"},
    {.name = "REDIS_PASSWORD",
     .type = OPTION_SECRET,
     .programs = CONFIG_BOTH,
     .field = FIELD(redis_password),
     .meaning = "Redis: password"},
    /* After the three, which it overrides. Its check leaves the host as the value. */
    {.name = "REDIS_URL",
     .type = OPTION_URL,
     .programs = CONFIG_BOTH,
     .field = FIELD(redis_host),
     .check = check_redis_url,
     .meaning = "redis://[user[:password]@]host[:port][/db], in place of the three above"},
    {.name = "LOG_LEVEL",
     .type = OPTION_WORD,
     .programs = CONFIG_BOTH,
     .field = FIELD(log_level),
     .fallback = "info",
     .words = "debug|info|warn|error",
     .meaning = "least level that is logged"},
    {.name = "LOG_FORMAT",
     .type = OPTION_WORD,
     .programs = CONFIG_BOTH,
     .field = FIELD(log_format),
     .fallback = "json",
     .words = "json|text",
     .meaning = "form of a log line"},
    {.name = "HOST",
     .type = OPTION_TEXT,
     .programs = CONFIG_API,
     .field = FIELD(host),
     .fallback = "0.0.0.0",
     .check = check_address,
     .meaning = "address to listen on, IPv4 or IPv6"},
    {.name = "PORT",
     .type = OPTION_INTEGER,
     .programs = CONFIG_API,
     .field = FIELD(port),
     .fallback = "3000",
     .min = 1,
     .max = 65535,
     .meaning = "port to listen on"},
    {.name = "THREADS",
     .type = OPTION_INTEGER,
     .programs = CONFIG_API,
     .field = FIELD(threads),
     .shown = "cores",
     .min = 1,
     .max = THREADS_MAX,
     .meaning = "event loops"},
    {.name = "REQUEST_TIMEOUT_MS",
     .type = OPTION_INTEGER,
     .programs = CONFIG_API,
     .field = FIELD(request_timeout_ms),
     .fallback = "5000",
     .min = 100,
     .max = 60000,
     .meaning = "deadline of a request, milliseconds"},
    {.name = "POSTS_CACHE_TTL",
     .type = OPTION_INTEGER,
     .programs = CONFIG_API,
     .field = FIELD(posts_cache_ttl),
     .fallback = "60",
     .min = 1,
     .max = 86400,
     .meaning = "life of the cached first page of posts, seconds"},
    {.name = "META_APP_SECRET",
     .type = OPTION_SECRET,
     .programs = CONFIG_API,
     .field = FIELD(meta_app_secret),
     .check = check_one_or_two,
     .meaning = "checks webhook signatures; two separated by a comma while one is rotated"},
    {.name = "META_VERIFY_TOKEN",
     .type = OPTION_SECRET,
     .programs = CONFIG_API,
     .field = FIELD(meta_verify_token),
     .meaning = "what Meta sends in the webhook's handshake"},
    {.name = "FRONTEND_URL",
     .type = OPTION_TEXT,
     .programs = CONFIG_API,
     .field = FIELD(frontend_url),
     .fallback = "http://localhost",
     .check = check_origin,
     .meaning = "origin that CORS allows"},
};
enum { N_OPTIONS = sizeof options / sizeof options[0] };

/* May its value be told to no one? Those are also the ones that X_FILE works for. */
static bool is_hidden(const struct option *o)
{
    return o->type == OPTION_SECRET || o->type == OPTION_URL;
}

static bool is_text(const struct option *o)
{
    return o->type == OPTION_TEXT || is_hidden(o);
}

static char **text_field(struct config *c, const struct option *o)
{
    return (char **)(void *)((char *)c + o->field);
}

/* Frees a text and leaves nothing of it in memory. */
static void free_text(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

/* checks of hosts and URLs */

/* A host name, or an IPv6 address without its brackets. */
static bool is_host(const char *s)
{
    struct in6_addr six;
    size_t len = strlen(s);
    /* 253: RFC 1035 section 2.3.4 without the root's dot; '_' stands in compose service names */
    return (text_token(s, len, 253) && !strchr(s, ':')) || inet_pton(AF_INET6, s, &six) == 1;
}

/* Splits "host", "host:port", "[v6]" or "[v6]:port" in place. *ret_port stays when there is none.
 */
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

static const char *check_redis_host(struct config *c, char *value)
{
    (void)c;
    return is_host(value) ? NULL : "a host name or an IP address";
}

static const char *check_address(struct config *c, char *value)
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

static const char *check_database_url(struct config *c, char *value)
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
    free_text(*ret);
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
        if (*slash && !text_int(slash, strlen(slash), 0, REDIS_DB_MAX, &c->redis_db))
            return false;
    }
    if (!split_host_port(authority, &host, &c->redis_port))
        return false;
    memmove(s, host, strlen(host) + 1);
    return true;
}

static const char *check_redis_url(struct config *c, char *value)
{
    static const char scheme[] = "redis://";
    if (starts_with(value, "rediss://"))
        return "redis://: TLS to Redis (rediss://) is not supported yet";
    if (!starts_with(value, scheme) || !parse_redis(c, value + strlen(scheme)))
        return "redis://[user[:password]@]host[:port][/db], reserved characters as %XX";
    memmove(value, value + strlen(scheme), strlen(value + strlen(scheme)) + 1);
    return NULL;
}

static const char *check_one_or_two(struct config *c, char *value)
{
    (void)c;
    const char *comma = strchr(value, ',');
    bool good = !comma || (comma > value && comma[1] != '\0' && !strchr(comma + 1, ','));
    return good ? NULL : "one secret, or two separated by a comma";
}

/* RFC 6454 section 6.2: scheme, host and port alone. One slash at the end is dropped. */
static const char *check_origin(struct config *c, char *value)
{
    static const char want[] = "an origin: http:// or https://, a host and perhaps a port, no path";
    char copy[300]; /* 253 of a host, the scheme, the port, brackets */
    const char *host;
    int64_t port = 0;
    (void)c;
    size_t scheme = starts_with(value, "https://") ? 8 : starts_with(value, "http://") ? 7 : 0;
    size_t len = strlen(value);
    if (scheme == 0 || len >= sizeof copy)
        return want;
    if (value[len - 1] == '/')
        value[--len] = '\0';
    if (len < scheme)
        return want;
    memcpy(copy, value, len + 1);
    return split_host_port(copy + scheme, &host, &port) ? NULL : want;
}

/* error lines */

/* `value` between quotes, on one line and cut, whatever bytes it holds. */
static void print_quoted(FILE *err, const char *value)
{
    enum { SHOWN = 80 }; /* bytes: enough to know it again */
    bool utf8 = text_utf8(value, strlen(value), NULL);
    size_t i = 0;
    fputc('"', err);
    for (; value[i] && (i < SHOWN || (utf8 && (value[i] & 0xc0) == 0x80)); i++) {
        unsigned char c = (unsigned char)value[i];
        fputc(c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8) ? '?' : c, err);
    }
    fputs(value[i] ? "...\"" : "\"", err);
}

static void print_got(const struct option *o, const char *value, FILE *err)
{
    size_t chars;
    if (!is_hidden(o)) {
        print_quoted(err, value);
        return;
    }
    if (!text_utf8(value, strlen(value), &chars))
        chars = strlen(value);
    fprintf(err, "a value of %zu character%s", chars, chars == 1 ? "" : "s");
}

/* The line for a value that a type or a check refused. */
static void print_wrong(const struct option *o, const char *value, const char *want, FILE *err)
{
    fprintf(err, "alicerce: %s: got ", o->name);
    print_got(o, value, err);
    fprintf(err, ", want %s\n", want);
}

/* storing a value */

/* Index of `value` among words "a|b|c", -1 when it is none of them. */
static int word_index(const char *words, const char *value)
{
    size_t len = strlen(value);
    for (int i = 0;; i++) {
        size_t n = strcspn(words, "|");
        if (n == len && memcmp(words, value, n) == 0)
            return i;
        if (words[n] == '\0')
            return -1;
        words += n + 1;
    }
}

static bool store_word(struct config *c, const struct option *o, const char *value)
{
    int index = word_index(o->words, value);
    if (index < 0)
        return false;
    unsigned v = (unsigned)index;
    _Static_assert(sizeof(enum log_level) == sizeof v && sizeof(enum log_format) == sizeof v, "");
    memcpy((char *)c + o->field, &v, sizeof v);
    return true;
}

static bool store_integer(struct config *c, const struct option *o, const char *value)
{
    return text_int(value, strlen(value), o->min, o->max,
                    (int64_t *)(void *)((char *)c + o->field));
}

/* The value may be changed; what is kept is a copy. */
static const char *store_text(struct config *c, const struct option *o, char *value)
{
    const char *want = o->check ? o->check(c, value) : NULL;
    if (want)
        return want;
    char *copy = strdup(value);
    if (!copy)
        return "more memory";
    free_text(*text_field(c, o));
    *text_field(c, o) = copy;
    return NULL;
}

/* NULL when `value` is stored, else what is wanted, which may stand in `room`. */
static const char *store(struct config *c, const struct option *o, char *value,
                         char room[static WANT_MAX])
{
    if (is_text(o))
        return store_text(c, o, value);
    if (o->type == OPTION_WORD ? store_word(c, o, value) : store_integer(c, o, value))
        return NULL;
    if (o->type == OPTION_WORD)
        snprintf(room, WANT_MAX, "one of %s", o->words);
    else
        snprintf(room, WANT_MAX, "an integer from %" PRId64 " to %" PRId64, o->min, o->max);
    return room;
}

static bool set(struct config *c, const struct option *o, const char *value, FILE *err)
{
    char room[WANT_MAX];
    size_t len = strlen(value);
    char *copy = strdup(value); /* checks write into it */
    const char *want = copy ? store(c, o, copy, room) : "more memory";
    if (want)
        print_wrong(o, value, want, err);
    if (copy)
        explicit_bzero(copy, len); /* not up to its first NUL: a check may have set some */
    free(copy);
    return !want;
}

/* reading */

/* The variable's value; NULL when it is not set or empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Reads at most `size` - 1 bytes and ends them with a NUL. Returns how many, -1 with errno. */
static ssize_t read_file(const char *path, char *to, size_t size)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    errno = 0; /* a directory opens well, and fails to be read */
    size_t n = fread(to, 1, size - 1, f);
    int failed = ferror(f) ? errno : 0;
    fclose(f);
    to[n] = '\0';
    errno = failed;
    return failed ? -1 : (ssize_t)n;
}

static bool file_error(const struct option *o, const char *path, const char *why, FILE *err)
{
    fprintf(err, "alicerce: %s_FILE: got ", o->name);
    print_quoted(err, path);
    fprintf(err, " (%s), want a readable file with the value\n", why);
    return false;
}

/* What is wrong with a file's value of `n` bytes, NULL for nothing. */
static const char *file_fault(const char *value, size_t n)
{
    if (n == 0)
        return "it is empty";
    if (n > VALUE_MAX)
        return "it is longer than 16 KiB";
    return strlen(value) < n ? "it holds a NUL byte" : NULL;
}

static bool set_from_file(struct config *c, const struct option *o, const char *path, FILE *err)
{
    char value[VALUE_MAX + 3]; /* its newline, one byte to see that there is more, the NUL */
    ssize_t got = read_file(path, value, sizeof value);
    if (got < 0)
        return file_error(o, path, strerror(errno), err);
    size_t n = (size_t)got;
    if (n > 0 && value[n - 1] == '\n')
        value[--n] = '\0';
    const char *fault = file_fault(value, n);
    bool good = fault ? file_error(o, path, fault, err) : set(c, o, value, err);
    explicit_bzero(value, sizeof value);
    return good;
}

static bool load_option(struct config *c, const struct option *o, FILE *err)
{
    char file_name[64]; /* REQUEST_TIMEOUT_MS is the longest name, of 18 */
    snprintf(file_name, sizeof file_name, "%s_FILE", o->name);
    const char *value = variable(o->name);
    const char *path = is_hidden(o) ? variable(file_name) : NULL;
    if (value && path) {
        fprintf(err, "alicerce: %s: got both %s and %s, want only one of them\n", o->name, o->name,
                file_name);
        return false;
    }
    if (path)
        return set_from_file(c, o, path, err);
    if (!value)
        value = o->fallback;
    return !value || set(c, o, value, err);
}

/* Cores that this process may run on, within the bounds of THREADS. */
static int64_t cores(void)
{
    cpu_set_t set_of_cores;
    int64_t online = sysconf(_SC_NPROCESSORS_ONLN), n = online;
    if (sched_getaffinity(0, sizeof set_of_cores, &set_of_cores) == 0)
        n = CPU_COUNT(&set_of_cores);
    if (online >= 1 && n > online)
        n = online;
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
}

struct config *config_load(enum config_program program, FILE *err)
{
    struct config *c = calloc(1, sizeof *c);
    if (!c)
        fputs("alicerce: no memory for the configuration\n", err);
    for (size_t i = 0; c && i < N_OPTIONS; i++) {
        if ((options[i].programs & program) && !load_option(c, &options[i], err)) {
            config_free(c);
            return NULL;
        }
    }
    if (c && (program & CONFIG_API) && c->threads == 0)
        c->threads = cores();
    return c;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (!is_text(&options[i]))
            continue;
        free_text(*text_field(c, &options[i]));
        *text_field(c, &options[i]) = NULL; /* two rows may have one field */
    }
    free_text(c->redis_user);
    free(c);
}

/* --help */

static const char *shown_default(const struct option *o)
{
    return o->shown ? o->shown : o->fallback ? o->fallback : "none";
}

static void print_option(const struct option *o, int name_width, int default_width, FILE *out)
{
    fprintf(out, "  %-*s  %-*s  %s", name_width, o->name, default_width, shown_default(o),
            o->meaning);
    if (o->type == OPTION_INTEGER)
        fprintf(out, " (%" PRId64 " to %" PRId64 ")", o->min, o->max);
    else if (o->type == OPTION_WORD)
        fprintf(out, " (%s)", o->words);
    fputs(is_hidden(o) ? " *\n" : "\n", out);
}

void config_print(enum config_program program, FILE *out)
{
    size_t name_width = 0, default_width = 0;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        size_t n = strlen(options[i].name), d = strlen(shown_default(&options[i]));
        name_width = n > name_width ? n : name_width;
        default_width = d > default_width ? d : default_width;
    }
    fputs("Environment (name, default, meaning):\n", out);
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (options[i].programs & program)
            print_option(&options[i], (int)name_width, (int)default_width, out);
    fputs("* or from the file that NAME_FILE names\n", out);
}
