/* Unit tests of bucket_text. */
#include <check.h>
#include <string.h>

#include "api/bucket_text.h"

Suite *suite_bucket_text(void);

static const char *code(const char *body)
{
    static char found[BUCKET_CODE];
    bucket_code(body, strlen(body), found);
    return found;
}

START_TEST(test_code_of_an_error_is_letters_and_digits_alone)
{
    ck_assert_str_eq(code("<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>x"),
                     "NoSuchKey");
    ck_assert_str_eq(code("<Error><Code>XAmzContentSHA256Mismatch</Code>"),
                     "XAmzContentSHA256Mismatch");
    ck_assert_str_eq(code(""), "");
    ck_assert_str_eq(code("<html>502 Bad Gateway</html>"), "");
    ck_assert_str_eq(code("<Code>"), "");
    ck_assert_str_eq(code("<Code>NoSuch"), "NoSuch"); /* cut where the room ended */
    ck_assert_str_eq(code("<Code>a\nb</Code>"), "a"); /* it goes to the log */
}
END_TEST

START_TEST(test_code_of_any_length_fits)
{
    char body[200] = "<Code>", found[BUCKET_CODE];
    memset(body + 6, 'A', sizeof body - 6);
    bucket_code(body, sizeof body, found); /* no NUL at its end either */
    ck_assert_uint_eq(strlen(found), BUCKET_CODE - 1);
}
END_TEST

START_TEST(test_only_the_range_that_was_asked_for_is_it)
{
    ck_assert(bucket_range_is("bytes 0-9/10", 0, 9, 10));
    ck_assert(bucket_range_is("bytes 5368709119-5368709119/5368709120", 5368709119, 5368709119,
                              5368709120));
    static const char *const wrong[] = {"bytes 0-9/11", "bytes 0-8/10",  "bytes 1-9/10",
                                        "bytes 0-9/*",  "bytes 0-9/10 ", "bytes */10",
                                        "0-9/10",       "bytes=0-9/10",  ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!bucket_range_is(wrong[i], 0, 9, 10), "%s", wrong[i]);
    ck_assert(!bucket_range_is(NULL, 0, 9, 10));
}
END_TEST

Suite *suite_bucket_text(void)
{
    Suite *s = suite_create("bucket_text");
    TCase *t = tcase_create("bucket_text");
    tcase_add_test(t, test_code_of_an_error_is_letters_and_digits_alone);
    tcase_add_test(t, test_code_of_any_length_fits);
    tcase_add_test(t, test_only_the_range_that_was_asked_for_is_it);
    suite_add_tcase(s, t);
    return s;
}
