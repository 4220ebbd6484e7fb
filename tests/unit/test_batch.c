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
    ck_assert(batch_init(&batch, &counters, 3));
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
    ck_assert(batch_add(&batch, &(struct new_entrega){.event = e}));
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
    } rows[] = {{STATUS_DATABASE_AWAY, BATCH_LATER},
                {STATUS_OVERLOADED, BATCH_LATER},
                {STATUS_CONFLICT, BATCH_NEXT}};
    for (unsigned i = 0; i < 4; i++)
        add(i);
    for (size_t i = 0; i < 3 * sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(batch_outcome(&batch, rows[i % 3].st, "x"), rows[i % 3].next);
        ck_assert_uint_eq(batch.from, 0);
        ck_assert_uint_eq(batch.to, 4);
        ck_assert_ptr_null(batch.entregas[0].motivo);
        ck_assert_uint_eq(batch.entregas[0].tentativas, 0);
    }
}
END_TEST

/* Halves until one stands alone, and lets that one fail with `st`. */
static struct new_entrega *fail_alone(enum status st)
{
    while (batch.to - batch.from > 1)
        ck_assert_int_eq(batch_outcome(&batch, st, "42P01: x"), BATCH_NEXT);
    struct new_entrega *alone = &batch.entregas[batch.from];
    ck_assert_int_eq(batch_outcome(&batch, st, "42P01: x"), BATCH_NEXT);
    return alone;
}

START_TEST(test_what_may_pass_later_is_put_aside_until_then)
{
    static const enum status rows[] = {STATUS_INTERNAL, STATUS_DEADLINE};
    for (size_t i = 0; i < 2; i++) {
        batch_reset(&batch);
        add(1);
        add(2);
        const struct new_entrega *d = fail_alone(rows[i]);
        ck_assert_str_eq(d->motivo, "42P01: x");
        ck_assert_uint_eq(d->tentativas, 1);
        ck_assert_int_ge(d->espera_us, 750000); /* 1 s, a quarter more or less */
        ck_assert_int_le(d->espera_us, 1250000);
        ck_assert_int_eq(batch_outcome(&batch, STATUS_OK, ""), BATCH_NEXT);
        ck_assert_int_eq(batch_outcome(&batch, STATUS_OK, ""), BATCH_DONE);
    }
    ck_assert_uint_eq(metric_get(&counters.postponed), 2);
    ck_assert_uint_eq(metric_get(&counters.stored), 2);
    ck_assert_uint_eq(metric_get(&counters.dead), 0);
}
END_TEST

static const char plain[] = "{\"object\":\"x\",\"entry\":[{\"changes\":[{}]}]}";

static void add_tried(unsigned attempts)
{
    struct event e;
    event_begin(&e, (struct event_id){attempts, 0});
    event_field(&e, "corpo", 5, plain, sizeof plain - 1);
    ck_assert(
        batch_add(&batch, &(struct new_entrega){.event = e, .id = 7, .tentativas = attempts}));
}

START_TEST(test_pauses_grow_and_the_last_attempt_ends_among_the_dead)
{
    add_tried(1);
    const struct new_entrega *d = fail_alone(STATUS_INTERNAL);
    ck_assert_int_ge(d->espera_us, 2250000);
    ck_assert_int_le(d->espera_us, 3750000);
    batch_reset(&batch);
    add_tried(2);
    d = fail_alone(STATUS_INTERNAL); /* the third of three */
    ck_assert_uint_eq(d->tentativas, 3);
    ck_assert_int_eq(d->espera_us, 0);
    ck_assert_int_eq(batch_outcome(&batch, STATUS_OK, ""), BATCH_DONE);
    ck_assert_uint_eq(metric_get(&counters.dead), 1);
}
END_TEST

/* Catches a worker that buries what comes while somebody runs VACUUM FULL. */
START_TEST(test_a_lock_puts_aside_for_as_long_as_it_is_held)
{
    for (unsigned attempts = 0; attempts < 5; attempts++) {
        batch_reset(&batch);
        add_tried(attempts < 2 ? attempts : 2);
        const struct new_entrega *d = fail_alone(STATUS_LOCKED);
        ck_assert_uint_eq(d->tentativas, attempts < 2 ? attempts + 1 : 2); /* of three */
        ck_assert_int_ge(d->espera_us, 750000);
        ck_assert_int_eq(batch_outcome(&batch, STATUS_OK, ""), BATCH_DONE);
    }
    batch.max_attempts = 1;
    batch_reset(&batch);
    add_tried(0);
    ck_assert_int_le(fail_alone(STATUS_LOCKED)->espera_us, 1250000);
    ck_assert_uint_eq(metric_get(&counters.dead), 0);
}
END_TEST

START_TEST(test_pauses_have_a_cap)
{
    batch.max_attempts = 100;
    add_tried(50);
    ck_assert_int_le(fail_alone(STATUS_INTERNAL)->espera_us, INT64_C(750000000));
}
END_TEST

/* A schema that is broken altogether: the batch waits, and one that alone is at fault is left. */
START_TEST(test_a_failure_that_cannot_be_stored_waits_and_is_left_in_the_end)
{
    add(1);
    fail_alone(STATUS_INTERNAL);
    ck_assert_int_eq(batch_outcome(&batch, STATUS_INTERNAL, "x"), BATCH_LATER);
    ck_assert_int_eq(batch_outcome(&batch, STATUS_INTERNAL, "x"), BATCH_LATER);
    ck_assert_int_eq(batch_outcome(&batch, STATUS_INTERNAL, "x"), BATCH_DONE);
    ck_assert(batch.entregas[0].left);
}
END_TEST

START_TEST(test_one_that_was_found_guilty_is_not_decoded)
{
    struct event e;
    event_begin(&e, (struct event_id){1, 0});
    event_field(&e, "corpo", 5, plain, sizeof plain - 1);
    ck_assert(batch_add(&batch, &(struct new_entrega){.event = e, .motivo = "culpada"}));
    ck_assert_uint_eq(batch.rows.n_eventos, 0);
    ck_assert_int_eq(batch_outcome(&batch, STATUS_OK, ""), BATCH_DONE);
    ck_assert_uint_eq(metric_get(&counters.dead), 1);
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
    ck_assert(!batch_add(&batch, &(struct new_entrega){.event = e}));
    ck_assert(batch_has(&batch, (struct event_id){7, 0}));
    ck_assert(!batch_has(&batch, (struct event_id){7, 1}));
    batch_reset(&batch);
    ck_assert(!batch_has(&batch, (struct event_id){7, 0}));
    char *big = calloc(1, BATCH_BYTES);
    event_field(&e, "corpo", 5, big, BATCH_BYTES);
    ck_assert(batch_add(&batch, &(struct new_entrega){.event = e}));
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
    c = tcase_create("attempts");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_what_may_pass_later_is_put_aside_until_then);
    tcase_add_test(c, test_pauses_grow_and_the_last_attempt_ends_among_the_dead);
    tcase_add_test(c, test_a_lock_puts_aside_for_as_long_as_it_is_held);
    tcase_add_test(c, test_pauses_have_a_cap);
    tcase_add_test(c, test_a_failure_that_cannot_be_stored_waits_and_is_left_in_the_end);
    tcase_add_test(c, test_one_that_was_found_guilty_is_not_decoded);
    suite_add_tcase(s, c);
    c = tcase_create("filling");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_it_is_full_by_number_by_bytes_and_takes_a_few_more);
    suite_add_tcase(s, c);
    return s;
}
