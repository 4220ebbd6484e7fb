/* jsonscan: one strict pass (check), and cheap skipping afterwards.
 *
 * Invariant: every struct jsonscan but the root's input comes from a text that passed the check, so
 * that skipping needs no bounds but the value's own. What is inside of strings and numbers is in
 * jsonscan_text.c, the canonical form in jsonscan_canonical.c.
 */
#include "jsonscan.h"

#include <string.h>

#include "text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* ---- the check ---- */

struct check {
    const char *p, *end;
    const char *wrong; /* the first thing that is; NULL so far */
    const char *wrong_at;
    unsigned depth;
    char open[JSONSCAN_DEPTH]; /* '{' or '[' of each level */
};

enum expect { A_VALUE, A_KEY, AFTER_VALUE, THE_END };

static void fail(struct check *c, const char *what)
{
    if (c->wrong)
        return;
    c->wrong = what;
    c->wrong_at = c->p;
}

static void check_space(struct check *c)
{
    while (c->p < c->end && is_space(*c->p))
        c->p++;
}

static void check_escape(struct check *c)
{
    if (c->p == c->end || !strchr("\"\\/bfnrtu", *c->p) || *c->p == '\0') {
        fail(c, "há uma sequência de escape inválida");
        return;
    }
    if (*c->p++ != 'u')
        return;
    for (unsigned i = 0; i < 4; i++, c->p++) {
        if (c->p == c->end || !is_hex(*c->p)) {
            fail(c, "há uma sequência de escape inválida");
            return;
        }
    }
}

/* At its opening quote. */
static void check_string(struct check *c)
{
    for (c->p++; !c->wrong;) {
        c->p += text_plain_run(c->p, (size_t)(c->end - c->p));
        if (c->p == c->end) {
            fail(c, "o JSON termina antes da hora");
        } else if (*c->p == '"') {
            c->p++;
            return;
        } else if (*c->p == '\\') {
            c->p++;
            check_escape(c);
        } else {
            fail(c, "há um caractere de controle dentro de um texto");
        }
    }
}

static void check_digits(struct check *c)
{
    if (c->p == c->end || !is_digit(*c->p))
        fail(c, "há um número inválido");
    while (c->p < c->end && is_digit(*c->p))
        c->p++;
}

static bool take(struct check *c, char a, char b)
{
    if (c->p == c->end || (*c->p != a && *c->p != b))
        return false;
    c->p++;
    return true;
}

static void check_number(struct check *c)
{
    take(c, '-', '-');
    if (!take(c, '0', '0'))
        check_digits(c);
    if (take(c, '.', '.'))
        check_digits(c);
    if (take(c, 'e', 'E')) {
        take(c, '+', '-');
        check_digits(c);
    }
}

static void check_word(struct check *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
        fail(c, "não é um JSON válido");
    else
        c->p += n;
}

static void check_scalar(struct check *c)
{
    switch (*c->p) {
    case '"':
        check_string(c);
        break;
    case 't':
        check_word(c, "true");
        break;
    case 'f':
        check_word(c, "false");
        break;
    case 'n':
        check_word(c, "null");
        break;
    default:
        if (*c->p == '-' || is_digit(*c->p))
            check_number(c);
        else
            fail(c, "não é um JSON válido");
    }
}

static enum expect close_level(struct check *c)
{
    c->p++;
    c->depth--;
    return c->depth > 0 ? AFTER_VALUE : THE_END;
}

/* At '{' or '['. */
static enum expect open_level(struct check *c)
{
    char open = *c->p++;
    if (c->depth == JSONSCAN_DEPTH) {
        fail(c, "há mais de 256 níveis de aninhamento");
        return THE_END;
    }
    c->open[c->depth++] = open;
    check_space(c);
    if (c->p < c->end && *c->p == (open == '{' ? '}' : ']'))
        return close_level(c);
    return open == '{' ? A_KEY : A_VALUE;
}
_Static_assert(JSONSCAN_DEPTH == 256, "the message above says 256");

static enum expect check_value(struct check *c)
{
    if (*c->p == '{' || *c->p == '[')
        return open_level(c);
    check_scalar(c);
    return c->depth > 0 ? AFTER_VALUE : THE_END;
}

static enum expect check_key(struct check *c)
{
    if (*c->p != '"') {
        fail(c, "não é um JSON válido");
        return THE_END;
    }
    check_string(c);
    check_space(c);
    if (!take(c, ':', ':'))
        fail(c, "não é um JSON válido");
    return A_VALUE;
}

static enum expect check_after(struct check *c)
{
    bool object = c->open[c->depth - 1] == '{';
    if (*c->p == (object ? '}' : ']'))
        return close_level(c);
    if (!take(c, ',', ','))
        fail(c, "não é um JSON válido");
    return object ? A_KEY : A_VALUE;
}

