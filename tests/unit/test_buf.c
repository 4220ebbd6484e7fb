/* Unit tests of buf. */
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

Suite *suite_buf(void);

static void assert_holds(const struct buf *b, const char *want)
{
    ck_assert(!buf_failed(b));
    ck_assert_uint_eq(b->len, strlen(want));
    ck_assert_mem_eq(b->data, want, b->len);
}

START_TEST(test_what_is_added_stands_in_order)
{
    struct buf b = buf_init(1000);
    buf_str(&b, "ab");
    buf_char(&b, 'c');
    buf_lit(&b, "de");
    buf_add(&b, "fgh", 2);
    buf_printf(&b, "-%s-%d", "x", 7);
    assert_holds(&b, "abcdefg-x-7");
    buf_release(&b);
}
END_TEST

START_TEST(test_numbers_are_decimal_to_their_ends)
{
    struct buf b = buf_init(1000);
    buf_int(&b, 0);
    buf_char(&b, ' ');
    buf_int(&b, -1);
    buf_char(&b, ' ');
    buf_int(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_int(&b, INT64_MAX);
    buf_char(&b, ' ');
    buf_uint(&b, UINT64_MAX);
    assert_holds(&b, "0 -1 -9223372036854775808 9223372036854775807 18446744073709551615");
    buf_release(&b);
}
END_TEST

START_TEST(test_it_grows_over_many_sizes_and_keeps_all)
{
    struct buf b = buf_init(100000);
    for (int i = 0; i < 100000; i++)
        buf_char(&b, (char)('a' + i % 26));
    ck_assert(!buf_failed(&b));
    ck_assert_uint_eq(b.len, 100000);
    for (int i = 0; i < 100000; i++)
        if (b.data[i] != 'a' + i % 26)
            ck_abort_msg("byte %d", i);
    buf_release(&b);
}
END_TEST

START_TEST(test_an_empty_one_allocates_nothing)
{
    struct buf b = buf_init(10);
    buf_add(&b, NULL, 0);
    buf_str(&b, "");
    ck_assert_ptr_null(b.data);
    ck_assert(!buf_failed(&b));
    buf_release(&b);
}
END_TEST

/* Catches a cap that is off by one either way, and printf's need of room for a NUL. */
START_TEST(test_it_can_be_filled_exactly_to_its_cap)
{
    struct buf b = buf_init(8);
    buf_printf(&b, "%s", "12345678");
    assert_holds(&b, "12345678");
    buf_char(&b, '9');
    ck_assert(buf_failed(&b));
    buf_release(&b);
}
END_TEST

START_TEST(test_past_the_cap_nothing_is_changed_any_more)
{
    struct buf b = buf_init(4);
    buf_str(&b, "abc");
    buf_str(&b, "de");
    ck_assert(buf_failed(&b));
    buf_char(&b, 'x'); /* would fit */
    ck_assert_ptr_null(buf_reserve(&b, 1));
    ck_assert_uint_eq(b.len, 3);
    ck_assert_mem_eq(b.data, "abc", 3);
    buf_release(&b);
}
END_TEST

START_TEST(test_absurd_lengths_fail_without_wrapping_around)
{
    struct buf b = buf_init(SIZE_MAX);
    buf_str(&b, "abc");
    ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
    ck_assert(buf_failed(&b));
    ck_assert_uint_eq(b.len, 3);
    buf_release(&b);
}
END_TEST

START_TEST(test_reset_keeps_the_memory_and_clears_the_failure)
{
    struct buf b = buf_init(4);
    buf_str(&b, "abc");
    buf_str(&b, "de");
    const char *memory = b.data;
    buf_reset(&b);
    buf_str(&b, "wxyz");
    assert_holds(&b, "wxyz");
    ck_assert_ptr_eq(b.data, memory);
    buf_release(&b);
}
END_TEST

START_TEST(test_release_keeps_the_cap)
{
    struct buf b = buf_init(4);
    buf_str(&b, "abcde");
    buf_release(&b);
    ck_assert_ptr_null(b.data);
    buf_str(&b, "abcd");
    assert_holds(&b, "abcd");
    buf_char(&b, 'e');
    ck_assert(buf_failed(&b));
    buf_release(&b);
}
END_TEST

START_TEST(test_reserve_and_advance_write_in_place)
{
    struct buf b = buf_init(1000);
    buf_str(&b, "a");
    char *to = buf_reserve(&b, 500);
    memset(to, 'b', 500);
    buf_advance(&b, 2);
    assert_holds(&b, "abb");
    buf_release(&b);
}
END_TEST

START_TEST(test_a_long_printf_is_whole)
{
    char text[1000];
    struct buf b = buf_init(2000);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    buf_printf(&b, "%s", text);
    assert_holds(&b, text);
    buf_reset(&b);
    text[255] = '\0'; /* the longest that fits the stack, and one more */
    buf_printf(&b, "%s", text);
    buf_printf(&b, "%s.", text);
    ck_assert_uint_eq(b.len, 255 + 256);
    ck_assert_int_eq(b.data[b.len - 1], '.');
    buf_release(&b);
}
END_TEST

Suite *suite_buf(void)
{
    Suite *s = suite_create("buf");
    TCase *c = tcase_create("adding");
    tcase_add_test(c, test_what_is_added_stands_in_order);
    tcase_add_test(c, test_numbers_are_decimal_to_their_ends);
    tcase_add_test(c, test_it_grows_over_many_sizes_and_keeps_all);
    tcase_add_test(c, test_an_empty_one_allocates_nothing);
    tcase_add_test(c, test_reserve_and_advance_write_in_place);
    tcase_add_test(c, test_a_long_printf_is_whole);
    suite_add_tcase(s, c);
    c = tcase_create("cap");
    tcase_add_test(c, test_it_can_be_filled_exactly_to_its_cap);
    tcase_add_test(c, test_past_the_cap_nothing_is_changed_any_more);
    tcase_add_test(c, test_absurd_lengths_fail_without_wrapping_around);
    tcase_add_test(c, test_reset_keeps_the_memory_and_clears_the_failure);
    tcase_add_test(c, test_release_keeps_the_cap);
    suite_add_tcase(s, c);
    return s;
}
