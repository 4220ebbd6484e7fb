/* Unit tests of lease: when a loop's mark is believed, and when one may be left. Redis is not
 * there, so nothing is sent: what would be is looked at. */
#include <check.h>
#include <stdlib.h>

#include "api/lease.h"
#include "api/loop.h"
#include "ev.h"
#include "rds.h"

Suite *suite_lease(void);

static struct loop *loop;

static void no_tick(void *ctx, int64_t now_ms)
{
    (void)ctx;
    (void)now_ms;
}

/* Writes have followed each other for long, and Redis has confirmed the mark just now. */
static void make(void)
{
    loop = calloc(1, sizeof *loop);
    ck_assert_ptr_nonnull(loop);
    loop->ev = ev_new(no_tick, NULL);
    loop->rds = rds_new(loop->ev, &(struct rds_options){.host = "127.0.0.1"});
    lease_init(loop);
    cache_guard_init(&loop->guard, 0);
    cache_guard_ready(&loop->guard, 0);
    loop->lease.state.close = LEASE_CLOSE;
    loop->lease.state.marked = true;
    loop->lease.state.since_us = ev_clock_us();
}

static void drop(void)
{
    rds_free(loop->rds);
    ev_free(loop->ev);
    free(loop);
}

static bool would_keep(void)
{
    struct lease_ask ask;
    struct cache_done nobody = {NULL};
    ck_assert_int_eq(lease_clear(loop, &ask, &nobody), STATUS_CACHE_AWAY);
    return ask.keep;
}

/* The next connection takes the mark away: readers store a page again, while this loop would still
 * answer writes without removing it. */
START_TEST(test_a_lost_connection_takes_the_lease_with_it)
{
    ck_assert(lease_covers(loop));
    lease_lost(loop);
    ck_assert(!lease_covers(loop));
    ck_assert(!loop->lease.state.marked);
}
END_TEST

/* Its answer would come from a connection that is gone, and must not be believed on the next. */
START_TEST(test_a_mark_of_before_the_loss_is_not_believed_after_it)
{
    struct lease_ask ask;
    struct cache_done nobody = {NULL};
    lease_clear(loop, &ask, &nobody);
    ck_assert(ask.keep);
    lease_lost(loop);
    lease_cleared(loop, &ask, true);
    ck_assert(!lease_covers(loop));
}
END_TEST

START_TEST(test_no_mark_before_the_connection_has_removed_the_page)
{
    ck_assert(would_keep());
    lease_lost(loop);
    cache_guard_lost(&loop->guard, false, 0);
    ck_assert(!would_keep());
    cache_guard_ready(&loop->guard, 0);
    ck_assert(would_keep());
}
END_TEST

START_TEST(test_a_reader_on_the_same_loop_ends_the_lease_at_once)
{
    lease_reader(loop);
    ck_assert(!lease_covers(loop));
    ck_assert(!would_keep());
}
END_TEST

Suite *suite_lease(void)
{
    Suite *s = suite_create("lease");
    TCase *t = tcase_create("lease");
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, test_a_lost_connection_takes_the_lease_with_it);
    tcase_add_test(t, test_a_mark_of_before_the_loss_is_not_believed_after_it);
    tcase_add_test(t, test_no_mark_before_the_connection_has_removed_the_page);
    tcase_add_test(t, test_a_reader_on_the_same_loop_ends_the_lease_at_once);
    suite_add_tcase(s, t);
    return s;
}
