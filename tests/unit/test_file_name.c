/* Unit tests of file_name. */
#include <check.h>
#include <string.h>

#include "file_name.h"

Suite *suite_file_name(void);

static bool cleans(const char *s, const char *want)
{
    size_t len = 0;
    const char *got = file_name_clean(s, strlen(s), &len);
    return got && len == strlen(want) && memcmp(got, want, len) == 0;
}

START_TEST(test_the_last_part_of_a_path_is_the_name)
{
    static const struct {
        const char *s, *want;
    } rows[] = {
        {"a.txt", "a.txt"},
        {"../../etc/passwd", "passwd"},
        {"C:\\fakepath\\a.jpg", "a.jpg"},
        {"/a\\b/c d.pdf", "c d.pdf"},
        {"  a b.txt  ", "a b.txt"},
        {"x/ a ", "a"},
        {".profile", ".profile"},
        {"...", "..."},
        {"Olá “mundo” 😀.png", "Olá “mundo” 😀.png"},
        {"\u05e9\u05dc\u05d5\u05dd.txt",
         "\u05e9\u05dc\u05d5\u05dd.txt"}, /* Hebrew needs no marks */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(cleans(rows[i].s, rows[i].want), "%s", rows[i].s);
}
END_TEST

START_TEST(test_what_is_no_name_is_refused)
{
    static const char *const rows[] = {
        "",         " ",        ".",        "..",       "a/",         "a/..",
        "\\",       "x/ . ",    "a\nb",     "a\tb",     "a\x7f",      "a\xc2\x85z",
        "\xff.txt", "a\xc3",    "a\u200bz", "a\u200fz", "a\u2028z",   "a\u202egpj.exe",
        "a\u2060z", "a\u2066z", "\ufeffz",  "a/\xff",   "\xff/a.txt", "a\u202e"};
    size_t len = 99;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(!file_name_clean(rows[i], strlen(rows[i]), &len), "row %zu", i);
        ck_assert_uint_eq(len, 99);
    }
    ck_assert(!file_name_clean("a\0b", 3, &len));
}
END_TEST

START_TEST(test_length_counts_characters)
{
    char name[2 * FILE_NAME_MAX + 3];
    for (size_t i = 0; i <= FILE_NAME_MAX; i++)
        memcpy(name + 2 * i, "é", 2);
    size_t len;
    ck_assert(file_name_clean(name, 2 * FILE_NAME_MAX, &len));
    ck_assert_uint_eq(len, 2 * FILE_NAME_MAX);
    ck_assert(!file_name_clean(name, 2 * FILE_NAME_MAX + 2, &len));
}
END_TEST

START_TEST(test_disposition_can_be_read_by_all)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"},
        {"é\"\\%.png", "attachment; filename=\"____.png\"; filename*=UTF-8''%C3%A9%22%5C%25.png"},
        {"😀;'*", "attachment; filename=\"_;'*\"; filename*=UTF-8''%F0%9F%98%80%3B%27%2A"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b = buf_init(4096);
        file_name_disposition(&b, rows[i].name, strlen(rows[i].name));
        buf_char(&b, '\0');
        ck_assert(!buf_failed(&b));
        ck_assert_str_eq(b.data, rows[i].want);
        buf_release(&b);
    }
}
END_TEST

Suite *suite_file_name(void)
{
    Suite *s = suite_create("file_name");
    TCase *c = tcase_create("file_name");
    tcase_add_test(c, test_the_last_part_of_a_path_is_the_name);
    tcase_add_test(c, test_what_is_no_name_is_refused);
    tcase_add_test(c, test_length_counts_characters);
    tcase_add_test(c, test_disposition_can_be_read_by_all);
    suite_add_tcase(s, c);
    return s;
}
