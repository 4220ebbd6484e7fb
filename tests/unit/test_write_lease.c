/* Unit tests of write_lease: when writes go without a removal each, and when a mark is dead. */
#include <check.h>

#include "api/write_lease.h"

Suite *suite_write_lease(void);

enum { START = 1000000 };

/* So many flights, each begun `gap` after the one before had landed. Returns the time. */
static int64_t write_on(struct write_lease *l, int n, int64_t gap, int64_t now)
{
    for (int i = 0; i < n; i++) {
        now += gap;
        write_lease_began(l, now);
        write_lease_landed(l, now);
    }
    return now;
}

/* A loop that writes without a pause and whose mark was sent at *now. */
static struct write_lease taken(int64_t *now)
{
    struct write_lease l = {0};
    *now = write_on(&l, LEASE_CLOSE + 1, 1, START);
    struct lease_ask ask = write_lease_ask(&l, true, *now);
    write_lease_answered(&l, &ask, true, *now + 300);
    return l;
}

START_TEST(only_writes_that_follow_each_other_closely_leave_a_mark)
{
    struct write_lease l = {0};
    int64_t now = write_on(&l, 10 * LEASE_CLOSE, LEASE_GAP_US + 1, START);
    ck_assert(!write_lease_ask(&l, true, now).keep);
    now = write_on(&l, LEASE_CLOSE - 1, LEASE_GAP_US, now);
    ck_assert(!write_lease_ask(&l, true, now).keep);
    now = write_on(&l, 1, LEASE_GAP_US, now);
    ck_assert(!write_lease_ask(&l, false, now).keep);
    ck_assert(write_lease_ask(&l, true, now).keep);
    now = write_on(&l, 1, LEASE_GAP_US + 1, now);
    ck_assert(!write_lease_ask(&l, true, now).keep);
}
END_TEST

START_TEST(nothing_is_covered_before_redis_has_confirmed_the_mark)
{
    int64_t now;
    struct write_lease l = {0};
    now = write_on(&l, LEASE_CLOSE + 1, 1, START);
    ck_assert(!write_lease_covers(&l, now));
    struct lease_ask ask = write_lease_ask(&l, true, now);
    ck_assert(!write_lease_covers(&l, now));
    write_lease_answered(&l, &ask, true, now + 300);
    ck_assert(write_lease_covers(&l, now + 300));
}
END_TEST

START_TEST(it_ends_so_long_after_the_mark_was_sent_not_after_it_was_confirmed)
{
    int64_t now;
    struct write_lease l = taken(&now);
    ck_assert(write_lease_covers(&l, now + LEASE_VALID_US - 1));
    ck_assert(!write_lease_covers(&l, now + LEASE_VALID_US));
    ck_assert_int_lt(4 * LEASE_VALID_US, MARK_DEAD_US);
    struct lease_ask late = write_lease_ask(&l, true, now + 1000);
    write_lease_answered(&l, &late, true, now + LEASE_VALID_US);
    ck_assert(write_lease_covers(&l, now + 1000 + LEASE_VALID_US - 1));
    ck_assert(!write_lease_covers(&l, now + 1000 + LEASE_VALID_US));
}
END_TEST

START_TEST(a_mark_that_was_sent_before_it_was_given_back_counts_no_more)
{
    int64_t now;
    struct write_lease l = taken(&now);
    struct lease_ask ask = write_lease_ask(&l, true, now + 1000);
    write_lease_ended(&l);
    write_lease_answered(&l, &ask, true, now + 2000);
    ck_assert(!write_lease_covers(&l, now + 2000));
    ck_assert(!l.marked);
}
END_TEST

START_TEST(after_a_reader_came_writes_remove_the_page_one_by_one)
{
    int64_t now;
    struct write_lease l = taken(&now);
    struct lease_ask ask = write_lease_ask(&l, true, now);
    write_lease_answered(&l, &ask, false, now); /* Redis says: somebody waits for the page */
    ck_assert(!write_lease_covers(&l, now));
    ck_assert(!write_lease_ask(&l, true, now + LEASE_COOL_US - 1).keep);
    ck_assert(write_lease_ask(&l, true, now + LEASE_COOL_US).keep);
}
END_TEST

START_TEST(it_is_given_back_when_nothing_flies_and_nothing_has_landed_for_a_while)
{
    int64_t now;
    struct write_lease l = taken(&now);
    ck_assert(!write_lease_idle(&l, now + LEASE_IDLE_US - 1));
    ck_assert(write_lease_idle(&l, now + LEASE_IDLE_US));
    write_lease_began(&l, now);
    ck_assert(!write_lease_idle(&l, now + LEASE_IDLE_US));
    write_lease_landed(&l, now + LEASE_IDLE_US);
    write_lease_ended(&l);
    ck_assert(!write_lease_idle(&l, now + 10 * LEASE_IDLE_US));
}
END_TEST

START_TEST(marks_are_dead_when_they_were_not_renewed_for_so_long)
{
    struct mark_watch w = {0};
    ck_assert_int_eq(mark_watch_dead(&w, START), -1);
    mark_watch_refused(&w, 7, START);
    mark_watch_refused(&w, 9, START + 1000);
    ck_assert_int_eq(mark_watch_dead(&w, START + MARK_DEAD_US - 1), -1);
    ck_assert_int_eq(mark_watch_dead(&w, START + MARK_DEAD_US), 7);
    ck_assert_int_eq(mark_watch_dead(&w, START + MARK_DEAD_US), -1);
}
END_TEST

START_TEST(a_version_that_began_anew_is_watched_anew)
{
    struct mark_watch w = {0};
    mark_watch_refused(&w, 900, START);
    mark_watch_refused(&w, 2, START + 1000);
    ck_assert_int_eq(mark_watch_dead(&w, START + MARK_DEAD_US), -1);
    ck_assert_int_eq(mark_watch_dead(&w, START + 1000 + MARK_DEAD_US), 2);
}
END_TEST

Suite *suite_write_lease(void)
{
    Suite *s = suite_create("write_lease");
    TCase *t = tcase_create("lease");
    tcase_add_test(t, only_writes_that_follow_each_other_closely_leave_a_mark);
    tcase_add_test(t, nothing_is_covered_before_redis_has_confirmed_the_mark);
    tcase_add_test(t, it_ends_so_long_after_the_mark_was_sent_not_after_it_was_confirmed);
    tcase_add_test(t, a_mark_that_was_sent_before_it_was_given_back_counts_no_more);
    tcase_add_test(t, after_a_reader_came_writes_remove_the_page_one_by_one);
    tcase_add_test(t, it_is_given_back_when_nothing_flies_and_nothing_has_landed_for_a_while);
    tcase_add_test(t, marks_are_dead_when_they_were_not_renewed_for_so_long);
    tcase_add_test(t, a_version_that_began_anew_is_watched_anew);
    suite_add_tcase(s, t);
    return s;
}
