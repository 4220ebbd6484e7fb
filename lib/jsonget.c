/* jsonget: owns the limits put on JSON that comes in and the words that tell people what is wrong
 * with it. Field errors beyond JSONGET_MAX_ERRORS are dropped; the answer stays an error. */
#include "jsonget.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* scanning the text before it is parsed */

/* text[i] is a quote: the index after the string's closing quote, or len when it has none. */
static size_t skip_string(const char *text, size_t len, size_t i)
{
    for (i++; i < len && text[i] != '"'; i++)
        if (text[i] == '\\')
            i++;
    return i < len ? i + 1 : len;
}

size_t jsonget_depth(const char *text, size_t len)
{
    size_t depth = 0, deepest = 0;
    for (size_t i = 0; i < len;) {
        char c = text[i];
        if (c == '"') {
            i = skip_string(text, len, i);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > deepest)
            deepest = depth;
        i++;
    }
    return deepest;
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0' || !strchr(" \t\r\n", text[i]))
            return false;
    return true;
}

/* parsing */

/* Line and column (in bytes), both from 1. */
static void fail_at(struct jsonget *g, const char *text, size_t at, const char *what)
{
    unsigned line = 1;
    size_t start = 0;
    for (size_t i = 0; i < at; i++)
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    jsonget_fail(g, "", "%s (linha %u, coluna %zu)", what, line, at - start + 1);
}

/* What can be said without a parser; NULL when nothing is wrong so far. */
static const char *wrong_with(const char *text, size_t len)
{
    if (is_blank(text, len))
        return "o corpo está vazio; envie um objeto JSON";
    if (jsonget_depth(text, len) > JSONGET_DEPTH)
        return "há mais de 32 níveis de aninhamento";
    if (memchr(text, '\0', len))
        return "o caractere U+0000 não é aceito";
    return NULL;
}
_Static_assert(JSONGET_DEPTH == 32, "the message above says 32");

static const struct jsonget_field *find(const struct jsonget *g, const char *name)
{
    for (unsigned i = 0; i < g->n_fields; i++)
        if (strcmp(g->fields[i].name, name) == 0)
            return &g->fields[i];
    return NULL;
}

/* Decodes a string into its own place, where it ends before its closing quote or on it. NULL, or
 * what is wrong with it. */
static const char *decode_in_place(struct jsonscan v, const char **ret, size_t *ret_len)
{
    char *out = (char *)(uintptr_t)v.text + 1;
    bool odd;
    size_t n = v.len - 2;
    if (memchr(out, '\\', n)) {
        n = jsonscan_unescape(v, out, &odd);
        if (odd)
            return memchr(out, '\0', n) ? "o caractere U+0000 não é aceito"
                                        : "não é um JSON válido: há meio par substituto";
    }
    out[n] = '\0';
    *ret = out;
    *ret_len = n;
    return NULL;
}

/* Every member is found before the first is decoded: the walk needs the text as it was. */
static unsigned find_members(struct jsonscan root, struct jsonscan keys[JSONGET_FIELDS],
                             struct jsonscan values[JSONGET_FIELDS])
{
    struct jsonscan_walk w = {NULL};
    unsigned n = 0;
    while (n < JSONGET_FIELDS && jsonscan_next_member(root, &w, &keys[n], &values[n]))
        n++;
    return n;
}

static bool add_field(struct jsonget *g, struct jsonscan key, struct jsonscan value)
{
    struct jsonget_field f = {.name = "", .value = value};
    size_t name_len;
    const char *wrong = decode_in_place(key, &f.name, &name_len);
    if (!wrong && value.type == JSONSCAN_STRING)
        wrong = decode_in_place(value, &f.text, &f.len);
    if (!wrong && find(g, f.name))
        wrong = "aparece mais de uma vez";
    if (wrong)
        jsonget_fail(g, f.name, "%s", wrong);
    else
        g->fields[g->n_fields++] = f;
    return !wrong;
}

static enum status read_fields(struct jsonget *g, struct jsonscan root)
{
    struct jsonscan keys[JSONGET_FIELDS], values[JSONGET_FIELDS];
    unsigned n = find_members(root, keys, values);
    for (unsigned i = 0; i < n; i++)
        if (!add_field(g, keys[i], values[i]))
            return STATUS_BAD_REQUEST;
    return STATUS_OK;
}

enum status jsonget_parse(struct jsonget *g, char *text, size_t len)
{
    struct jsonscan root;
    size_t at;
    g->n_fields = 0;
    g->n_errors = 0;
    g->n_known = 0;
    const char *wrong = wrong_with(text, len);
    if (wrong) {
        jsonget_fail(g, "", "%s", wrong);
        return STATUS_BAD_REQUEST;
    }
    wrong = jsonscan_check_at(text, len, &root, &at);
    if (wrong) {
        fail_at(g, text, at, wrong);
        return STATUS_BAD_REQUEST;
    }
    if (root.type != JSONSCAN_OBJECT) {
        jsonget_fail(g, "", "o corpo deve ser um objeto JSON");
        return STATUS_BAD_REQUEST;
    }
    return read_fields(g, root);
}

