/* jsonput: owns the escaping of JSON strings. Called for every text of every answer: what needs no
 * escape, nearly all, is copied at once. */
#include "jsonput.h"

#include <string.h>

#include "text.h"

/* The letter of the short escape (RFC 8259 section 7), 0 when there is none. */
static char short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\n':
        return 'n';
    case '\t':
        return 't';
    case '\r':
        return 'r';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return 0;
    }
}

static void put_escape(struct buf *b, char c)
{
    char letter = short_escape(c);
    if (letter) {
        buf_add(b, (char[]){'\\', letter}, 2);
        return;
    }
    char hex[2];
    text_hex((const uint8_t *)&c, 1, hex);
    buf_lit(b, "\\u00");
    buf_add(b, hex, sizeof hex);
}

/* From the first special character on, with the closing quote. */
static void put_rest(struct buf *b, const char *s, size_t len)
{
    while (len > 0) {
        put_escape(b, *s);
        size_t run = text_plain_run(s + 1, len - 1);
        buf_add(b, s + 1, run);
        s += 1 + run;
        len -= 1 + run;
    }
    buf_char(b, '"');
}

void jsonput_string(struct buf *b, const char *s, size_t len)
{
    char *out = buf_reserve(b, len + 2); /* what it takes at least */
    if (!out)
        return;
    size_t run = text_plain_run(s, len);
    *out = '"';
    if (run > 0)
        memcpy(out + 1, s, run);
    buf_advance(b, 1 + run);
    if (run < len) {
        put_rest(b, s + run, len - run);
        return;
    }
    out[1 + run] = '"';
    buf_advance(b, 1);
}

void jsonput_time(struct buf *b, int64_t unix_us)
{
    char *out = buf_reserve(b, TEXT_TIME_LEN + 2);
    if (!out)
        return;
    out[0] = '"';
    text_time(unix_us, out + 1);
    out[TEXT_TIME_LEN + 1] = '"';
    buf_advance(b, TEXT_TIME_LEN + 2);
}
