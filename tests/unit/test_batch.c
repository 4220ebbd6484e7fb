/* Unit tests of batch: how the span walks when the database refuses something. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "worker/batch.h"
#include "worker/counters.h"

Suite *suite_batch(void);

static struct worker_counters counters;
static struct batch batch;

static void set_up(void)
{
    log_setup("unit", LOG_ERROR, LOG_TEXT);
    memset(&counters, 0, sizeof counters);
    ck_assert(batch_init(&batch, &counters));
}

static void tear_down(void)
{
    batch_release(&batch);
}

static void add(unsigned i)
{
    char text[160];
    int len =
        snprintf(text, sizeof text,
                 "{\"object\":\"page\",\"entry\":[{\"id\":1,\"changes\":[{\"field\":\"leadgen\""
                 ",\"value\":{\"leadgen_id\":%u}}]}]}",
                 i);
    struct event e;
    event_begin(&e, (struct event_id){i, 0});
    event_field(&e, "corpo", 5, text, (size_t)len);
    ck_assert(batch_add(&batch, &e, 0));
}

static bool is_bad(size_t i, const bool *bad)
{
    return bad[i] && !batch.entregas[i].motivo;
}

/* Plays a database that refuses the bad ones, until all is stored. Returns the transactions. */
static unsigned store_all(const bool *bad)
{
    unsigned n = 0;
    enum batch_next next = BATCH_NEXT;
    while (next == BATCH_NEXT) {
        enum status st = STATUS_OK;
        ck_assert_uint_lt(batch.from, batch.to);
        for (size_t i = batch.from; i < batch.to; i++)
            if (is_bad(i, bad))
                st = STATUS_INVALID;
        next = batch_outcome(&batch, st, "22000: refused");
        ck_assert_uint_lt(++n, 10000);
    }
    ck_assert_int_eq(next, BATCH_DONE);
    return n;
}

START_TEST(test_a_good_batch_is_one_transaction)
{
    static const bool bad[BATCH_MAX];
    for (unsigned i = 0; i < 100; i++)
        add(i);
    ck_assert_uint_eq(store_all(bad), 1);
    ck_assert_uint_eq(metric_get(&counters.stored), 100);
}
END_TEST

START_TEST(test_only_the_bad_ones_die_and_soon)
{
    static bool bad[BATCH_MAX];
    for (unsigned i = 0; i < BATCH_MAX; i++)
        add(i);
    bad[0] = bad[500] = bad[501] = bad[BATCH_MAX - 1] = true;
    unsigned n = store_all(bad);
    for (unsigned i = 0; i < BATCH_MAX; i++) {
        ck_assert_msg((batch.entregas[i].motivo != NULL) == bad[i], "delivery %u", i);
        ck_assert(!batch.entregas[i].left);
    }
    ck_assert_str_eq(batch.entregas[500].motivo, "22000: refused");
    ck_assert_uint_eq(metric_get(&counters.stored), BATCH_MAX - 4);
    ck_assert_uint_eq(metric_get(&counters.dead), 4);
    ck_assert_uint_lt(n, 120); /* some 2 log2(1000) for each */
}
END_TEST

START_TEST(test_all_bad_ends_too)
{
    static bool bad[BATCH_MAX];
    memset(bad, true, sizeof bad);
    for (unsigned i = 0; i < 100; i++)
        add(i);
    store_all(bad);
    ck_assert_uint_eq(metric_get(&counters.dead), 100);
}
END_TEST

START_TEST(test_what_is_refused_even_as_a_dead_letter_is_left)
{
    add(1);
    add(2);
    ck_assert_int_eq(batch_outcome(&batch, STATUS_INVALID, "a"), BATCH_NEXT); /* halved */
    ck_assert_int_eq(batch_outcome(&batch, STATUS_INVALID, "b"), BATCH_NEXT); /* dead */
    ck_assert_int_eq(batch_outcome(&batch, STATUS_INVALID, "c"), BATCH_NEXT); /* left */
    ck_assert(batch.entregas[0].left);
    ck_assert_uint_eq(batch.from, 1);
    ck_assert_int_eq(batch_outcome(&batch, STATUS_OK, ""), BATCH_DONE);
    ck_assert(!batch.entregas[1].left);
    ck_assert_uint_eq(metric_get(&counters.given_up), 1);
}
END_TEST

/* Catches a worker that makes dead letters of good deliveries because a server was away. */
START_TEST(test_other_failures_kill_nothing)
{
    static const struct {
        enum status st;
        enum batch_next next;
        size_t to;
    } rows[] = {{STATUS_DATABASE_AWAY, BATCH_LATER, 4}, {STATUS_INTERNAL, BATCH_LATER, 4},
                {STATUS_OVERLOADED, BATCH_LATER, 4},    {STATUS_CONFLICT, BATCH_NEXT, 4},
                {STATUS_DEADLINE, BATCH_LATER, 2}, /* too much at once, perhaps */
                {STATUS_DEADLINE, BATCH_LATER, 1},      {STATUS_DEADLINE, BATCH_LATER, 1}};
    for (unsigned i = 0; i < 4; i++)
        add(i);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(batch_outcome(&batch, rows[i].st, "x"), rows[i].next);
        ck_assert_uint_eq(batch.from, 0);
        ck_assert_uint_eq(batch.to, rows[i].to);
        ck_assert_ptr_null(batch.entregas[0].motivo);
    }
}
END_TEST

START_TEST(test_it_is_full_by_number_by_bytes_and_takes_a_few_more)
{
    for (unsigned i = 0; i < BATCH_MAX; i++) {
        ck_assert(!batch_full(&batch));
        add(i);
    }
    ck_assert(batch_full(&batch));
    for (unsigned i = 0; i < BATCH_EXTRA; i++)
        add(BATCH_MAX + i);
    struct event e;
    event_begin(&e, (struct event_id){1, 1});
    ck_assert(!batch_add(&batch, &e, 0));
    ck_assert(batch_has(&batch, (struct event_id){7, 0}));
    ck_assert(!batch_has(&batch, (struct event_id){7, 1}));
    batch_reset(&batch);
    ck_assert(!batch_has(&batch, (struct event_id){7, 0}));
    char *big = calloc(1, BATCH_BYTES);
    event_field(&e, "corpo", 5, big, BATCH_BYTES);
    ck_assert(batch_add(&batch, &e, 0));
    ck_assert(batch_full(&batch));
    free(big);
}
END_TEST

Suite *suite_batch(void)
{
    Suite *s = suite_create("batch");
    TCase *c = tcase_create("spans");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_a_good_batch_is_one_transaction);
    tcase_add_test(c, test_only_the_bad_ones_die_and_soon);
    tcase_add_test(c, test_all_bad_ends_too);
    tcase_add_test(c, test_what_is_refused_even_as_a_dead_letter_is_left);
    tcase_add_test(c, test_other_failures_kill_nothing);
    suite_add_tcase(s, c);
    c = tcase_create("filling");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_it_is_full_by_number_by_bytes_and_takes_a_few_more);
    suite_add_tcase(s, c);
    return s;
}
