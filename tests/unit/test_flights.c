/* Unit tests of api/batch: what gathers, and when it is to be sent. Nothing is sent here: flights
 * are put into the air and taken out of it by hand. */
#include <check.h>
#include <stdlib.h>

#include "api/batch.h"
#include "api/loop.h"
#include "ev.h"

Suite *suite_flights(void);

static const enum batch_kind kind = BATCH_PAGE, other = BATCH_VISIT;

static struct loop *loop;
static struct request *made[3 * PARKED_MAX];
static unsigned n_made;

static void make(void)
{
    loop = calloc(1, sizeof *loop);
    ck_assert(loop && batches_init(loop->batches, loop));
    n_made = 0;
}

static void drop(void)
{
    batches_free(loop->batches);
    for (unsigned i = 0; i < n_made; i++)
        request_unref(made[i]); /* what the connection would hold */
    free(loop);
}

static struct request *join(enum batch_kind to)
{
    struct request *r = calloc(1, sizeof *r);
    ck_assert(r);
    r->loop = loop;
    r->refs = 1;
    made[n_made++] = r;
    ck_assert_int_eq(batch_join(r, to), STATUS_PENDING);
    return r;
}

/* The kind's last flight has landed; the next one waits until then, for so many. */
static void landed(enum batch_kind of, unsigned expected, int64_t until_us)
{
    loop->batches[of].n_expected = expected;
    loop->batches[of].hold_until_us = until_us;
}

START_TEST(test_nothing_gathered_is_nothing_to_send)
{
    landed(kind, 8, ev_clock_us() + 60000000);
    ck_assert_int_eq(batches_held_until(loop->batches), 0);
}
END_TEST

START_TEST(test_a_flight_waits_for_seven_in_eight)
{
    int64_t until = ev_clock_us() + 60000000;
    landed(kind, 8, until);
    for (int i = 0; i < 6; i++)
        join(kind);
    ck_assert_int_eq(batches_held_until(loop->batches), until);
    join(kind);
    ck_assert_int_lt(batches_held_until(loop->batches), ev_clock_us());
    ck_assert_int_ne(batches_held_until(loop->batches), 0);
}
END_TEST

static void assert_due_now(void)
{
    int64_t until = batches_held_until(loop->batches);
    ck_assert_int_ne(until, 0);
    ck_assert_int_le(until, ev_clock_us());
}

/* It had taken a hold that ended between batches_send and the wait for nothing to do, and slept
 * until the next tick. */
START_TEST(test_a_wait_that_has_ended_is_no_reason_to_sleep)
{
    landed(kind, 8, ev_clock_us() - 1);
    join(kind);
    assert_due_now();
}
END_TEST

/* A request that a flight has moved to a kind whose turn had passed, too. */
START_TEST(test_who_need_not_wait_goes_before_who_does)
{
    landed(kind, 8, ev_clock_us() + 60000000);
    join(kind);
    join(other);
    assert_due_now();
}
END_TEST

START_TEST(test_behind_a_flight_nothing_is_to_be_sent)
{
    struct request flying = {.loop = loop, .refs = 2};
    loop->batches[kind].flying = &flying;
    join(kind);
    ck_assert_int_eq(batches_held_until(loop->batches), 0);
    loop->batches[kind].flying = NULL;
}
END_TEST

/* Clients that come and go while a server hangs: it had kept each one's request. */
START_TEST(test_requests_whose_clients_have_gone_do_not_pile_up)
{
    struct request flying = {.loop = loop, .refs = 2};
    struct batch *b = &loop->batches[kind];
    b->flying = &flying;
    struct request *waits[3] = {join(kind), NULL, NULL};
    for (unsigned i = 0; i < 5 * PARKED_MAX; i++) {
        struct request *gone = join(kind);
        loop_unpark(loop, gone);
        n_made--;
        request_unref(gone);
        if (i == PARKED_MAX)
            waits[1] = join(kind);
        ck_assert_uint_le(b->n_gathering, 2 * PARKED_MAX + 1);
    }
    waits[2] = join(kind);
    unsigned seen = 0, n = 0;
    for (struct request *r = b->gathering; r; r = r->batch_next, n++)
        if (r->state == REQUEST_PARKED)
            ck_assert_ptr_eq(r, waits[seen++]); /* in the order in which they came */
    ck_assert_uint_eq(seen, 3);
    ck_assert_uint_eq(n, b->n_gathering);
    b->flying = NULL;
}
END_TEST

Suite *suite_flights(void)
{
    Suite *s = suite_create("flights");
    TCase *t = tcase_create("flights");
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, test_nothing_gathered_is_nothing_to_send);
    tcase_add_test(t, test_a_flight_waits_for_seven_in_eight);
    tcase_add_test(t, test_a_wait_that_has_ended_is_no_reason_to_sleep);
    tcase_add_test(t, test_who_need_not_wait_goes_before_who_does);
    tcase_add_test(t, test_behind_a_flight_nothing_is_to_be_sent);
    tcase_add_test(t, test_requests_whose_clients_have_gone_do_not_pile_up);
    suite_add_tcase(s, t);
    return s;
}
