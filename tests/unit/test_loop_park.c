/* Unit tests of the list of parked requests. */
#include <check.h>
#include <stdlib.h>

#include "api/loop.h"
#include "api/request.h"

Suite *suite_loop_park(void);

static struct loop *loop;
static struct request *requests; /* six */

static void make(void)
{
    loop = calloc(1, sizeof *loop);
    requests = calloc(6, sizeof *requests);
    ck_assert(loop && requests);
}

static void drop(void)
{
    free(loop);
    free(requests);
}

/* The list from either end is that of these deadlines, oldest first. */
static void assert_order(const int64_t *deadlines, unsigned n)
{
    const struct request *r = loop->oldest;
    for (unsigned i = 0; i < n; i++, r = r->newer) {
        ck_assert_ptr_nonnull(r);
        ck_assert_int_eq(r->deadline_ms, deadlines[i]);
    }
    ck_assert_ptr_null(r);
    r = loop->newest;
    for (unsigned i = n; i > 0; i--, r = r->older) {
        ck_assert_ptr_nonnull(r);
        ck_assert_int_eq(r->deadline_ms, deadlines[i - 1]);
    }
    ck_assert_ptr_null(r);
    ck_assert_uint_eq(loop->n_parked, n);
}

static void park(unsigned i, int64_t deadline_ms)
{
    requests[i].deadline_ms = deadline_ms;
    ck_assert_int_eq(loop_park(loop, &requests[i]), STATUS_PENDING);
    ck_assert_int_eq(requests[i].state, REQUEST_PARKED);
}

START_TEST(test_deadlines_are_in_order_whatever_came_first)
{
    park(0, 50);
    park(1, 600); /* a file on its way to a bucket */
    park(2, 60);
    park(3, 500);
    park(4, 60); /* behind its equal */
    park(5, 10);
    assert_order((int64_t[]){10, 50, 60, 60, 500, 600}, 6);
    ck_assert_ptr_eq(requests[2].newer, &requests[4]);
}
END_TEST

START_TEST(test_what_is_taken_out_leaves_the_rest_in_order)
{
    for (unsigned i = 0; i < 4; i++)
        park(i, 10 * i);
    loop_unpark(loop, &requests[0]);
    assert_order((int64_t[]){10, 20, 30}, 3);
    loop_unpark(loop, &requests[3]);
    assert_order((int64_t[]){10, 20}, 2);
    park(0, 15);
    loop_unpark(loop, &requests[1]);
    assert_order((int64_t[]){15, 20}, 2);
    loop_unpark(loop, &requests[0]);
    loop_unpark(loop, &requests[2]);
    assert_order(NULL, 0);
}
END_TEST

Suite *suite_loop_park(void)
{
    Suite *s = suite_create("loop_park");
    TCase *t = tcase_create("loop_park");
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, test_deadlines_are_in_order_whatever_came_first);
    tcase_add_test(t, test_what_is_taken_out_leaves_the_rest_in_order);
    suite_add_tcase(s, t);
    return s;
}
