/* Unit tests of jsonscan. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jsonscan.h"

Suite *suite_jsonscan(void);

static struct jsonscan scan(const char *text)
{
    struct jsonscan root;
    const char *wrong = jsonscan_check(text, strlen(text), &root);
    ck_assert_msg(wrong == NULL, "%s: %s", text, wrong ? wrong : "");
    return root;
}

/* ---- check ---- */

START_TEST(test_json_passes)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        " [ ] ",
        "\"\"",
        "0",
        "-0",
        "-1.5e+10",
        "1E400",
        "true",
        "null",
        "false",
        "\t1\r\n",
        "99999999999999999999999",
        "{\"a\":{\"b\":[1,2,{\"c\":\"\\u0000\\ud800\"}]},\"a\":null}",
        "[[],[[]],{}]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e1á\"",
        "{\"\":{}}",
        "[1 , 2]"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        scan(rows[i]);
}
END_TEST

START_TEST(test_what_is_no_json_is_refused)
{
    static const char *const rows[] = {
        "",          " ",   "{",       "}",        "[",          "[1",          "[1,",     "[1,]",
        "[,1]",      "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",       "{1:1}",   "[1}",
        "{\"a\":1]", "\"",  "\"a",     "\"\\\"",   "\"\\x\"",    "\"\\u12g4\"", "\"\\u12", "\"\n\"",
        "01",        "-",   "+1",      "1.",       ".5",         "1e",          "1e+",     "0x1",
        "tru",       "nul", "True",    "1 2",      "{} {}",      "\"\xff\"",    "[\"\\",   "NaN"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct jsonscan root;
        ck_assert_msg(jsonscan_check(rows[i], strlen(rows[i]), &root) != NULL, "row %zu: %s", i,
                      rows[i]);
    }
    struct jsonscan root;
    ck_assert_ptr_nonnull(jsonscan_check("1\0", 2, &root));
    ck_assert_ptr_nonnull(jsonscan_check("\"\\\0\"", 4, &root));
}
END_TEST

/* Under ASan: the copy has no byte behind its end to run into. */
START_TEST(test_every_cut_of_a_text_is_refused_within_its_bounds)
{
    static const char text[] = "{\"a\":[1,-2.5e3,true,null,\"\\ud83d\\ude00 \xc3\xa1\"],\"b\":{}}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        struct jsonscan root;
        char *copy = malloc(n > 0 ? n : 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n);
        ck_assert_msg(jsonscan_check(copy, n, &root) != NULL, "cut at %zu", n);
        free(copy);
    }
}
END_TEST

START_TEST(test_nesting_is_allowed_up_to_the_limit)
{
    char text[2 * JSONSCAN_DEPTH + 2];
    struct jsonscan root;
    memset(text, '[', JSONSCAN_DEPTH);
    memset(text + JSONSCAN_DEPTH, ']', JSONSCAN_DEPTH);
    ck_assert_ptr_null(jsonscan_check(text, 2 * JSONSCAN_DEPTH, &root));
    memset(text, '[', JSONSCAN_DEPTH + 1);
    memset(text + JSONSCAN_DEPTH + 1, ']', JSONSCAN_DEPTH + 1);
    ck_assert_ptr_nonnull(jsonscan_check(text, 2 * JSONSCAN_DEPTH + 2, &root));
}
END_TEST

/* ---- finding ---- */

static void assert_text(struct jsonscan v, const char *text)
{
    ck_assert_uint_eq(v.len, strlen(text));
    ck_assert_mem_eq(v.text, text, v.len);
}

START_TEST(test_members_are_found_whatever_stands_between_them)
{
    struct jsonscan root =
        scan(" { \"a\" : [1, {\"b\":\"]}\\\"\"}] ,\"b\":-1.5 , \"c\":{\"a\":0}}");
    assert_text(jsonscan_get(root, "a"), "[1, {\"b\":\"]}\\\"\"}]");
    assert_text(jsonscan_get(root, "b"), "-1.5");
    assert_text(jsonscan_get(jsonscan_get(root, "c"), "a"), "0");
    ck_assert_int_eq(jsonscan_get(root, "d").type, JSONSCAN_NONE);
    ck_assert_int_eq(jsonscan_get(jsonscan_get(root, "a"), "b").type, JSONSCAN_NONE);
}
END_TEST

START_TEST(test_the_last_of_equal_keys_counts_also_when_it_is_escaped)
{
    struct jsonscan root = scan("{\"a\":1,\"\\u0061\":2,\"ab\":3}");
    assert_text(jsonscan_get(root, "a"), "2");
}
END_TEST

START_TEST(test_elements_come_in_order)
{
    struct jsonscan root = scan("[ 1 ,\"a,]\", [2,3] , {} ]"), v;
    struct jsonscan_walk w = {NULL};
    static const char *const expected[] = {"1", "\"a,]\"", "[2,3]", "{}"};
    for (size_t i = 0; i < 4; i++) {
        ck_assert(jsonscan_next(root, &w, &v));
        assert_text(v, expected[i]);
    }
    ck_assert(!jsonscan_next(root, &w, &v));
    w.at = NULL;
    ck_assert(!jsonscan_next(scan("[ ]"), &w, &v));
    ck_assert(!jsonscan_next(scan("{}"), &w, &v));
}
END_TEST

START_TEST(test_integers_come_as_numbers_and_as_strings)
{
    int64_t n = 7;
    ck_assert(jsonscan_int(scan("9223372036854775807"), 0, INT64_MAX, &n) && n == INT64_MAX);
    ck_assert(jsonscan_int(scan("\"12\""), 0, 100, &n) && n == 12);
    ck_assert(!jsonscan_int(scan("9223372036854775808"), 0, INT64_MAX, &n));
    ck_assert(!jsonscan_int(scan("1.0"), 0, 100, &n));
    ck_assert(!jsonscan_int(scan("true"), 0, 100, &n));
    ck_assert(!jsonscan_int(scan("\"\""), 0, 100, &n));
    ck_assert_int_eq(n, 12);
}
END_TEST

