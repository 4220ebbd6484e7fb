/* Unit tests of pg_fifo: the ring of what awaits an answer. */
#include <check.h>

#include "pg_fifo.h"

Suite *suite_pg_fifo(void);

static struct pg_fifo f;
static int64_t next_in, next_out; /* entries carry their number as their time */

static void release(void)
{
    pg_fifo_release(&f);
    next_in = next_out = 0;
}

static void push(unsigned n)
{
    while (n--) {
        ck_assert(pg_fifo_room(&f, 1));
        pg_fifo_push(&f, (struct pg_entry){.sent_ms = next_in++});
    }
}

static void pop(unsigned n)
{
    while (n--) {
        ck_assert_ptr_nonnull(pg_fifo_head(&f));
        ck_assert_int_eq(pg_fifo_head(&f)->sent_ms, next_out++);
        pg_fifo_pop(&f);
    }
}

START_TEST(test_an_empty_one_has_no_head)
{
    ck_assert_ptr_null(pg_fifo_head(&f));
    push(1);
    pop(1);
    ck_assert_ptr_null(pg_fifo_head(&f));
}
END_TEST

/* Grown while its entries lie around the end: a copy from the start would mix them up. */
START_TEST(test_the_order_stays_when_it_grows_around_its_end)
{
    push(60);
    pop(50);
    push(54); /* 64 entries, the first of them at place 50 */
    push(100);
    pop(164);
    ck_assert_uint_eq(f.n, 0);
}
END_TEST

START_TEST(test_room_ends_at_the_bound_and_what_is_in_it_stays)
{
    push(1 << 14);
    ck_assert(!pg_fifo_room(&f, 1));
    pop(1);
    ck_assert(pg_fifo_room(&f, 1));
    ck_assert(!pg_fifo_room(&f, 2));
    push(1);
    pop(1 << 14);
}
END_TEST

Suite *suite_pg_fifo(void)
{
    Suite *s = suite_create("pg_fifo");
    TCase *t = tcase_create("pg_fifo");
    tcase_add_checked_fixture(t, NULL, release);
    tcase_add_test(t, test_an_empty_one_has_no_head);
    tcase_add_test(t, test_the_order_stays_when_it_grows_around_its_end);
    tcase_add_test(t, test_room_ends_at_the_bound_and_what_is_in_it_stays);
    suite_add_tcase(s, t);
    return s;
}