static void check_all(struct check *c)
{
    enum expect expect = A_VALUE;
    while (!c->wrong && expect != THE_END) {
        check_space(c);
        if (c->p == c->end)
            fail(c, "o JSON termina antes da hora");
        else if (expect == A_VALUE)
            expect = check_value(c);
        else
            expect = expect == A_KEY ? check_key(c) : check_after(c);
    }
}

static enum jsonscan_type type_of(char c)
{
    switch (c) {
    case '{':
        return JSONSCAN_OBJECT;
    case '[':
        return JSONSCAN_ARRAY;
    case '"':
        return JSONSCAN_STRING;
    case 't':
        return JSONSCAN_TRUE;
    case 'f':
        return JSONSCAN_FALSE;
    case 'n':
        return JSONSCAN_NULL;
    default:
        return JSONSCAN_NUMBER;
    }
}

const char *jsonscan_check_at(const char *text, size_t len, struct jsonscan *ret_root,
                              size_t *ret_at)
{
    struct check c;
    c.p = text;
    c.end = text + len;
    c.wrong = NULL;
    c.depth = 0;
    *ret_at = 0;
    if (!text_utf8(text, len, NULL))
        return "não é UTF-8 válido";
    check_space(&c);
    if (c.p == c.end)
        return "o corpo está vazio";
    const char *start = c.p;
    check_all(&c);
    const char *end = c.p;
    check_space(&c);
    if (!c.wrong && c.p < c.end)
        fail(&c, "há algo depois do fim do JSON");
    if (!c.wrong)
        *ret_root = (struct jsonscan){type_of(*start), start, (size_t)(end - start)};
    else
        *ret_at = (size_t)(c.wrong_at - text);
    return c.wrong;
}

const char *jsonscan_check(const char *text, size_t len, struct jsonscan *ret_root)
{
    size_t at;
    return jsonscan_check_at(text, len, ret_root, &at);
}

/* ---- skipping, in checked text ---- */

static const char *skip_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

static const char *skip_string(const char *p, const char *end)
{
    for (p++; *(p += text_plain_run(p, (size_t)(end - p))) != '"';)
        p += 2; /* a backslash and what it escapes */
    return p + 1;
}

static const char *skip_nested(const char *p, const char *end)
{
    unsigned depth = 0;
    do {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        p++;
    } while (depth > 0);
    return p;
}

/* `end`: of what holds the value; a number at the root has nothing behind it to stop at. */
static const char *skip_scalar(const char *p, const char *end)
{
    while (p < end && !is_space(*p) && *p != ',' && *p != ']' && *p != '}')
        p++;
    return p;
}

static struct jsonscan value_at(const char *p, const char *end)
{
    struct jsonscan v = {type_of(*p), p, 0};
    const char *after = v.type == JSONSCAN_STRING ? skip_string(p, end)
                        : v.type == JSONSCAN_OBJECT || v.type == JSONSCAN_ARRAY
                            ? skip_nested(p, end)
                            : skip_scalar(p, end);
    v.len = (size_t)(after - p);
    return v;
}

bool jsonscan_next(struct jsonscan array, struct jsonscan_walk *w, struct jsonscan *ret)
{
    if (array.type != JSONSCAN_ARRAY)
        return false;
    const char *end = array.text + array.len;
    const char *p = skip_space(w->at ? w->at : array.text + 1);
    if (w->at && *p == ',')
        p = skip_space(p + 1);
    if (*p == ']')
        return false;
    *ret = value_at(p, end);
    w->at = ret->text + ret->len;
    return true;
}

bool jsonscan_next_member(struct jsonscan object, struct jsonscan_walk *w, struct jsonscan *ret_key,
                          struct jsonscan *ret_value)
{
    if (object.type != JSONSCAN_OBJECT)
        return false;
    const char *end = object.text + object.len;
    const char *p = skip_space(w->at ? w->at : object.text + 1);
    if (w->at && *p == ',')
        p = skip_space(p + 1);
    if (*p == '}')
        return false;
    *ret_key = value_at(p, end);
    p = skip_space(ret_key->text + ret_key->len); /* the colon */
    *ret_value = value_at(skip_space(p + 1), end);
    w->at = ret_value->text + ret_value->len;
    return true;
}

void jsonscan_pick(struct jsonscan object, size_t n, const char *const names[],
                   struct jsonscan ret[])
{
    struct jsonscan_walk w = {NULL};
    struct jsonscan key, value;
    for (size_t i = 0; i < n; i++)
        ret[i] = (struct jsonscan){JSONSCAN_NONE, NULL, 0};
    while (jsonscan_next_member(object, &w, &key, &value))
        for (size_t i = 0; i < n; i++)
            if (jsonscan_equals(key, names[i]))
                ret[i] = value;
}

struct jsonscan jsonscan_get(struct jsonscan object, const char *name)
{
    struct jsonscan found;
    jsonscan_pick(object, 1, &name, &found);
    return found;
}
