/* Unit tests of text. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

Suite *suite_text(void);

/* utf8 */

START_TEST(test_valid_utf8_is_counted_in_code_points)
{
    static const struct {
        const char *s;
        size_t chars;
    } rows[] = {
        {"", 0},
        {"abc", 3},
        {"Anônimo", 7},
        {"12345678", 8},                 /* one word of the fast path */
        {"12345678é12345678", 17},       /* fast, slow, fast */
        {"\x7f\xc2\x80\xdf\xbf", 3},     /* U+007F U+0080 U+07FF */
        {"\xe0\xa0\x80\xef\xbf\xbf", 2}, /* U+0800 U+FFFF */
        {"\xed\x9f\xbf\xee\x80\x80", 2}, /* U+D7FF U+E000: around the surrogates */
        {"\xf0\x90\x80\x80", 1},         /* U+10000 */
        {"\xf4\x8f\xbf\xbf", 1},         /* U+10FFFF */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t chars = 99;
        ck_assert_msg(text_utf8(rows[i].s, strlen(rows[i].s), &chars), "row %zu", i);
        ck_assert_msg(chars == rows[i].chars, "row %zu: %zu", i, chars);
    }
    ck_assert(text_utf8("a\0b", 3, NULL));
}
END_TEST

START_TEST(test_broken_utf8_is_refused)
{
    static const char *const rows[] = {
        "\x80", /* a continuation alone */
        "\xc0\xaf",
        "\xc1\xbf", /* overlong of 2 */
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf", /* overlong of 3 */
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf", /* overlong of 4 */
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates, first and last */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", /* above U+10FFFF */
        "\xfe",
        "\xff",
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98", /* cut short */
        "\xc3(",
        "\xe2(\xa1",
        "\xe2\x82(",
        "\xf0\x9f\x98(", /* another byte in the middle */
        "12345678\xff",
        "1234567\xff!2345678",
        "1234567\x80!2345678",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t chars = 99;
        ck_assert_msg(!text_utf8(rows[i], strlen(rows[i]), &chars), "row %zu", i);
        ck_assert_uint_eq(chars, 99);
    }
}
END_TEST

/* Every code point, encoded by the definition, at every offset of a word of the fast path. */
START_TEST(test_every_code_point_is_judged_rightly)
{
    for (unsigned cp = 0x80; cp < 0x110000; cp++) {
        char s[16] = "1234567";
        size_t at = cp % 8, n;
        if (cp < 0x800) {
            n = 2;
            s[at] = (char)(0xc0 | cp >> 6);
        } else if (cp < 0x10000) {
            n = 3;
            s[at] = (char)(0xe0 | cp >> 12);
        } else {
            n = 4;
            s[at] = (char)(0xf0 | cp >> 18);
        }
        for (size_t i = 1; i < n; i++)
            s[at + i] = (char)(0x80 | (cp >> 6 * (n - 1 - i) & 63));
        size_t chars = 0;
        bool good = text_utf8(s, at + n, &chars);
        if (good != (cp < 0xd800 || cp > 0xdfff) || (good && chars != at + 1))
            ck_abort_msg("U+%04X", cp); /* ck_assert would write to a pipe a million times */
    }
}
END_TEST

/* integers */

static bool is_int(const char *s, int64_t min, int64_t max, int64_t want)
{
    int64_t v = 12345;
    return text_int(s, strlen(s), min, max, &v) && v == want;
}

