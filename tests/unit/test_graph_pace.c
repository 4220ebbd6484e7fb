/* Unit tests of graph_pace: usage headers, who rests how long, when a failure is tried again. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "worker/graph_pace.h"

Suite *suite_graph_pace(void);

static struct graph_pace pace;
static const struct graph_usage unknown = {-1, -1, 0};

static void set_up(void)
{
    pace = (struct graph_pace){.seed = 42};
}

static struct pg_text page(const char *id)
{
    return (struct pg_text){id, strlen(id)};
}

/* ---- headers ---- */

START_TEST(test_without_headers_nothing_is_known)
{
    struct graph_usage u = graph_usage_read(NULL, NULL, NULL);
    ck_assert_int_eq(u.app_percent, -1);
    ck_assert_int_eq(u.page_percent, -1);
    ck_assert_int_eq(u.regain_ms, 0);
}
END_TEST

START_TEST(test_the_largest_figure_of_all_entries_counts)
{
    struct graph_usage u = graph_usage_read(
        "{\"1\":[{\"type\":\"pages\",\"call_count\":3,\"total_time\":95},"
        "{\"type\":\"leadgen\",\"call_count\":12,\"estimated_time_to_regain_access\":2}],"
        "\"2\":[{\"total_cputime\":96.9,\"estimated_time_to_regain_access\":19}]}",
        "{\"call_count\":28,\"total_time\":25,\"total_cputime\":30}", "{\"call_count\":5}");
    ck_assert_int_eq(u.page_percent, 96);
    ck_assert_int_eq(u.app_percent, 30);
    ck_assert_int_eq(u.regain_ms, 19 * 60000);
}
END_TEST

START_TEST(test_the_page_header_counts_for_the_page)
{
    ck_assert_int_eq(graph_usage_read(NULL, NULL, "{\"call_count\":77}").page_percent, 77);
}
END_TEST

START_TEST(test_headers_that_are_none_of_metas_say_nothing)
{
    static const char *const odd[] = {"",
                                      "x",
                                      "[]",
                                      "7",
                                      "{\"call_count\":\"\"}",
                                      "{\"1\":[7]}",
                                      "{\"1\":{\"call_count\":5}}",
                                      "{\"call_count\":-5}",
                                      "{\"call_count\":1e9}",
                                      "{\"call_count\":99999999999999999999}"};
    for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct graph_usage u = graph_usage_read(odd[i], odd[i], NULL);
        ck_assert_int_eq(u.app_percent, -1);
        ck_assert_int_eq(u.page_percent, -1);
        ck_assert_int_eq(u.regain_ms, 0);
    }
}
END_TEST

/* ---- limits ---- */

START_TEST(test_a_limited_page_rests_alone)
{
    struct graph_usage u = {-1, 100, 7 * 60000};
    ck_assert_int_eq(graph_pace_limited(&pace, page("1"), &u, 1000), 7 * 60000);
    ck_assert_int_eq(graph_pace_page_ms(&pace, page("1"), 1000), 7 * 60000);
    ck_assert_int_eq(graph_pace_page_ms(&pace, page("1"), 1000 + 7 * 60000), 0);
    ck_assert_int_eq(graph_pace_page_ms(&pace, page("2"), 1000), 0);
    ck_assert_int_eq(graph_pace_page_ms(&pace, page("11"), 1000), 0);
    ck_assert(graph_pace_may_ask(&pace, 1000));
}
END_TEST

START_TEST(test_without_a_page_all_rests)
{
    struct graph_usage u = {-1, -1, 60000};
    graph_pace_limited(&pace, (struct pg_text){NULL, 0}, &u, 0);
    ck_assert(!graph_pace_may_ask(&pace, 59999));
    ck_assert(graph_pace_may_ask(&pace, 60000));
}
END_TEST

START_TEST(test_a_header_is_believed_for_an_hour_at_most)
{
    struct graph_usage u = {-1, -1, 24 * 3600000};
    ck_assert_int_eq(graph_pace_limited(&pace, page("1"), &u, 0), GRAPH_REST_MAX_MS);
}
END_TEST

START_TEST(test_usage_above_the_limit_says_how_long)
{
    struct graph_usage full = {-1, 100, 0}, twice = {-1, 200, 0};
    ck_assert_int_eq(graph_pace_limited(&pace, page("1"), &full, 0), 60000);
    ck_assert_int_eq(graph_pace_limited(&pace, page("2"), &twice, 0), 1800000);
}
END_TEST

START_TEST(test_limits_in_a_row_double_up_to_a_cap_and_a_good_answer_ends_the_row)
{
    int64_t now = 0, wanted = GRAPH_LIMIT_FIRST_MS;
    for (int i = 0; i < 40; i++) {
        int64_t ms = graph_pace_limited(&pace, page("1"), &unknown, now);
        ck_assert_int_ge(ms, wanted / 2);
        ck_assert_int_le(ms, wanted);
        now += ms;
        wanted = wanted * 2 < GRAPH_LIMIT_MAX_MS ? wanted * 2 : GRAPH_LIMIT_MAX_MS;
    }
    graph_pace_good(&pace, page("1"), &unknown, now);
    ck_assert_int_le(graph_pace_limited(&pace, page("1"), &unknown, now), GRAPH_LIMIT_FIRST_MS);
}
END_TEST

