/* Unit tests of rate: time is given, so nothing here waits. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "api/rate.h"

Suite *suite_rate(void);

enum { SECOND = 1000000 };

static struct rate *rate;

static void set_up(void)
{
    rate = rate_new(60);
}

static void tear_down(void)
{
    rate_free(rate);
}

static struct rate_answer take(unsigned client, int64_t now_us)
{
    struct cidr_address a = {{0}};
    memcpy(a.byte + 12, &client, sizeof client);
    return rate_take(rate, &a, now_us);
}

START_TEST(a_client_has_a_minutes_worth_at_once)
{
    for (unsigned i = 0; i < 60; i++) {
        struct rate_answer a = take(1, SECOND);
        ck_assert(a.passes);
        ck_assert_uint_eq(a.remaining, 59 - i);
        ck_assert_uint_eq(a.limit, 60);
    }
    ck_assert(!take(1, SECOND).passes);
    ck_assert(take(2, SECOND).passes);
}
END_TEST

START_TEST(it_fills_up_again_one_by_one)
{
    for (int i = 0; i < 60; i++)
        take(1, SECOND);
    struct rate_answer a = take(1, SECOND);
    ck_assert(!a.passes && a.remaining == 0 && a.reset_s == 1);
    ck_assert(!take(1, SECOND + SECOND / 2).passes);
    ck_assert(take(1, 2 * SECOND).passes);
    ck_assert(!take(1, 2 * SECOND).passes);
    a = take(1, 62 * SECOND);
    ck_assert(a.passes && a.remaining == 59);
}
END_TEST

START_TEST(what_is_refused_does_not_make_it_worse)
{
    for (int i = 0; i < 1000; i++)
        take(1, SECOND);
    ck_assert(take(1, 2 * SECOND).passes);
}
END_TEST

START_TEST(more_clients_than_it_has_room_for_forget_the_calmest)
{
    for (int i = 0; i < 60; i++)
        take(1, SECOND);
    for (unsigned i = 2; i < 50000; i++)
        ck_assert(take(i, SECOND).passes);
    ck_assert_msg(!take(1, SECOND).passes, "the busiest was forgotten");
}
END_TEST

Suite *suite_rate(void)
{
    Suite *s = suite_create("rate");
    TCase *c = tcase_create("rate");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, a_client_has_a_minutes_worth_at_once);
    tcase_add_test(c, it_fills_up_again_one_by_one);
    tcase_add_test(c, what_is_refused_does_not_make_it_worse);
    tcase_add_test(c, more_clients_than_it_has_room_for_forget_the_calmest);
    suite_add_tcase(s, c);
    return s;
}
