/* Unit tests of live_pending: who is told what at a flush, and the bounds of a second. */
#include <check.h>
#include <string.h>

#include "api/live_pending.h"

Suite *suite_live_pending(void);

static struct live_pending p;
static const struct event_id START = {0, 0};

static void setup(void)
{
    p = (struct live_pending){0};
    live_pending_init(&p);
}

static void release(void)
{
    live_pending_release(&p);
}

static void add_entry(uint64_t ms, enum sse_kind kind, const char *json)
{
    live_pending_add(&p, kind, json, strlen(json));
    live_pending_add_id(&p, (struct event_id){ms, 0});
}

/* expected NULL: nothing at all. */
static void assert_piece(unsigned kinds, struct event_id from, const char *expected)
{
    struct body *piece;
    ck_assert(live_pending_piece(&p, kinds, from, &piece));
    ck_assert_int_eq(piece != NULL, expected != NULL);
    if (piece)
        ck_assert_msg(piece->len == strlen(expected) &&
                          memcmp(piece->data, expected, piece->len) == 0,
                      "%.*s, want %s", (int)piece->len, piece->data, expected);
    body_unref(piece);
}

START_TEST(test_each_gets_its_kinds_and_the_last_id)
{
    add_entry(7, SSE_POST, "1");
    add_entry(8, SSE_LEAD, "2");
    assert_piece(sse_all_kinds(), START,
                 "event: post\ndata: 1\n\nevent: lead\ndata: 2\n\nid: 8-0\n\n");
    assert_piece(1u << SSE_POST, START, "event: post\ndata: 1\n\nid: 8-0\n\n");
    assert_piece(1u << SSE_SAMPLE, START, NULL);
}
END_TEST

/* Catches a listener that gets an entry again that its replay had. */
START_TEST(test_who_is_ahead_gets_only_what_is_behind_its_place)
{
    add_entry(7, SSE_POST, "1");
    add_entry(8, SSE_POST, "2");
    assert_piece(1u << SSE_POST, (struct event_id){7, 0}, "event: post\ndata: 2\n\nid: 8-0\n\n");
    assert_piece(1u << SSE_POST, (struct event_id){8, 0}, NULL);
}
END_TEST

START_TEST(test_everybody_is_told_of_a_loss)
{
    live_pending_add_lost(&p, (struct event_id){9, 0});
    assert_piece(0, START, "event: perdido\ndata: {}\n\nid: 9-0\n\n");
}
END_TEST

START_TEST(test_past_the_bytes_of_a_second_messages_are_left_out_and_that_is_known)
{
    static char json[LIVE_SECOND_MAX / 4];
    memset(json, 'x', sizeof json);
    for (int i = 0; i < 4; i++)
        live_pending_add(&p, SSE_POST, json, sizeof json);
    ck_assert(!p.over);
    live_pending_add(&p, SSE_POST, "1", 1);
    ck_assert(p.over);
    ck_assert_uint_eq(p.n, 4);
    live_pending_add_own(&p, SSE_COUNTERS, "{}", 2); /* of the loop's own, not counted */
    ck_assert_uint_eq(p.n, 5);
    ck_assert(!buf_failed(&p.text));
}
END_TEST

/* Each message with an id of its own behind it, and one more thing to say: none may be without
 * room. */
START_TEST(test_the_number_of_messages_is_bounded)
{
    for (uint64_t i = 1; i <= LIVE_PENDING_MAX; i++)
        add_entry(i, SSE_POST, "1");
    ck_assert(p.over);
    ck_assert_uint_le(p.n, LIVE_PENDING_MAX);
    unsigned n = p.n;
    live_pending_add_lost(&p, START);
    ck_assert(p.over); /* it is to be said later */
    ck_assert_uint_eq(p.n, n);
    live_pending_clear(&p);
    live_pending_add_lost(&p, START);
    ck_assert(!p.over);
}
END_TEST

Suite *suite_live_pending(void)
{
    Suite *s = suite_create("live_pending");
    TCase *t = tcase_create("live_pending");
    tcase_add_checked_fixture(t, setup, release);
    tcase_add_test(t, test_each_gets_its_kinds_and_the_last_id);
    tcase_add_test(t, test_who_is_ahead_gets_only_what_is_behind_its_place);
    tcase_add_test(t, test_everybody_is_told_of_a_loss);
    tcase_add_test(t, test_past_the_bytes_of_a_second_messages_are_left_out_and_that_is_known);
    tcase_add_test(t, test_the_number_of_messages_is_bounded);
    suite_add_tcase(s, t);
    return s;
}