/* errors */

/* Copies what fits in `size` with its NUL, and no part of a character. */
static void copy_cut(char *to, size_t size, const char *s)
{
    size_t n = strlen(s);
    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80) /* s[n] is not a character's start */
            n--;
    }
    memcpy(to, s, n);
    to[n] = '\0';
}

void jsonget_fail(struct jsonget *g, const char *field, const char *fmt, ...)
{
    char message[2 * sizeof g->errors[0].message];
    va_list ap;
    if (g->n_errors == JSONGET_MAX_ERRORS)
        return;
    struct jsonget_error *e = &g->errors[g->n_errors++];
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    copy_cut(e->field, sizeof e->field, field);
    copy_cut(e->message, sizeof e->message, message);
}

/* fields */

/* The field, NULL when it is left out or null. Remembers that it is a known one. */
static const struct jsonget_field *field_of(struct jsonget *g, const char *name)
{
    assert(g->n_known < sizeof g->known / sizeof g->known[0]);
    g->known[g->n_known++] = name;
    const struct jsonget_field *f = find(g, name);
    return f && f->value.type != JSONSCAN_NULL ? f : NULL;
}

static void fail_length(struct jsonget *g, const char *field, size_t min, size_t max)
{
    if (min == max)
        jsonget_fail(g, field, "deve ter %zu caracteres", max);
    else if (min == 0)
        jsonget_fail(g, field, "deve ter no máximo %zu caracteres", max);
    else
        jsonget_fail(g, field, "deve ter de %zu a %zu caracteres", min, max);
}

const char *jsonget_string(struct jsonget *g, const char *field, bool required, size_t min,
                           size_t max, size_t *ret_len)
{
    const struct jsonget_field *f = field_of(g, field);
    size_t chars = 0;
    *ret_len = 0;
    if (!f) {
        if (required)
            jsonget_fail(g, field, "é obrigatório");
        return NULL;
    }
    if (f->value.type != JSONSCAN_STRING) {
        jsonget_fail(g, field, "deve ser um texto");
        return NULL;
    }
    if (!text_utf8(f->text, f->len, &chars) || chars < min || chars > max) {
        fail_length(g, field, min, max);
        return NULL;
    }
    *ret_len = f->len;
    return f->text;
}

/* Without a fraction or an exponent, however large. */
static bool is_integer(struct jsonscan v)
{
    return v.type == JSONSCAN_NUMBER && !memchr(v.text, '.', v.len) &&
           !memchr(v.text, 'e', v.len) && !memchr(v.text, 'E', v.len);
}

/* A number to JSON (RFC 8259 section 6), and no id or cursor that text_int would read. */
static bool is_minus_zero(struct jsonscan v)
{
    return v.len == 2 && memcmp(v.text, "-0", 2) == 0;
}

int64_t jsonget_int(struct jsonget *g, const char *field, int64_t min, int64_t max,
                    int64_t otherwise)
{
    const struct jsonget_field *f = field_of(g, field);
    int64_t v = otherwise;
    if (!f)
        return otherwise;
    if (!is_integer(f->value))
        jsonget_fail(g, field, "deve ser um número inteiro");
    else if (is_minus_zero(f->value) && min <= 0 && max >= 0)
        v = 0;
    else if (!jsonscan_int(f->value, min, max, &v))
        jsonget_fail(g, field, "deve ser de %" PRId64 " a %" PRId64, min, max);
    return v;
}

int jsonget_bool(struct jsonget *g, const char *field, int otherwise)
{
    const struct jsonget_field *f = field_of(g, field);
    if (!f)
        return otherwise;
    if (f->value.type != JSONSCAN_TRUE && f->value.type != JSONSCAN_FALSE) {
        jsonget_fail(g, field, "deve ser true ou false");
        return otherwise;
    }
    return f->value.type == JSONSCAN_TRUE;
}

struct jsonscan jsonget_object(struct jsonget *g, const char *field)
{
    const struct jsonget_field *f = field_of(g, field);
    if (f && f->value.type == JSONSCAN_OBJECT)
        return f->value;
    if (f)
        jsonget_fail(g, field, "deve ser um objeto");
    return (struct jsonscan){JSONSCAN_NONE, NULL, 0};
}

bool jsonget_is_null(const struct jsonget *g, const char *field)
{
    const struct jsonget_field *f = find(g, field);
    return f && f->value.type == JSONSCAN_NULL;
}

static bool is_known(const struct jsonget *g, const char *field)
{
    for (unsigned i = 0; i < g->n_known; i++)
        if (strcmp(g->known[i], field) == 0)
            return true;
    return false;
}

enum status jsonget_finish(struct jsonget *g)
{
    for (unsigned i = 0; i < g->n_fields; i++)
        if (!is_known(g, g->fields[i].name))
            jsonget_fail(g, g->fields[i].name, "campo desconhecido");
    return g->n_errors > 0 ? STATUS_INVALID : STATUS_OK;
}
