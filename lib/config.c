/* config: owns the table of variables, their types and checks. Called once, at start.
 *
 * A new variable is a field in struct config and a row in options[]. A value that needs a look of
 * its own gets a check (config_check.h). Values of hidden types never reach an output. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_check.h"
#include "text.h"

enum {
    VALUE_MAX = 16 * 1024, /* bytes of a file named by X_FILE; a URL of many hosts is under 2 KiB */
    WANT_MAX = 96,         /* "an integer from … to …" with the longest numbers is 58 */
    THREADS_MAX = 64
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

#define FIELD(name) offsetof(struct config, name)

static const struct option options[] = {
    {.name = "DATABASE_URL",
     .type = OPTION_URL,
     .programs = CONFIG_BOTH,
     .field = FIELD(database_url),
     .fallback = "postgresql://alicerce:alicerce@localhost:5432/alicerce",
     .check = config_check_database_url,
     .meaning = "PostgreSQL, as libpq reads it; several hosts allowed"},
    {.name = "REDIS_HOST",
     .type = OPTION_TEXT,
     .programs = CONFIG_BOTH,
     .field = FIELD(redis_host),
     .fallback = "localhost",
     .check = config_check_redis_host,
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
     .check = config_check_redis_url,
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
     .check = config_check_address,
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
     .programs = CONFIG_BOTH,
     .field = FIELD(meta_app_secret),
     .check = config_check_one_or_two,
     .meaning = "checks webhook signatures, proves look-ups (the first one); two separated by a "
                "comma while one is rotated"},
    {.name = "META_ACCESS_TOKEN",
     .type = OPTION_SECRET,
     .programs = CONFIG_WORKER,
     .field = FIELD(meta_access_token),
     .check = config_check_token,
     .meaning = "looks leads up in Meta's Graph API; without it they stay 'pendente'"},
    {.name = "GRAPH_URL",
     .type = OPTION_TEXT,
     .programs = CONFIG_WORKER,
     .field = FIELD(graph_url),
     .fallback = "https://graph.facebook.com/v25.0",
     .check = config_check_base_url,
     .meaning = "the Graph API; plain http:// for tests or a gateway on the same machine alone"},
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
     .check = config_check_origin,
     .meaning = "origin that CORS allows"},
    {.name = "JWT_SECRET",
     .type = OPTION_SECRET,
     .programs = CONFIG_API,
     .field = FIELD(jwt_secret),
     .check = config_check_jwt_secret,
     .meaning =
         "signs tokens, 32 bytes or more; two separated by a comma while one is rotated: the "
         "first signs, both are accepted; without it routes that want a token answer 503"},
    {.name = "POSTS_WRITE",
     .type = OPTION_WORD,
     .programs = CONFIG_API,
     .field = FIELD(posts_write),
     .fallback = "open",
     .words = "open|token",
     .meaning = "who may send POST /api/posts: anybody, or operators with a token"},
    {.name = "ADMIN_EMAIL",
     .type = OPTION_TEXT,
     .programs = CONFIG_API,
     .field = FIELD(admin_email),
     .check = config_check_email,
     .meaning = "address of the first account, made at the first start"},
    /* After ADMIN_EMAIL, which its check looks at. */
    {.name = "ADMIN_PASSWORD",
     .type = OPTION_SECRET,
     .programs = CONFIG_API,
     .field = FIELD(admin_password),
     .check = config_check_admin_password,
     .meaning = "its password: 12 to 128 characters, no common one"},
    {.name = "TRUSTED_PROXIES",
     .type = OPTION_TEXT,
     .programs = CONFIG_API,
     .field = FIELD(trusted_proxies),
     .fallback = "127.0.0.0/8,::1",
     .check = config_check_networks,
     .meaning = "networks whose X-Forwarded-For tells the client's address (its last entry), "
                "separated by commas, or none"},
    {.name = "RATE_LIMIT",
     .type = OPTION_INTEGER,
     .programs = CONFIG_API,
     .field = FIELD(rate_limit),
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .meaning = "requests to /api/ that one client may make in a minute, of each replica; 0: no "
                "limit"},
    {.name = "FILA_TENTATIVAS",
     .type = OPTION_INTEGER,
     .programs = CONFIG_WORKER,
     .field = FIELD(fila_tentativas),
     .fallback = "5",
     .min = 1,
     .max = 20,
     .meaning = "attempts at storing a delivery before it is a dead letter"},
    {.name = "ENTREGAS_RETENCAO_DIAS",
     .type = OPTION_INTEGER,
     .programs = CONFIG_WORKER,
     .field = FIELD(entregas_retencao_dias),
     .fallback = "90",
     .min = 0,
     .max = 36500,
     .meaning = "life of processed deliveries in the archive, days; 0: for ever"},
    {.name = "METRICS_HOST",
     .type = OPTION_TEXT,
     .programs = CONFIG_WORKER,
     .field = FIELD(metrics_host),
     .fallback = "0.0.0.0",
     .check = config_check_address,
     .meaning = "address of /metrics and /health, IPv4 or IPv6"},
    {.name = "METRICS_PORT",
     .type = OPTION_INTEGER,
     .programs = CONFIG_WORKER,
     .field = FIELD(metrics_port),
     .min = 1,
     .max = 65535,
     .meaning = "port of /metrics and /health; they are off without it"},
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

/* error lines */

/* `value` between quotes, on one line and cut, whatever bytes it holds. */
static void print_quoted(FILE *err, const char *value)
{
    enum { SHOWN = 80 }; /* bytes: enough to know it again */
    bool utf8 = text_utf8(value, strlen(value), NULL);
    size_t i = 0;
    fputc('"', err);
    for (; value[i]; i++) {
        bool inside = utf8 && (value[i] & 0xc0) == 0x80; /* a character that is not to be cut */
        if (i >= SHOWN && !inside)
            break;
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
    _Static_assert(sizeof(enum log_level) == sizeof v && sizeof(enum log_format) == sizeof v &&
                       sizeof(enum posts_write) == sizeof v,
                   "");
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
    config_free_text(*text_field(c, o));
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
    char file_name[64]; /* ENTREGAS_RETENCAO_DIAS is the longest name, of 22 */
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
        config_free_text(*text_field(c, &options[i]));
        *text_field(c, &options[i]) = NULL; /* two rows may have one field */
    }
    config_free_text(c->redis_user);
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
