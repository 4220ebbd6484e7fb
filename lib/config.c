/* config: reads each variable of the table by its type. Called once, at start. Values of hidden
 * types never reach an output. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_check.h"
#include "config_options.h"
#include "text.h"

enum {
    VALUE_MAX = 16 * 1024, /* bytes of a file named by X_FILE; a URL of many hosts is under 2 KiB */
    WANT_MAX = 96          /* "an integer from … to …" with the longest numbers is 58 */
};

/* May its value be told to no one? Those are also the ones that X_FILE works for. */
static bool is_hidden(const struct config_option *o)
{
    return o->type == OPTION_SECRET || o->type == OPTION_URL;
}

static bool is_text(const struct config_option *o)
{
    return o->type == OPTION_TEXT || is_hidden(o);
}

static char **text_field(struct config *c, const struct config_option *o)
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

static void print_got(const struct config_option *o, const char *value, FILE *err)
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
static void print_wrong(const struct config_option *o, const char *value, const char *want,
                        FILE *err)
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

static bool store_word(struct config *c, const struct config_option *o, const char *value)
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

static bool store_integer(struct config *c, const struct config_option *o, const char *value)
{
    return text_int(value, strlen(value), o->min, o->max,
                    (int64_t *)(void *)((char *)c + o->field));
}

/* The value may be changed; what is kept is a copy. */
static const char *store_text(struct config *c, const struct config_option *o, char *value)
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
static const char *store(struct config *c, const struct config_option *o, char *value,
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

static bool set(struct config *c, const struct config_option *o, const char *value, FILE *err)
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

static bool file_error(const struct config_option *o, const char *path, const char *why, FILE *err)
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

static bool set_from_file(struct config *c, const struct config_option *o, const char *path,
                          FILE *err)
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

static bool load_option(struct config *c, const struct config_option *o, FILE *err)
{
    char file_name[64]; /* AUDITORIA_RETENCAO_DIAS is the longest name, of 23 */
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
    for (size_t i = 0; c && i < config_n_options; i++) {
        if ((config_options[i].programs & program) && !load_option(c, &config_options[i], err)) {
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
    for (size_t i = 0; i < config_n_options; i++) {
        if (!is_text(&config_options[i]))
            continue;
        config_free_text(*text_field(c, &config_options[i]));
        *text_field(c, &config_options[i]) = NULL; /* two rows may have one field */
    }
    config_free_text(c->redis_user);
    free(c);
}

/* --help */

static const char *shown_default(const struct config_option *o)
{
    return o->shown ? o->shown : o->fallback ? o->fallback : "none";
}

static void print_option(const struct config_option *o, int name_width, int default_width,
                         FILE *out)
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
    for (size_t i = 0; i < config_n_options; i++) {
        size_t n = strlen(config_options[i].name), d = strlen(shown_default(&config_options[i]));
        name_width = n > name_width ? n : name_width;
        default_width = d > default_width ? d : default_width;
    }
    fputs("Environment (name, default, meaning):\n", out);
    for (size_t i = 0; i < config_n_options; i++)
        if (config_options[i].programs & program)
            print_option(&config_options[i], (int)name_width, (int)default_width, out);
    fputs("* or from the file that NAME_FILE names\n", out);
}