START_TEST(test_calls_that_were_in_flight_together_are_one_limit)
{
    for (int i = 0; i < 8; i++)
        ck_assert_int_le(graph_pace_limited(&pace, page("1"), &unknown, i),
                         2 * GRAPH_LIMIT_FIRST_MS);
}
END_TEST

START_TEST(test_when_too_many_pages_rest_all_do)
{
    char id[16];
    for (int i = 0; i <= GRAPH_PAGES; i++) {
        ck_assert(graph_pace_may_ask(&pace, 0));
        snprintf(id, sizeof id, "%d", i);
        graph_pace_limited(&pace, page(id), &unknown, 0);
    }
    ck_assert(!graph_pace_may_ask(&pace, 0));
    ck_assert_int_gt(graph_pace_page_ms(&pace, page("0"), 0), 0);
}
END_TEST

START_TEST(test_the_place_of_a_page_that_has_rested_is_used_again)
{
    char id[16];
    struct graph_usage u = {-1, -1, 60000};
    for (int i = 0; i < 3 * GRAPH_PAGES; i++) {
        snprintf(id, sizeof id, "%d", i);
        graph_pace_limited(&pace, page(id), &u, i * 60000);
    }
    ck_assert(graph_pace_may_ask(&pace, 3 * GRAPH_PAGES * 60000));
}
END_TEST

START_TEST(test_an_overlong_page_id_rests_with_all)
{
    char id[200];
    memset(id, '1', sizeof id);
    graph_pace_limited(&pace, (struct pg_text){id, sizeof id}, &unknown, 0);
    ck_assert(!graph_pace_may_ask(&pace, 0));
}
END_TEST

START_TEST(test_it_slows_down_from_ninety_per_cent)
{
    struct graph_usage u = {89, 89, 0};
    graph_pace_good(&pace, page("1"), &u, 0);
    ck_assert(graph_pace_may_ask(&pace, 0));
    ck_assert_int_eq(graph_pace_page_ms(&pace, page("1"), 0), 0);
    u = (struct graph_usage){-1, 90, 0};
    graph_pace_good(&pace, page("1"), &u, 0);
    ck_assert_int_eq(graph_pace_page_ms(&pace, page("1"), 0), 1000);
    u.page_percent = 99;
    graph_pace_good(&pace, page("1"), &u, 0);
    ck_assert_int_eq(graph_pace_page_ms(&pace, page("1"), 0), 10000);
    ck_assert(graph_pace_may_ask(&pace, 0));
    u = (struct graph_usage){100, -1, 0};
    graph_pace_good(&pace, page("1"), &u, 0);
    ck_assert(!graph_pace_may_ask(&pace, 59999));
    ck_assert(graph_pace_may_ask(&pace, 60000));
}
END_TEST

START_TEST(test_a_shorter_rest_does_not_end_a_longer_one)
{
    struct graph_usage u = {90, -1, 0};
    graph_pace_rest(&pace, GRAPH_MISCONFIGURED_MS, 0);
    graph_pace_good(&pace, page("1"), &u, 0);
    ck_assert(!graph_pace_may_ask(&pace, GRAPH_MISCONFIGURED_MS - 1));
    ck_assert(graph_pace_may_ask(&pace, GRAPH_MISCONFIGURED_MS));
}
END_TEST

/* ---- retries ---- */

START_TEST(test_retries_double_from_five_seconds_to_an_hour)
{
    static const int64_t wanted[] = {5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600};
    for (unsigned attempt = 1; attempt <= 12; attempt++)
        for (int i = 0; i < 100; i++) {
            int64_t ms = graph_pace_retry_ms(attempt, &pace.seed);
            ck_assert_int_ge(ms, wanted[attempt - 1] * 500);
            ck_assert_int_le(ms, wanted[attempt - 1] * 1000);
        }
    ck_assert_int_le(graph_pace_retry_ms(4000000000u, &pace.seed), GRAPH_RETRY_MAX_MS);
}
END_TEST

Suite *suite_graph_pace(void)
{
    Suite *s = suite_create("graph_pace");
    TCase *tc = tcase_create("pace");
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, test_without_headers_nothing_is_known);
    tcase_add_test(tc, test_the_largest_figure_of_all_entries_counts);
    tcase_add_test(tc, test_the_page_header_counts_for_the_page);
    tcase_add_test(tc, test_headers_that_are_none_of_metas_say_nothing);
    tcase_add_test(tc, test_a_limited_page_rests_alone);
    tcase_add_test(tc, test_without_a_page_all_rests);
    tcase_add_test(tc, test_a_header_is_believed_for_an_hour_at_most);
    tcase_add_test(tc, test_usage_above_the_limit_says_how_long);
    tcase_add_test(tc, test_limits_in_a_row_double_up_to_a_cap_and_a_good_answer_ends_the_row);
    tcase_add_test(tc, test_calls_that_were_in_flight_together_are_one_limit);
    tcase_add_test(tc, test_when_too_many_pages_rest_all_do);
    tcase_add_test(tc, test_the_place_of_a_page_that_has_rested_is_used_again);
    tcase_add_test(tc, test_an_overlong_page_id_rests_with_all);
    tcase_add_test(tc, test_it_slows_down_from_ninety_per_cent);
    tcase_add_test(tc, test_a_shorter_rest_does_not_end_a_longer_one);
    tcase_add_test(tc, test_retries_double_from_five_seconds_to_an_hour);
    suite_add_tcase(s, tc);
    return s;
}
