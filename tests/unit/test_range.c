/* Unit tests of range. */
#include <check.h>
#include <string.h>

#include "api/range.h"

Suite *suite_range(void);

static enum range_kind parse(const char *s, int64_t size, int64_t *ret_first, int64_t *ret_last)
{
    *ret_first = *ret_last = -42;
    return range_parse(s, strlen(s), size, ret_first, ret_last);
}

START_TEST(test_one_range_of_bytes_is_served)
{
    static const struct {
        const char *s;
        int64_t first, last;
    } rows[] = {
        {"bytes=0-0", 0, 0},
        {"bytes=0-99", 0, 99},
        {"bytes=0-100", 0, 99}, /* up to the end, and no further */
        {"bytes=99-", 99, 99},
        {"bytes=10-20", 10, 20},
        {"BYTES= \t10-20", 10, 20},
        {"bytes=-1", 99, 99},
        {"bytes=-100", 0, 99},
        {"bytes=-101", 0, 99}, /* more than there is: all */
        {"bytes=5-99999999999999999999999999", 5, 99},
        {"bytes=-99999999999999999999999999", 0, 99},
        {"bytes=007-08", 7, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t first, last;
        ck_assert_msg(parse(rows[i].s, 100, &first, &last) == RANGE_PART, "%s", rows[i].s);
        ck_assert_msg(first == rows[i].first && last == rows[i].last, "%s: %lld-%lld", rows[i].s,
                      (long long)first, (long long)last);
    }
}
END_TEST

START_TEST(test_what_begins_behind_the_end_is_unsatisfiable)
{
    static const char *const rows[] = {"bytes=100-", "bytes=100-200", "bytes=-0",
                                       "bytes=99999999999999999999999999-"};
    int64_t first, last;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(parse(rows[i], 100, &first, &last) == RANGE_UNSATISFIABLE, "%s", rows[i]);
        ck_assert_int_eq(first, -42);
    }
    ck_assert_int_eq(parse("bytes=0-", 0, &first, &last), RANGE_UNSATISFIABLE);
    ck_assert_int_eq(parse("bytes=-5", 0, &first, &last), RANGE_UNSATISFIABLE);
}
END_TEST

START_TEST(test_all_else_is_ignored)
{
    static const char *const rows[] = {
        "",          "bytes",     "bytes=",     "bytes=-",    "bytes=5",      "lines=1-2",
        "bytes 1-",  "bytes=x-",  "bytes=1-x",  "bytes=9-2",  "bytes=0-1,4-", "bytes=0-1 ",
        "bytes=-x",  "bytes=1--", "bytes=--1",  "bytes=+1-2", "bytes=1 -2",   "bytes=0x1-2",
        "bytes =1-", "bytes=,1-", "bytes=-1,-2"};
    int64_t first, last;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(parse(rows[i], 100, &first, &last) == RANGE_WHOLE, "%s", rows[i]);
        ck_assert_int_eq(first, -42);
    }
    ck_assert_int_eq(range_parse(NULL, 0, 100, &first, &last), RANGE_WHOLE);
    ck_assert_int_eq(range_parse("bytes=1-23", 9, 100, &first, &last), RANGE_PART);
    ck_assert_int_eq(last, 2); /* only `len` bytes are looked at */
}
END_TEST

Suite *suite_range(void)
{
    Suite *s = suite_create("range");
    TCase *c = tcase_create("range");
    tcase_add_test(c, test_one_range_of_bytes_is_served);
    tcase_add_test(c, test_what_begins_behind_the_end_is_unsatisfiable);
    tcase_add_test(c, test_all_else_is_ignored);
    suite_add_tcase(s, c);
    return s;
}
