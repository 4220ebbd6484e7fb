/* Unit tests of arena. */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"

Suite *suite_arena(void);

START_TEST(test_small_pieces_come_from_the_inline_part)
{
    struct arena a;
    arena_init(&a, 10000);
    char *p = arena_alloc(&a, 100);
    ck_assert(p >= a.inline_part && p + 100 <= a.inline_part + ARENA_INLINE);
    ck_assert_ptr_nonnull(arena_alloc(&a, ARENA_INLINE - 112));
    ck_assert_ptr_null(a.chunks); /* 112 + 912: filled to the last byte */
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    ck_assert_ptr_nonnull(a.chunks);
    arena_reset(&a, 0);
}
END_TEST

/* Each piece is filled with its number: a piece that overlaps another is seen. */
START_TEST(test_pieces_are_aligned_and_do_not_overlap)
{
    enum { N = 300 };
    unsigned char *piece[N];
    struct arena a;
    arena_init(&a, SIZE_MAX);
    for (unsigned i = 0; i < N; i++) {
        piece[i] = arena_alloc(&a, i * 7);
        ck_assert_ptr_nonnull(piece[i]);
        ck_assert_uint_eq((uintptr_t)piece[i] % 16, 0);
        memset(piece[i], (int)i, (size_t)i * 7);
    }
    for (unsigned i = 0; i < N; i++)
        for (unsigned k = 0; k < i * 7; k++)
            ck_assert_uint_eq(piece[i][k], (unsigned char)i);
    arena_reset(&a, 0);
}
END_TEST

START_TEST(test_a_piece_larger_than_a_chunk_is_given)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    char *p = arena_alloc(&a, 100000);
    ck_assert_ptr_nonnull(p);
    memset(p, 'x', 100000);
    ck_assert_ptr_nonnull(arena_alloc(&a, 1000)); /* the inline part is still there */
    arena_reset(&a, 0);
}
END_TEST

START_TEST(test_the_cap_counts_inline_and_chunks_together)
{
    struct arena a;
    arena_init(&a, 2048);
    ck_assert_ptr_nonnull(arena_alloc(&a, 1024));
    ck_assert_ptr_null(arena_alloc(&a, 1025));
    ck_assert_ptr_nonnull(arena_alloc(&a, 1024)); /* a refusal takes nothing */
    ck_assert_ptr_null(arena_alloc(&a, 1));
    arena_reset(&a, 32);
    ck_assert_ptr_nonnull(arena_alloc(&a, 1)); /* what the alignment takes counts too */
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    ck_assert_ptr_null(arena_alloc(&a, 1));
    arena_reset(&a, 0);
}
END_TEST

START_TEST(test_absurd_lengths_are_refused)
{
    struct arena a;
    arena_init(&a, SIZE_MAX);
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX - 15));
    ck_assert_ptr_null(arena_copy(&a, "x", SIZE_MAX));
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    arena_reset(&a, 0);
}
END_TEST

START_TEST(test_a_copy_ends_with_a_nul)
{
    struct arena a;
    char long_text[90] = "0123456789";
    arena_init(&a, 100);
    ck_assert_str_eq(arena_copy(&a, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_copy(&a, NULL, 0), "");
    ck_assert_ptr_null(arena_copy(&a, long_text, sizeof long_text));
    arena_reset(&a, 0);
}
END_TEST

START_TEST(test_reset_gives_all_back)
{
    struct arena a;
    arena_init(&a, 50000);
    void *first = arena_alloc(&a, 10);
    for (int i = 0; i < 10; i++)
        arena_alloc(&a, 4000);
    arena_reset(&a, 32);
    ck_assert_ptr_null(a.chunks);
    ck_assert_ptr_eq(arena_alloc(&a, 10), first);
    ck_assert_ptr_nonnull(arena_alloc(&a, 10));
    ck_assert_ptr_null(arena_alloc(&a, 1)); /* the new cap holds */
    arena_reset(&a, 0);
}
END_TEST

Suite *suite_arena(void)
{
    Suite *s = suite_create("arena");
    TCase *c = tcase_create("pieces");
    tcase_add_test(c, test_small_pieces_come_from_the_inline_part);
    tcase_add_test(c, test_pieces_are_aligned_and_do_not_overlap);
    tcase_add_test(c, test_a_piece_larger_than_a_chunk_is_given);
    tcase_add_test(c, test_a_copy_ends_with_a_nul);
    suite_add_tcase(s, c);
    c = tcase_create("cap");
    tcase_add_test(c, test_the_cap_counts_inline_and_chunks_together);
    tcase_add_test(c, test_absurd_lengths_are_refused);
    tcase_add_test(c, test_reset_gives_all_back);
    suite_add_tcase(s, c);
    return s;
}
