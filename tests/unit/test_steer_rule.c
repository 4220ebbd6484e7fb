/* Unit tests of steer_rule: when a loop joins, when one leaves. */
#include <check.h>

#include "api/steer_rule.h"

Suite *suite_steer_rule(void);

START_TEST(a_saturated_loop_gets_help_when_a_core_is_idle)
{
    struct steer_rule s = {.active = 1, .most = 2};
    ck_assert(!steer_rule_step(&s, 0.95, 0.95, 1.0)); /* once may be chance */
    ck_assert(steer_rule_step(&s, 0.95, 0.95, 1.0));
    ck_assert_uint_eq(s.active, 2);
}
END_TEST

START_TEST(no_loop_joins_without_a_core_for_it)
{
    struct steer_rule s = {.active = 1, .most = 2};
    for (int i = 0; i < 100; i++)
        ck_assert(!steer_rule_step(&s, 1.0, 1.0, 0.1));
    ck_assert_uint_eq(s.active, 1);
}
END_TEST

START_TEST(no_loop_joins_while_one_has_time_left)
{
    struct steer_rule s = {.active = 2, .most = 4};
    for (int i = 0; i < 100; i++)
        ck_assert(!steer_rule_step(&s, 0.5, 1.5, 2.0));
    ck_assert_uint_eq(s.active, 2);
}
END_TEST

START_TEST(never_more_than_there_are_nor_less_than_one)
{
    struct steer_rule s = {.active = 1, .most = 2};
    for (int i = 0; i < 100; i++)
        steer_rule_step(&s, 1.0, 2.0, 2.0);
    ck_assert_uint_eq(s.active, 2);
    for (int i = 0; i < 100; i++)
        steer_rule_step(&s, 0.0, 0.0, 2.0);
    ck_assert_uint_eq(s.active, 1);
}
END_TEST

START_TEST(one_leaves_only_after_ten_calm_seconds)
{
    struct steer_rule s = {.active = 2, .most = 2};
    for (int i = 1; i < STEER_CALM_STEPS; i++)
        ck_assert(!steer_rule_step(&s, 0.1, 0.2, 1.0));
    ck_assert(!steer_rule_step(&s, 0.5, 0.9, 1.0)); /* a busy one: counted anew */
    for (int i = 1; i < STEER_CALM_STEPS; i++)
        ck_assert(!steer_rule_step(&s, 0.1, 0.2, 1.0));
    ck_assert(steer_rule_step(&s, 0.1, 0.2, 1.0));
    ck_assert_uint_eq(s.active, 1);
}
END_TEST

Suite *suite_steer_rule(void)
{
    Suite *s = suite_create("steer_rule");
    TCase *t = tcase_create("rule");
    tcase_add_test(t, a_saturated_loop_gets_help_when_a_core_is_idle);
    tcase_add_test(t, no_loop_joins_without_a_core_for_it);
    tcase_add_test(t, no_loop_joins_while_one_has_time_left);
    tcase_add_test(t, never_more_than_there_are_nor_less_than_one);
    tcase_add_test(t, one_leaves_only_after_ten_calm_seconds);
    suite_add_tcase(s, t);
    return s;
}