START_TEST(test_integers_are_read_to_the_ends_of_64_bits)
{
    ck_assert(is_int("0", 0, 0, 0));
    ck_assert(is_int("42", 1, 100, 42));
    ck_assert(is_int("1", 1, 100, 1));
    ck_assert(is_int("100", 1, 100, 100));
    ck_assert(is_int("-7", -10, 0, -7));
    ck_assert(is_int("9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX));
    ck_assert(is_int("-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN));
}
END_TEST

START_TEST(test_what_is_no_plain_integer_is_refused)
{
    static const char *const rows[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "-0",
        "-01",
        "1.0",
        "1e3",
        "0x10",
        "a",
        "1a",
        "--1",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551617",
        "99999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t v = 12345;
        ck_assert_msg(!text_int(rows[i], strlen(rows[i]), INT64_MIN, INT64_MAX, &v), "%s", rows[i]);
        ck_assert_int_eq(v, 12345);
    }
    int64_t v;
    ck_assert(!text_int("0", 1, 1, 100, &v));
    ck_assert(!text_int("101", 3, 1, 100, &v));
    ck_assert(!text_int("1\0", 2, 1, 100, &v));
    ck_assert(text_int("12345", 2, 1, 100, &v)); /* only `len` bytes are looked at */
    ck_assert_int_eq(v, 12);
}
END_TEST

/* escapes */

static bool decodes(const char *s, bool plus, const char *want)
{
    char copy[64];
    size_t len = 99;
    strcpy(copy, s);
    return text_percent_decode(copy, strlen(copy), plus, &len) && len == strlen(want) &&
           memcmp(copy, want, len) == 0;
}

START_TEST(test_percent_escapes_are_decoded)
{
    ck_assert(decodes("", true, ""));
    ck_assert(decodes("abc", true, "abc"));
    ck_assert(decodes("%41%7a%C3%a9", true, "Azé"));
    ck_assert(decodes("a+b%2B", true, "a b+"));
    ck_assert(decodes("a+b", false, "a+b"));
    ck_assert(decodes("%2541", true, "%41")); /* once, not twice */
}
END_TEST

START_TEST(test_broken_escapes_and_nul_are_refused)
{
    static const char *const rows[] = {"%", "a%4", "%4g", "%g4", "%%41", "%00", "a%00b", "% 1"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(!decodes(rows[i], true, "") && !decodes(rows[i], true, rows[i]), "%s",
                      rows[i]);
    char raw[] = "a\0b", cut[] = "%41";
    size_t len;
    ck_assert(!text_percent_decode(raw, 3, true, &len));
    ck_assert(!text_percent_decode(cut, 2, true, &len)); /* does not look past `len` */
}
END_TEST

START_TEST(test_hex_goes_there_and_back)
{
    static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    uint8_t back[4];
    char hex[8];
    text_hex(bytes, 4, hex);
    ck_assert_mem_eq(hex, "000fa5ff", 8);
    ck_assert(text_unhex(hex, back, 4));
    ck_assert_mem_eq(back, bytes, 4);
    ck_assert(!text_unhex("000FA5FF", back, 4));
    ck_assert(!text_unhex("000fa5fg", back, 4));
}
END_TEST

/* RFC 4648 section 10, without padding, and the two characters that differ from base64. */
START_TEST(test_base64url_matches_the_vectors)
{
    static const struct {
        const char *plain, *coded;
    } rows[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char coded[16];
        uint8_t plain[16];
        size_t len = strlen(rows[i].plain), n = strlen(rows[i].coded), back = 99;
        ck_assert_uint_eq(text_base64url((const uint8_t *)rows[i].plain, len, coded), n);
        ck_assert_mem_eq(coded, rows[i].coded, n);
        ck_assert(text_unbase64url(coded, n, plain, len, &back));
        ck_assert_uint_eq(back, len);
        ck_assert_mem_eq(plain, rows[i].plain, len);
        ck_assert(len == 0 || !text_unbase64url(coded, n, plain, len - 1, &back));
    }
}
END_TEST

START_TEST(test_base64url_that_is_not_canonical_is_refused)
{
    static const char *const rows[] = {"A",    "AAAAA", "Zh",   "Zm9", /* bits left over */
                                       "Zg==", "Z g",   "Zm+v", "Zm/v", "Zm9v\n"};
    uint8_t out[16];
    size_t len = 99;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(!text_unbase64url(rows[i], strlen(rows[i]), out, sizeof out, &len), "%s",
                      rows[i]);
    ck_assert_uint_eq(len, 99);
}
END_TEST

/* tokens */

START_TEST(test_tokens_hold_only_their_characters)
{
    ck_assert(text_token("aZ09._-:", 8, 8));
    ck_assert(!text_token("", 0, 8));
    ck_assert(!text_token("123456789", 9, 8));
    ck_assert(!text_token("a b", 3, 8));
    ck_assert(!text_token("a\0b", 3, 8)); /* strchr finds the NUL of its set */
    ck_assert(!text_token("\xc3\xa9", 2, 8));
    ck_assert(!text_token("a\n", 2, 8));
    ck_assert(text_http_token("X-Request-Id!#$%&'*+.^_`|~", 26));
    ck_assert(!text_http_token("a:b", 3));
    ck_assert(!text_http_token("a b", 3));
    ck_assert(!text_http_token("", 0));
    ck_assert(!text_http_token("a\0", 2));
}
END_TEST

START_TEST(test_equality_sees_every_byte)
{
    char a[32], b[32];
    memset(a, 'x', sizeof a);
    memcpy(b, a, sizeof a);
    ck_assert(text_equal_ct(a, b, sizeof a));
    ck_assert(text_equal_ct(a, b, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 'y';
        for (size_t len = 0; len <= sizeof a; len++)
            ck_assert(text_equal_ct(a, b, len) == (i >= len));
        b[i] = 'x';
    }
}
END_TEST

/* time */

static void assert_time(int64_t us, const char *want)
{
    char out[TEXT_TIME_LEN + 1];
    int64_t back = 1;
    out[TEXT_TIME_LEN] = '#';
    text_time(us, out);
    ck_assert_int_eq(out[TEXT_TIME_LEN], '#');
    out[TEXT_TIME_LEN] = '\0';
    ck_assert_str_eq(out, want);
    ck_assert(text_time_parse(out, TEXT_TIME_LEN, &back));
    ck_assert_int_eq(back, us);
}

START_TEST(test_times_at_the_borders_of_the_calendar)
{
    assert_time(0, "1970-01-01T00:00:00.000000Z");
    assert_time(-1, "1969-12-31T23:59:59.999999Z");
    assert_time(1795314600123456, "2026-11-22T02:30:00.123456Z");
    assert_time(951782400000000, "2000-02-29T00:00:00.000000Z");
    assert_time(4107542400000000, "2100-03-01T00:00:00.000000Z");
    assert_time(4107542399999999, "2100-02-28T23:59:59.999999Z");
    assert_time(-62167219200000000, "0000-01-01T00:00:00.000000Z");
    assert_time(-62162035200000001, "0000-02-29T23:59:59.999999Z");
    assert_time(253402300799999999, "9999-12-31T23:59:59.999999Z");
}
END_TEST

START_TEST(test_times_outside_of_four_digits_become_the_nearest_end)
{
    char out[TEXT_TIME_LEN];
    text_time(INT64_MIN, out);
    ck_assert_mem_eq(out, "0000-01-01T00:00:00.000000Z", TEXT_TIME_LEN);
    text_time(253402300800000000, out);
    ck_assert_mem_eq(out, "9999-12-31T23:59:59.999999Z", TEXT_TIME_LEN);
    text_time(INT64_MAX, out);
    ck_assert_mem_eq(out, "9999-12-31T23:59:59.999999Z", TEXT_TIME_LEN);
}
END_TEST

/* Each day of ten thousand years against gmtime_r. */
START_TEST(test_every_day_agrees_with_the_c_library)
{
    for (int64_t day = -719528; day <= 2932896; day++) {
        char out[TEXT_TIME_LEN], want[80];
        struct tm tm;
        time_t second = (time_t)(day * 86400);
        int64_t back = 0;
        gmtime_r(&second, &tm);
        snprintf(want, sizeof want, "%04d-%02d-%02dT00:00:00.000000Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday);
        text_time(day * 86400 * 1000000, out);
        if (memcmp(out, want, TEXT_TIME_LEN) != 0)
            ck_abort_msg("day %lld: %.27s, want %s", (long long)day, out, want);
        if (!text_time_parse(out, TEXT_TIME_LEN, &back) || back != day * 86400 * 1000000)
            ck_abort_msg("%s does not come back", want);
    }
}
END_TEST

static int64_t parsed(const char *s)
{
    int64_t us = -42;
    ck_assert_msg(text_time_parse(s, strlen(s), &us), "%s", s);
    return us;
}

START_TEST(test_offsets_and_fractions_are_understood)
{
    int64_t want = 1795314600000000; /* 2026-11-22T02:30:00Z */
    ck_assert_int_eq(parsed("2026-11-22T02:30:00Z"), want);
    ck_assert_int_eq(parsed("2026-11-22t02:30:00z"), want);
    ck_assert_int_eq(parsed("2026-11-21T23:30:00-03:00"), want);
    ck_assert_int_eq(parsed("2026-11-22T08:15:00+05:45"), want);
    ck_assert_int_eq(parsed("2026-11-22T02:30:00-00:00"), want);
    ck_assert_int_eq(parsed("2026-11-22T02:30:00.5Z"), want + 500000);
    ck_assert_int_eq(parsed("2026-11-22T02:30:00.000001Z"), want + 1);
    ck_assert_int_eq(parsed("2026-11-22T02:30:00.123456789Z"), want + 123456);
    ck_assert_int_eq(parsed("1969-12-31T23:59:59.5Z"), -500000);
    ck_assert_int_eq(parsed("2016-12-31T23:59:60Z"), 1483228800000000); /* leap seconds */
    ck_assert_int_eq(parsed("2016-12-31T20:59:60-03:00"), 1483228800000000);
}
END_TEST

START_TEST(test_what_is_no_rfc3339_time_is_refused)
{
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T02:30:00",
        "2026-11-22 02:30:00Z",
        "2026-11-22T02:30Z",
        "2026-00-22T02:30:00Z",
        "2026-13-22T02:30:00Z",
        "2026-11-00T02:30:00Z",
        "2026-11-31T02:30:00Z",
        "2026-02-29T02:30:00Z",
        "2100-02-29T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T02:60:00Z",
        "2026-11-22T02:30:61Z",
        "2026-11-22T02:30:60Z",
        "2026-11-22T02:30:00.Z",
        "2026-11-22T02:30:00.1234567890Z",
        "2026-11-22T02:30:00,5Z",
        "2026-11-22T02:30:00+3:00",
        "2026-11-22T02:30:00+0300",
        "2026-11-22T02:30:00+24:00",
        "2026-11-22T02:30:00+00:60",
        "2026-11-22T02:30:00ZZ",
        " 2026-11-22T02:30:00Z",
        "-026-11-22T02:30:00Z",
        "2026-1-22T02:30:00Z",
        "2026-11-22T02:30:00z ",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = -42;
        ck_assert_msg(!text_time_parse(rows[i], strlen(rows[i]), &us), "%s", rows[i]);
        ck_assert_int_eq(us, -42);
    }
}
END_TEST

Suite *suite_text(void)
{
    Suite *s = suite_create("text");
    TCase *c = tcase_create("utf8");
    tcase_add_test(c, test_valid_utf8_is_counted_in_code_points);
    tcase_add_test(c, test_broken_utf8_is_refused);
    tcase_add_test(c, test_every_code_point_is_judged_rightly);
    suite_add_tcase(s, c);
    c = tcase_create("integers");
    tcase_add_test(c, test_integers_are_read_to_the_ends_of_64_bits);
    tcase_add_test(c, test_what_is_no_plain_integer_is_refused);
    suite_add_tcase(s, c);
    c = tcase_create("escapes");
    tcase_add_test(c, test_percent_escapes_are_decoded);
    tcase_add_test(c, test_broken_escapes_and_nul_are_refused);
    tcase_add_test(c, test_hex_goes_there_and_back);
    tcase_add_test(c, test_base64url_matches_the_vectors);
    tcase_add_test(c, test_base64url_that_is_not_canonical_is_refused);
    suite_add_tcase(s, c);
    c = tcase_create("tokens");
    tcase_add_test(c, test_tokens_hold_only_their_characters);
    tcase_add_test(c, test_equality_sees_every_byte);
    suite_add_tcase(s, c);
    c = tcase_create("time");
    tcase_add_test(c, test_times_at_the_borders_of_the_calendar);
    tcase_add_test(c, test_times_outside_of_four_digits_become_the_nearest_end);
    tcase_add_test(c, test_every_day_agrees_with_the_c_library);
    tcase_add_test(c, test_offsets_and_fractions_are_understood);
    tcase_add_test(c, test_what_is_no_rfc3339_time_is_refused);
    suite_add_tcase(s, c);
    return s;
}
