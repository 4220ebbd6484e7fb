/* Unit tests of jsonput. jansson is the judge of what was written. */
#include <check.h>
#include <jansson.h>
#include <string.h>

#include "jsonput.h"
#include "text.h"

Suite *suite_jsonput(void);

static void assert_written(const char *s, size_t len, const char *want)
{
    struct buf b = buf_init(1000);
    jsonput_string(&b, s, len);
    ck_assert(!buf_failed(&b));
    ck_assert_msg(b.len == strlen(want) && memcmp(b.data, want, b.len) == 0, "%.*s, want %s",
                  (int)b.len, b.data, want);
    buf_release(&b);
}

START_TEST(test_what_needs_no_escape_passes_as_it_is)
{
    assert_written("", 0, "\"\"");
    assert_written(NULL, 0, "\"\"");
    assert_written("abc", 3, "\"abc\"");
    assert_written("12345678", 8, "\"12345678\"");
    assert_written("a/b\x7f", 4, "\"a/b\x7f\"");
    assert_written("Olá, 世界 😀 é", strlen("Olá, 世界 😀 é"), "\"Olá, 世界 😀 é\"");
}
END_TEST

START_TEST(test_short_escapes_are_used_where_there_are_some)
{
    assert_written("\"\\\n\t\r\b\f", 7, "\"\\\"\\\\\\n\\t\\r\\b\\f\"");
    assert_written("\x00\x01\x0b\x1f ", 5, "\"\\u0000\\u0001\\u000b\\u001f \"");
}
END_TEST

/* Catches a word scan that misses a byte by its place or by its neighbours: a borrow of the
 * subtraction, or the eighth byte. */
START_TEST(test_every_byte_is_found_at_every_place_of_a_word)
{
    for (unsigned c = 0; c < 0x80; c++) {
        for (size_t at = 0; at < 24; at++) {
            char s[24];
            memset(s, at % 2 ? 0x21 : 0x7f, sizeof s);
            s[at] = (char)c;
            struct buf b = buf_init(1000);
            jsonput_string(&b, s, sizeof s);
            json_t *back = json_loadb(b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
            ck_assert_msg(back != NULL, "byte %u at %zu", c, at);
            ck_assert_uint_eq(json_string_length(back), sizeof s);
            ck_assert_mem_eq(json_string_value(back), s, sizeof s);
            bool escape = c < 0x20 || c == '"' || c == '\\';
            ck_assert_msg(escape == (b.len > sizeof s + 2), "byte %u at %zu", c, at);
            json_decref(back);
            buf_release(&b);
        }
    }
}
END_TEST

START_TEST(test_every_length_is_written_whole)
{
    char s[64];
    memset(s, 'x', sizeof s);
    for (size_t len = 0; len <= sizeof s; len++) {
        struct buf b = buf_init(len + 2); /* exactly what it takes */
        jsonput_string(&b, s, len);
        ck_assert(!buf_failed(&b));
        ck_assert_uint_eq(b.len, len + 2);
        ck_assert_int_eq(b.data[len + 1], '"');
        buf_release(&b);
    }
}
END_TEST

START_TEST(test_the_cap_holds_for_escapes_too)
{
    struct buf b = buf_init(10);
    jsonput_string(&b, "\x01\x02", 2); /* 14 bytes */
    ck_assert(buf_failed(&b));
    ck_assert_uint_le(b.len, 10);
    buf_release(&b);
}
END_TEST

START_TEST(test_times_are_quoted)
{
    struct buf b = buf_init(TEXT_TIME_LEN + 2);
    jsonput_time(&b, 1795314600123456);
    ck_assert(!buf_failed(&b));
    ck_assert_uint_eq(b.len, TEXT_TIME_LEN + 2);
    ck_assert_mem_eq(b.data, "\"2026-11-22T02:30:00.123456Z\"", b.len);
    jsonput_time(&b, 0);
    ck_assert(buf_failed(&b));
    buf_release(&b);
}
END_TEST

Suite *suite_jsonput(void)
{
    Suite *s = suite_create("jsonput");
    TCase *c = tcase_create("strings");
    tcase_add_test(c, test_what_needs_no_escape_passes_as_it_is);
    tcase_add_test(c, test_short_escapes_are_used_where_there_are_some);
    tcase_add_test(c, test_every_byte_is_found_at_every_place_of_a_word);
    tcase_add_test(c, test_every_length_is_written_whole);
    tcase_add_test(c, test_the_cap_holds_for_escapes_too);
    suite_add_tcase(s, c);
    c = tcase_create("times");
    tcase_add_test(c, test_times_are_quoted);
    suite_add_tcase(s, c);
    return s;
}
