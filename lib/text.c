/* text: owns nothing; every function is pure and may be called from any thread. */
#include "text.h"

#include <string.h>

#define ONES  (~UINT64_C(0) / 255) /* 0x0101…01: a byte value times this fills a word with it */
#define HIGHS (ONES * 0x80)

/* JSON strings */

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

size_t text_plain_run(const char *s, size_t len)
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

/* UTF-8 */

/* Length of the valid multi-byte sequence at s (RFC 3629 section 4), 0 when there is none. The
 * limits of the second byte are what keeps out overlong forms, surrogates and > U+10FFFF. */
static size_t sequence(const unsigned char *s, size_t left)
{
    unsigned char c = s[0];
    size_t n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* Length of the run of ASCII at s, 8 bytes at a time while they last. */
static size_t ascii_run(const unsigned char *s, size_t len)
{
    size_t i = 0;
    uint64_t word;
    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s + i, sizeof word);
        if (word & HIGHS)
            break;
    }
    while (i < len && s[i] < 0x80)
        i++;
    return i;
}

bool text_utf8(const char *s, size_t len, size_t *ret_chars)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t chars = 0;
    for (size_t i = 0; i < len;) {
        if (u[i] < 0x80) {
            size_t run = ascii_run(u + i, len - i);
            i += run;
            chars += run;
            continue;
        }
        size_t n = sequence(u + i, len - i);
        if (n == 0)
            return false;
        i += n;
        chars++;
    }
    if (ret_chars)
        *ret_chars = chars;
    return true;
}

/* numbers */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Adds up below zero, where INT64_MIN has room, and turns at the end. */
bool text_int(const char *s, size_t len, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = len > 0 && s[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == len || (s[i] == '0' && len > 1)) /* nothing, or 01, -0, -01 */
        return false;
    int64_t v = 0;
    for (; i < len; i++)
        if (!is_digit(s[i]) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, s[i] - '0', &v))
            return false;
    if (!negative && __builtin_sub_overflow(0, v, &v))
        return false;
    if (v < min || v > max)
        return false;
    *ret = v;
    return true;
}

/* escapes */

/* Value of a hexadecimal digit, -1 for another character. */
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The character that the two digits at s stand for; 0 when they are none. */
static char percent_value(const char *s, size_t left)
{
    int high = left >= 2 ? hex_value(s[0]) : -1;
    int low = left >= 2 ? hex_value(s[1]) : -1;
    return (char)(high < 0 || low < 0 ? 0 : high << 4 | low);
}

bool text_percent_decode(char *s, size_t len, bool plus, size_t *ret_len)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (c == '%') {
            c = percent_value(s + i + 1, len - i - 1);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        if (c == '\0')
            return false;
        s[out++] = c;
    }
    *ret_len = out;
    return true;
}

static const char hex_digits[] = "0123456789abcdef";

void text_hex(const uint8_t *in, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex_digits[in[i] >> 4];
        out[2 * i + 1] = hex_digits[in[i] & 15];
    }
}

bool text_unhex(const char *s, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < 2 * len; i++)
        if (hex_value(s[i]) < 0 || (s[i] >= 'A' && s[i] <= 'F'))
            return false;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)((unsigned)hex_value(s[2 * i]) << 4 | (unsigned)hex_value(s[2 * i + 1]));
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t text_base64url(const uint8_t *in, size_t len, char *out)
{
    size_t n = 0;
    uint32_t bits = 0;
    unsigned held = 0; /* bits not written yet, 0, 2 or 4 between bytes */
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        for (held += 8; held >= 6;) {
            held -= 6;
            out[n++] = base64_digits[bits >> held & 63];
        }
    }
    if (held > 0)
        out[n++] = base64_digits[bits << (6 - held) & 63];
    return n;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Canonical: no 4n+1 characters, and the bits left over at the end are zero. */
