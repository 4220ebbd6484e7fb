/* Unit tests of cache_guard: when the cached page is believed, when writes wait. */
#include <check.h>

#include "api/cache_guard.h"

Suite *suite_cache_guard(void);

START_TEST(a_connection_at_start_is_trusted_at_once)
{
    struct cache_guard g;
    cache_guard_init(&g, 0);
    ck_assert(!cache_guard_trusted(&g, 1000));
    cache_guard_ready(&g, 1000);
    ck_assert(cache_guard_trusted(&g, 1000));
}
END_TEST

START_TEST(after_a_loss_it_is_trusted_only_when_all_others_can_be_back)
{
    struct cache_guard g;
    cache_guard_init(&g, 0);
    cache_guard_ready(&g, 0);
    cache_guard_lost(&g, false, 5000);
    ck_assert(!cache_guard_trusted(&g, 5001));
    cache_guard_ready(&g, 6000);
    ck_assert(!cache_guard_trusted(&g, 6000 + GUARD_QUARANTINE_MS - 1));
    ck_assert(cache_guard_trusted(&g, 6000 + GUARD_QUARANTINE_MS));
}
END_TEST

START_TEST(writes_are_held_longer_after_a_stall_than_after_a_close)
{
    struct cache_guard g;
    cache_guard_init(&g, 100);
    ck_assert(cache_guard_must_hold(&g, 100 + GUARD_HOLD_MS - 1));
    cache_guard_lost(&g, false, 100);
    ck_assert(cache_guard_must_hold(&g, 100 + GUARD_RETRY_MS - 1));
    ck_assert(!cache_guard_must_hold(&g, 100 + GUARD_RETRY_MS));
    cache_guard_lost(&g, true, 100);
    ck_assert(cache_guard_must_hold(&g, 100 + GUARD_HOLD_MS - 1));
    ck_assert(!cache_guard_must_hold(&g, 100 + GUARD_HOLD_MS));
}
END_TEST

Suite *suite_cache_guard(void)
{
    Suite *s = suite_create("cache_guard");
    TCase *t = tcase_create("guard");
    tcase_add_test(t, a_connection_at_start_is_trusted_at_once);
    tcase_add_test(t, after_a_loss_it_is_trusted_only_when_all_others_can_be_back);
    tcase_add_test(t, writes_are_held_longer_after_a_stall_than_after_a_close);
    suite_add_tcase(s, t);
    return s;
}
