/* jsonget: owns the limits put on JSON that comes in and the words that tell people what is wrong
 * with it. Field errors beyond JSONGET_MAX_ERRORS are dropped; the answer stays an error. */
#include "jsonget.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* scanning the text, before and after the parser */

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

/* The string that ends just before `end`, decoded: a JSON string owned by the caller, or NULL. */
static json_t *string_before(const char *text, size_t end)
{
    size_t start = 0;
    for (size_t i = 0; i < end;) {
        start = i;
        i = text[i] == '"' ? skip_string(text, end, i) : i + 1;
    }
    return json_loadb(text + start, end - start, JSON_DECODE_ANY, NULL);
}

/* parsing */

static void fail_at(struct jsonget *g, const json_error_t *e, const char *what)
{
    jsonget_fail(g, "", "%s (linha %d, coluna %d)", what, e->line, e->column);
}

/* jansson's message names only keys of up to 18 bytes; its position is right for all of them. */
static void fail_duplicate(struct jsonget *g, const char *text, size_t len, const json_error_t *e)
{
    size_t end = e->position > 0 ? (size_t)e->position : 0;
    json_auto_t *key = string_before(text, end < len ? end : len);
    const char *name = json_string_value(key); /* NULL for NULL */
    jsonget_fail(g, name ? name : "", "aparece mais de uma vez (linha %d, coluna %d)", e->line,
                 e->column);
}

static enum status explain(struct jsonget *g, const char *text, size_t len, const json_error_t *e)
{
    switch (json_error_code(e)) {
    case json_error_out_of_memory:
        return STATUS_INTERNAL;
    case json_error_duplicate_key:
        fail_duplicate(g, text, len, e);
        break;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        fail_at(g, e, "o caractere U+0000 não é aceito");
        break;
    case json_error_premature_end_of_input:
        fail_at(g, e, "o JSON termina antes da hora");
        break;
    case json_error_end_of_input_expected:
        fail_at(g, e, "há algo depois do fim do JSON");
        break;
    case json_error_numeric_overflow:
        fail_at(g, e, "um número é grande demais");
        break;
    default:
        fail_at(g, e, "não é um JSON válido");
    }
    return STATUS_BAD_REQUEST;
}

/* What can be said without a parser; NULL when nothing is wrong so far. */
static const char *wrong_with(const char *text, size_t len)
{
    if (is_blank(text, len))
        return "o corpo está vazio; envie um objeto JSON";
    if (jsonget_depth(text, len) > JSONGET_DEPTH)
        return "há mais de 32 níveis de aninhamento";
    if (!text_utf8(text, len, NULL))
        return "o corpo não é UTF-8 válido";
    if (memchr(text, '\0', len))
        return "o caractere U+0000 não é aceito";
    return NULL;
}
_Static_assert(JSONGET_DEPTH == 32, "the message above says 32");

enum status jsonget_parse(struct jsonget *g, const char *text, size_t len)
{
    json_error_t e;
    g->root = NULL;
    g->n_errors = 0;
    g->n_known = 0;
    const char *wrong = wrong_with(text, len);
    if (wrong) {
        jsonget_fail(g, "", "%s", wrong);
        return STATUS_BAD_REQUEST;
    }
    /* Any value is let through here, so that `42` is told as no object and not as no JSON. */
    g->root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!g->root)
        return explain(g, text, len, &e);
    if (!json_is_object(g->root)) {
        jsonget_release(g);
        jsonget_fail(g, "", "o corpo deve ser um objeto JSON");
        return STATUS_BAD_REQUEST;
    }
    return STATUS_OK;
}

void jsonget_release(struct jsonget *g)
{
    json_decref(g->root);
    g->root = NULL;
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

/* The field's value, NULL when it is left out or null. Remembers that the field is a known one. */
static json_t *value_of(struct jsonget *g, const char *field)
{
    assert(g->n_known < sizeof g->known / sizeof g->known[0]);
    g->known[g->n_known++] = field;
    json_t *value = json_object_get(g->root, field);
    return json_is_null(value) ? NULL : value;
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
    const json_t *value = value_of(g, field);
    size_t len = json_string_length(value), chars = 0; /* 0 for what is no string */
    *ret_len = 0;
    if (!value) {
        if (required)
            jsonget_fail(g, field, "é obrigatório");
        return NULL;
    }
    if (!json_is_string(value)) {
        jsonget_fail(g, field, "deve ser um texto");
        return NULL;
    }
    if (!text_utf8(json_string_value(value), len, &chars) || chars < min || chars > max) {
        fail_length(g, field, min, max);
        return NULL;
    }
    *ret_len = len;
    return json_string_value(value);
}

int64_t jsonget_int(struct jsonget *g, const char *field, int64_t min, int64_t max,
                    int64_t otherwise)
{
    const json_t *value = value_of(g, field);
    if (!value)
        return otherwise;
    if (!json_is_integer(value)) {
        jsonget_fail(g, field, "deve ser um número inteiro");
        return otherwise;
    }
    int64_t v = json_integer_value(value);
    if (v < min || v > max) {
        jsonget_fail(g, field, "deve ser de %" PRId64 " a %" PRId64, min, max);
        return otherwise;
    }
    return v;
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
    const char *field;
    json_t *value;
    json_object_foreach(g->root, field, value)
    {
        if (!is_known(g, field))
            jsonget_fail(g, field, "campo desconhecido");
    }
    return g->n_errors > 0 ? STATUS_INVALID : STATUS_OK;
}