bool text_unbase64url(const char *s, size_t len, uint8_t *out, size_t cap, size_t *ret_len)
{
    size_t n = len / 4 * 3 + (len % 4 > 0 ? len % 4 - 1 : 0);
    uint32_t bits = 0;
    unsigned held = 0;
    size_t done = 0;
    if (len % 4 == 1 || n > cap)
        return false;
    for (size_t i = 0; i < len; i++) {
        int v = base64_value(s[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[done++] = (uint8_t)(bits >> held);
        }
    }
    if (bits & ((1U << held) - 1))
        return false;
    *ret_len = n;
    return true;
}

/* tokens */

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 1 or more characters, each a letter, a digit, '-' or one of `others`. */
static bool all_of(const char *s, size_t len, const char *others)
{
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(s[i]) && s[i] != '-' && (s[i] == '\0' || !strchr(others, s[i])))
            return false;
    return len > 0;
}

bool text_token(const char *s, size_t len, size_t max)
{
    return len <= max && all_of(s, len, "._:");
}

bool text_http_token(const char *s, size_t len)
{
    return all_of(s, len, "!#$%&'*+.^_`|~");
}

/* The compiler may not see that the answer is known at the first difference. */
bool text_equal_ct(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    uint64_t difference = 0;
    size_t i = 0;
    for (uint64_t u, v; len - i >= sizeof u; i += sizeof u) {
        memcpy(&u, x + i, sizeof u); /* of a fixed size: no call */
        memcpy(&v, y + i, sizeof v);
        difference |= u ^ v;
        __asm__ volatile("" : "+r"(difference));
    }
    for (; i < len; i++) {
        difference |= x[i] ^ y[i];
        __asm__ volatile("" : "+r"(difference));
    }
    return difference == 0;
}

/* time: the proleptic Gregorian calendar by arithmetic alone, after Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms". A year begins in March there, which puts the leap
 * day at its end; an era is 400 years. */
enum { ERA_DAYS = 146097, DAY_SECONDS = 86400, SECOND_US = 1000000 };
#define EPOCH_DAYS INT64_C(719468)             /* from 0000-03-01 to 1970-01-01 */
#define FIRST_US   INT64_C(-62167219200000000) /* 0000-01-01T00:00:00Z */
#define LAST_US    INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */

struct date {
    unsigned year, month, day;
};

/* day: counted from 0000-01-01, not negative. */
static struct date date_of(unsigned day)
{
    unsigned z = day + ERA_DAYS - 60; /* from the 1st of March, 400 years before 0000 */
    unsigned era = z / ERA_DAYS, in_era = z % ERA_DAYS;
    unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
    unsigned march = (5 * in_year + 2) / 153; /* months since March */
    unsigned month = march < 10 ? march + 3 : march - 9;
    return (struct date){.year = year + era * 400 - 400 + (month <= 2),
                         .month = month,
                         .day = in_year - (153 * march + 2) / 5 + 1};
}

