/* jsonput: owns the escaping of JSON strings. Called for every text of every answer: what needs no
 * escape, nearly all, is found 8 bytes at a time and copied at once. */
#include "jsonput.h"

#include <string.h>

#include "text.h"

#define ONES  (~UINT64_C(0) / 255) /* 0x0101…01 */
#define HIGHS (ONES * 0x80)

/* Not 0 when one of the 8 bytes is below `limit` (<= 0x80). "Bit Twiddling Hacks", hasless. */
static inline uint64_t any_below(uint64_t word, uint64_t limit)
{
    return (word - ONES * limit) & ~word & HIGHS;
}

static inline uint64_t any_special(uint64_t word)
{
    return any_below(word, 0x20) | any_below(word ^ ONES * '"', 1) |
           any_below(word ^ ONES * '\\', 1);
}

static inline bool is_special(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

/* Length of the run at s that needs no escape. */
static size_t clean_run(const char *s, size_t len)
{
    size_t i = 0;
    uint64_t word;
    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s + i, sizeof word);
        if (any_special(word))
            break;
    }
    while (i < len && !is_special(s[i]))
        i++;
    return i;
}

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
        size_t run = clean_run(s + 1, len - 1);
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
    size_t run = clean_run(s, len);
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
