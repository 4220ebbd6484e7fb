/* Unit tests of trial. What brings a child down is in tests/fault/test_poison.py, with a planted
 * bug. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "ev.h"
#include "worker/trial.h"

Suite *suite_trial(void);

static struct ev *ev;
static struct trial *trial;
static unsigned ended;

static void on_tick(void *ctx, int64_t now_ms)
{
    (void)ctx;
    if (trial)
        trial_tick(trial, now_ms);
}

static void on_done(void *ctx)
{
    ck_assert_ptr_eq(ctx, &ended);
    ended++;
}

static void set_up(void)
{
    ended = 0;
    ev = ev_new(on_tick, NULL);
    trial = trial_new(ev, on_done, &ended);
    ck_assert_ptr_nonnull(trial);
}

static void tear_down(void)
{
    trial_free(trial);
    trial = NULL;
    ev_free(ev);
}

static void add(unsigned i, const char *text)
{
    struct event e;
    event_begin(&e, (struct event_id){i, 0});
    event_field(&e, "corpo", 5, text, strlen(text));
    event_field(&e, "agente", 6, "fb", 2);
    ck_assert(trial_add(trial, &(struct new_entrega){.event = e, .id = i, .tentativas = i}));
}

static void run(void)
{
    int64_t until = ev_now_ms(ev) + 20000;
    while (!ended && ev_now_ms(ev) < until)
        ev_run_once(ev, true);
    ck_assert_uint_eq(ended, 1);
    ck_assert(!trial_under_way(trial));
}

START_TEST(test_innocents_come_back_as_they_were)
{
    add(1, "{\"object\":\"page\",\"entry\":[{\"id\":1,\"changes\":[{\"field\":\"x\"}]}]}");
    add(2, "not JSON"); /* that is for the batch to say */
    ck_assert(trial_has(trial, (struct event_id){2, 0}));
    trial_start(trial);
    ck_assert_uint_eq(ended, 0);
    run();
    for (size_t i = 0; i < 2; i++) {
        const struct new_entrega *d = trial_verdict(trial, i);
        ck_assert_ptr_nonnull(d);
        ck_assert_ptr_null(d->motivo);
        ck_assert_uint_eq(d->tentativas, i + 1);
        ck_assert_mem_eq(d->event.text[EVENT_AGENT].data, "fb", 2);
    }
    ck_assert_ptr_null(trial_verdict(trial, 2));
    trial_reset(trial);
    ck_assert_uint_eq(trial_count(trial), 0);
    ck_assert(!trial_has(trial, (struct event_id){2, 0}));
}
END_TEST

START_TEST(test_one_trial_after_the_other)
{
    for (unsigned i = 1; i <= 5; i++) {
        ended = 0;
        add(i, "[]");
        trial_start(trial);
        run();
        ck_assert_int_eq(trial_verdict(trial, 0)->id, i);
        trial_reset(trial);
    }
}
END_TEST

/* Catches a worker that buries what it had in a trial when it, and the child with it, was frozen
 * or the machine stood still. */
START_TEST(test_who_stood_still_condemns_nobody)
{
    enum { LEN = 3 << 20 }; /* no child is through with it before the next line */
    char *text = malloc(LEN + 1);
    memset(text, '1', LEN);
    text[LEN] = '\0';
    text[0] = '"';
    text[LEN - 1] = '"';
    ev_run_once(ev, true); /* to the first tick */
    add(1, text);
    free(text);
    trial_start(trial);
    trial_tick(trial, ev_now_ms(ev) + 10000);
    run();
    ck_assert_ptr_nonnull(trial_verdict(trial, 0));
    ck_assert_ptr_null(trial_verdict(trial, 0)->motivo);
}
END_TEST

START_TEST(test_it_may_be_freed_with_a_child_out)
{
    add(1, "[]");
    trial_start(trial);
    ck_assert(trial_under_way(trial));
}
END_TEST

START_TEST(test_there_is_an_end_to_its_room)
{
    for (unsigned i = 0; i < TRIAL_MAX; i++)
        add(i, "[]");
    struct event e;
    event_begin(&e, (struct event_id){1, 1});
    ck_assert(!trial_add(trial, &(struct new_entrega){.event = e}));
}
END_TEST

Suite *suite_trial(void)
{
    Suite *s = suite_create("trial");
    TCase *c = tcase_create("trial");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_innocents_come_back_as_they_were);
    tcase_add_test(c, test_one_trial_after_the_other);
    tcase_add_test(c, test_who_stood_still_condemns_nobody);
    tcase_add_test(c, test_it_may_be_freed_with_a_child_out);
    tcase_add_test(c, test_there_is_an_end_to_its_room);
    suite_add_tcase(s, c);
    return s;
}
