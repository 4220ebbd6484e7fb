/* Unit tests of store: ids of a flight. */
#include "store.h"

#include <check.h>

Suite *suite_store(void);

START_TEST(an_id_is_asked_for_once)
{
    int64_t ids[4] = {0};
    size_t n = store_ids_add(ids, 0, 7);
    ck_assert_uint_eq(n, 1);
    n = store_ids_add(ids, n, 7);
    ck_assert_uint_eq(n, 1);
    n = store_ids_add(ids, n, 3);
    n = store_ids_add(ids, n, 7);
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(ids[0], 7);
    ck_assert_int_eq(ids[1], 3);
}
END_TEST

/* Planted once: a look all the way back makes a flight of a thousand quadratic. */
START_TEST(it_looks_back_a_bounded_way)
{
    int64_t ids[64];
    size_t n = 0;
    for (int64_t id = 1; id <= 20; id++)
        n = store_ids_add(ids, n, id);
    ck_assert_uint_eq(store_ids_add(ids, n, 13), 20);
    ck_assert_uint_eq(store_ids_add(ids, n, 12), 21);
    ck_assert_int_eq(ids[20], 12);
}
END_TEST

Suite *suite_store(void)
{
    Suite *s = suite_create("store");
    TCase *t = tcase_create("ids");
    tcase_add_test(t, an_id_is_asked_for_once);
    tcase_add_test(t, it_looks_back_a_bounded_way);
    suite_add_tcase(s, t);
    return s;
}