/* ---- strings ---- */

START_TEST(test_escapes_are_decoded)
{
    char out[64];
    size_t len;
    struct jsonscan v = scan("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e1\\u20AC\\ud83d\\ude00\"");
    ck_assert(jsonscan_decode(v, out, &len));
    ck_assert_uint_eq(len, 8 + 2 + 3 + 4);
    ck_assert_mem_eq(out, "\"\\/\b\f\n\r\t\xc3\xa1\xe2\x82\xac\xf0\x9f\x98\x80", len);
}
END_TEST

START_TEST(test_characters_that_are_none_are_not_decoded)
{
    static const char *const rows[] = {"\"\\u0000\"",
                                       "\"\\ud800\"",
                                       "\"\\udc00\"",
                                       "\"\\ud800\\ud800\"",
                                       "\"\\ud800a\"",
                                       "\"\\ud800\\n\"",
                                       "1"};
    char out[32];
    size_t len = 99;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(!jsonscan_decode(scan(rows[i]), out, &len), "row %zu", i);
    ck_assert_uint_eq(len, 99);
}
END_TEST

START_TEST(test_jsonb_is_not_offered_what_it_refuses)
{
    static const struct {
        const char *text;
        bool fits;
    } rows[] = {{"{\"a\":[1,2.5e10,\"\\u00e1\\ud83d\\ude00\"],\"\\n\":null}", true},
                {"99999999999999999999999999", true},
                {"1e308", true},
                {"\"1e999999 \\\\u0000\"", true}, /* text, and an escaped backslash */
                {"\"\\u0000\"", false},
                {"{\"\\u0000\":1}", false},
                {"[\"\\ud800\"]", false},
                {"[\"\\ude00\\ud83d\"]", false},
                {"[\"\\ud83d\\ud83d\\ude00\"]", false},
                {"{\"a\":1e131072}", false},
                {"[1E-20000]", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(jsonscan_fits_jsonb(scan(rows[i].text)) == rows[i].fits, "row %zu", i);
}
END_TEST

/* ---- canonical ---- */

static void assert_canonical(const char *text, const char *expected)
{
    struct buf b = buf_init(1024);
    jsonscan_canonical(scan(text), &b);
    ck_assert_msg(!buf_failed(&b) && b.len == strlen(expected) &&
                      memcmp(b.data, expected, b.len) == 0,
                  "%s: %.*s", text, (int)b.len, b.data);
    buf_release(&b);
}

START_TEST(test_the_same_meaning_has_one_form)
{
    static const char form[] = "{\"a\":[1,{\"x\":null,\"y\":true}],\"b\":\"/á\\\\\\\"\"}";
    assert_canonical("{\"a\":[1,{\"x\":null,\"y\":true}],\"b\":\"/á\\\\\\\"\"}", form);
    assert_canonical(
        "{ \"b\" : \"\\/\\u00e1\\u005c\\u0022\" ,\n\"a\":[ 1,{\"y\":true, \"x\":null}]}", form);
    assert_canonical("{ \"\\u0062\" : \"\\/\\u00E1\\\\\\\"\" , \"a\":[1,{\"y\":true,\"x\":null}]}",
                     form);
}
END_TEST

START_TEST(test_another_meaning_has_another_form)
{
    assert_canonical("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}");
    assert_canonical("{\"a\":2,\"a\":1}", "{\"a\":2,\"a\":1}");
    assert_canonical("{\"ab\":1,\"a\":2}", "{\"a\":2,\"ab\":1}");
    assert_canonical("[1,1.0,\"1\"]", "[1,1.0,\"1\"]");
    assert_canonical("\"\\ud800\"", "\"\xed\xa0\x80\"");
    assert_canonical("[]", "[]");
    assert_canonical("{}", "{}");
}
END_TEST

START_TEST(test_a_form_past_the_cap_fails)
{
    struct buf b = buf_init(3);
    jsonscan_canonical(scan("{\"a\":[1,2]}"), &b);
    ck_assert(buf_failed(&b));
    buf_release(&b);
}
END_TEST

Suite *suite_jsonscan(void)
{
    Suite *s = suite_create("jsonscan");
    TCase *c = tcase_create("check");
    tcase_add_test(c, test_json_passes);
    tcase_add_test(c, test_what_is_no_json_is_refused);
    tcase_add_test(c, test_every_cut_of_a_text_is_refused_within_its_bounds);
    tcase_add_test(c, test_nesting_is_allowed_up_to_the_limit);
    suite_add_tcase(s, c);
    c = tcase_create("finding");
    tcase_add_test(c, test_members_are_found_whatever_stands_between_them);
    tcase_add_test(c, test_the_last_of_equal_keys_counts_also_when_it_is_escaped);
    tcase_add_test(c, test_elements_come_in_order);
    tcase_add_test(c, test_integers_come_as_numbers_and_as_strings);
    suite_add_tcase(s, c);
    c = tcase_create("strings");
    tcase_add_test(c, test_escapes_are_decoded);
    tcase_add_test(c, test_characters_that_are_none_are_not_decoded);
    tcase_add_test(c, test_jsonb_is_not_offered_what_it_refuses);
    suite_add_tcase(s, c);
    c = tcase_create("canonical");
    tcase_add_test(c, test_the_same_meaning_has_one_form);
    tcase_add_test(c, test_another_meaning_has_another_form);
    tcase_add_test(c, test_a_form_past_the_cap_fails);
    suite_add_tcase(s, c);
    return s;
}