/* Days since 1970-01-01 of a valid date in the years 0 to 9999. */
static int64_t days_of(struct date d)
{
    unsigned y = d.year + 400 - (d.month <= 2); /* + 400: never below zero */
    unsigned era = y / 400, in_era = y % 400;
    unsigned in_year = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
    unsigned day = in_era * 365 + in_era / 4 - in_era / 100 + in_year;
    return (int64_t)era * ERA_DAYS + day - ERA_DAYS - EPOCH_DAYS;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* `n` decimal digits and then `after`; returns where to go on. */
static char *put(char *out, unsigned n, unsigned v, char after)
{
    for (unsigned i = n; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    out[n] = after;
    return out + n + 1;
}

void text_time(int64_t unix_us, char *out)
{
    int64_t us = unix_us < FIRST_US ? FIRST_US : unix_us > LAST_US ? LAST_US : unix_us;
    uint64_t since = (uint64_t)(us - FIRST_US); /* not negative: plain division is right */
    unsigned second = (unsigned)(since / SECOND_US % DAY_SECONDS);
    struct date d = date_of((unsigned)(since / SECOND_US / DAY_SECONDS));
    out = put(out, 4, d.year, '-');
    out = put(out, 2, d.month, '-');
    out = put(out, 2, d.day, 'T');
    out = put(out, 2, second / 3600, ':');
    out = put(out, 2, second / 60 % 60, ':');
    out = put(out, 2, second % 60, '.');
    put(out, 6, (unsigned)(since % SECOND_US), 'Z');
}

struct cursor {
    const char *s, *end;
};

/* Takes exactly `n` digits whose value is within [min, max]. */
static bool take(struct cursor *c, unsigned n, unsigned min, unsigned max, unsigned *ret)
{
    unsigned v = 0;
    if (c->end - c->s < (ptrdiff_t)n)
        return false;
    for (unsigned i = 0; i < n; i++, c->s++) {
        if (!is_digit(*c->s))
            return false;
        v = v * 10 + (unsigned)(*c->s - '0');
    }
    *ret = v;
    return v >= min && v <= max;
}

/* Takes one character that is `a` or `b`. */
static bool take_char(struct cursor *c, char a, char b)
{
    if (c->s == c->end || (*c->s != a && *c->s != b))
        return false;
    c->s++;
    return true;
}

static bool take_date(struct cursor *c, struct date *d)
{
    return take(c, 4, 0, 9999, &d->year) && take_char(c, '-', '-') &&
           take(c, 2, 1, 12, &d->month) && take_char(c, '-', '-') &&
           take(c, 2, 1, month_days(d->year, d->month), &d->day);
}

/* Seconds of the day; 60 is let through as the second after 59. */
static bool take_time(struct cursor *c, unsigned *ret_second, bool *ret_leap)
{
    unsigned hour, minute, second;
    if (!take(c, 2, 0, 23, &hour) || !take_char(c, ':', ':') || !take(c, 2, 0, 59, &minute) ||
        !take_char(c, ':', ':') || !take(c, 2, 0, 60, &second))
        return false;
    *ret_second = hour * 3600 + minute * 60 + second;
    *ret_leap = second == 60;
    return true;
}

/* An optional fraction of 1 to 9 digits; what is below a microsecond is dropped. */
static bool take_fraction(struct cursor *c, unsigned *ret_us)
{
    unsigned us = 0, n = 0;
    *ret_us = 0;
    if (!take_char(c, '.', '.'))
        return true;
    for (; c->s < c->end && is_digit(*c->s); c->s++, n++)
        if (n < 6)
            us = us * 10 + (unsigned)(*c->s - '0');
    for (unsigned i = n; i < 6; i++)
        us *= 10;
    *ret_us = us;
    return n >= 1 && n <= 9;
}

/* Seconds east of UTC: Z, or +hh:mm, or -hh:mm. */
static bool take_offset(struct cursor *c, int *ret_east)
{
    unsigned hour, minute;
    *ret_east = 0;
    if (take_char(c, 'Z', 'z'))
        return true;
    bool west = c->s < c->end && *c->s == '-';
    if (!take_char(c, '+', '-') || !take(c, 2, 0, 23, &hour) || !take_char(c, ':', ':') ||
        !take(c, 2, 0, 59, &minute))
        return false;
    *ret_east = (int)(hour * 3600 + minute * 60) * (west ? -1 : 1);
    return true;
}

bool text_time_parse(const char *s, size_t len, int64_t *ret_unix_us)
{
    struct cursor c = {.s = s, .end = s + len};
    struct date d;
    unsigned second, us;
    bool leap;
    int east;
    if (!take_date(&c, &d) || !take_char(&c, 'T', 't') || !take_time(&c, &second, &leap) ||
        !take_fraction(&c, &us) || !take_offset(&c, &east) || c.s != c.end)
        return false;
    int64_t at = days_of(d) * DAY_SECONDS + second - east;
    if (leap && at % DAY_SECONDS != 0) /* leap seconds stand at the end of a day in UTC */
        return false;
    *ret_unix_us = at * SECOND_US + us;
    return true;
}
