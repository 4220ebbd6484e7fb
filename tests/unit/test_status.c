/* Unit tests of status. */
#include <check.h>

#include "status.h"

Suite *suite_status(void);

START_TEST(test_rows_hold_what_the_map_says)
{
    ck_assert_uint_eq(status_http(STATUS_OK), 200);
    ck_assert_uint_eq(status_http(STATUS_INVALID), 422);
    ck_assert_uint_eq(status_http(STATUS_DATABASE_AWAY), 503);
    ck_assert_uint_eq(status_http(STATUS_PENDING), 0);
    ck_assert_str_eq(status_name(STATUS_DATABASE_AWAY), "DATABASE_AWAY");
    ck_assert_str_eq(status_title(STATUS_NOT_FOUND), "Não encontrado");
}
END_TEST

START_TEST(test_only_what_may_pass_later_is_retryable)
{
    ck_assert(status_retryable(STATUS_TOO_MANY));
    ck_assert(status_retryable(STATUS_OVERLOADED));
    ck_assert(!status_retryable(STATUS_INVALID));
    ck_assert(!status_retryable(STATUS_NOT_CONFIGURED)); /* 503, yet only an operator can help */
}
END_TEST

START_TEST(test_every_status_is_an_http_status_with_a_title)
{
    for (int s = 0; s < STATUS_COUNT; s++) {
        unsigned http = status_http((enum status)s);
        ck_assert(s == STATUS_PENDING || (http >= 200 && http <= 599));
        ck_assert_ptr_nonnull(status_name((enum status)s));
        ck_assert_ptr_nonnull(status_title((enum status)s));
        ck_assert_int_eq(*status_detail((enum status)s) != 0,
                         http >= 400); /* each problem has one */
    }
}
END_TEST

START_TEST(test_a_value_outside_the_enum_is_an_internal_error)
{
    ck_assert_uint_eq(status_http(STATUS_COUNT), 500);
    ck_assert_str_eq(status_name((enum status)1000), "INTERNAL");
}
END_TEST

Suite *suite_status(void)
{
    Suite *s = suite_create("status");
    TCase *c = tcase_create("table");
    tcase_add_test(c, test_rows_hold_what_the_map_says);
    tcase_add_test(c, test_only_what_may_pass_later_is_retryable);
    tcase_add_test(c, test_every_status_is_an_http_status_with_a_title);
    tcase_add_test(c, test_a_value_outside_the_enum_is_an_internal_error);
    suite_add_tcase(s, c);
    return s;
}
