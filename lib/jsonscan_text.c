/* jsonscan_text: what strings and numbers of checked text mean. */
#include <string.h>

#include "jsonscan.h"
#include "text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- strings ---- */

/* The four digits at p. */
static unsigned unit_at(const char *p)
{
    return (unsigned)hex_value(p[0]) << 12 | (unsigned)hex_value(p[1]) << 8 |
           (unsigned)hex_value(p[2]) << 4 | (unsigned)hex_value(p[3]);
}

/* *p is at the `u` of an escape; moves past it and its second half. Lone surrogates as they are. */
static uint32_t take_unicode(const char **p)
{
    uint32_t unit = unit_at(*p + 1);
    *p += 5;
    if (unit < 0xd800 || unit > 0xdbff || (*p)[0] != '\\' || (*p)[1] != 'u')
        return unit;
    uint32_t low = unit_at(*p + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return unit;
    *p += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* *p is behind a backslash. */
static uint32_t take_escape(const char **p)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    if (**p == 'u')
        return take_unicode(p);
    const char *name = strchr(names, **p);
    uint32_t c = (unsigned char)(name ? values[name - names] : **p);
    (*p)++;
    return c;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(0xf00 >> n | c);
    return n;
}

size_t jsonscan_unescape(struct jsonscan string, char *out, bool *ret_odd)
{
    const char *p = string.text + 1, *end = string.text + string.len - 1;
    size_t n = 0;
    *ret_odd = false;
    for (;;) {
        size_t run = text_plain_run(p, (size_t)(end - p));
        memmove(out + n, p, run); /* out may be the string's own memory */
        n += run;
        p += run;
        if (p == end)
            break;
        p++; /* the backslash */
        uint32_t c = take_escape(&p);
        *ret_odd |= c == 0 || (c >= 0xd800 && c <= 0xdfff);
        n += put_utf8(out + n, c);
    }
    return n;
}

bool jsonscan_decode(struct jsonscan v, char *out, size_t *ret_len)
{
    bool odd;
    if (v.type != JSONSCAN_STRING)
        return false;
    size_t n = jsonscan_unescape(v, out, &odd);
    if (!odd)
        *ret_len = n;
    return !odd;
}

bool jsonscan_equals(struct jsonscan v, const char *s)
{
    size_t n = strlen(s), len;
    if (v.type != JSONSCAN_STRING)
        return false;
    if (v.len == n + 2 && memcmp(v.text + 1, s, n) == 0)
        return true;   /* our names have no backslash: equal as written */
    char decoded[512]; /* longer than any name we ask for, each character written as \uXXXX */
    return v.len <= sizeof decoded && memchr(v.text, '\\', v.len) &&
           jsonscan_decode(v, decoded, &len) && len == n && memcmp(decoded, s, n) == 0;
}

bool jsonscan_int(struct jsonscan v, int64_t min, int64_t max, int64_t *ret)
{
    if (v.type == JSONSCAN_STRING)
        return text_int(v.text + 1, v.len - 2, min, max, ret);
    return v.type == JSONSCAN_NUMBER && text_int(v.text, v.len, min, max, ret);
}

/* ---- jsonb ---- */

/* p is at the `u` of an escape. Moves to its last digit, or that of its second half. */
static bool unicode_fits(const char **p)
{
    uint32_t c = take_unicode(p);
    (*p)--;
    return c != 0 && (c < 0xd800 || c > 0xdfff);
}

static bool string_fits(const char **p)
{
    for ((*p)++; **p != '"'; (*p)++)
        if (**p == '\\' && *++*p == 'u' && !unicode_fits(p))
            return false;
    (*p)++;
    return true;
}

/* numeric takes 131,072 digits before the point and 16,383 after it. No event has a number of more
 * than 1,000 characters or an exponent of more than three digits. */
static bool number_fits(const char **p, const char *end)
{
    const char *start = *p;
    while (*p < end && **p != ',' && **p != ']' && **p != '}' && !is_space(**p))
        (*p)++;
    size_t len = (size_t)(*p - start);
    const char *e = memchr(start, 'e', len) ? memchr(start, 'e', len) : memchr(start, 'E', len);
    return len <= 1000 && (!e || *p - e <= 4);
}

bool jsonscan_fits_jsonb(struct jsonscan v)
{
    const char *p = v.text, *end = v.text + v.len;
    while (p < end) {
        if (*p == '"') {
            if (!string_fits(&p))
                return false;
        } else if (is_digit(*p) || *p == '-') {
            if (!number_fits(&p, end))
                return false;
        } else {
            p++;
        }
    }
    return true;
}
