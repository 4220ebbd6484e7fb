/* Unit tests of csv. */
#include <check.h>
#include <string.h>

#include "buf.h"
#include "csv.h"

Suite *suite_csv(void);

static void assert_cell(const char *s, const char *want)
{
    struct buf b = buf_init(1000);
    csv_cell(&b, s, s ? strlen(s) : 0);
    ck_assert_msg(b.len == strlen(want) && memcmp(b.data ? b.data : "", want, b.len) == 0,
                  "%.*s, want %s", (int)b.len, b.data, want);
    buf_release(&b);
}

START_TEST(cells_are_quoted)
{
    assert_cell(NULL, "");
    assert_cell("", "\"\"");
    assert_cell("Ana, \"a Boa\"\r\nSilva", "\"Ana, \"\"a Boa\"\"\r\nSilva\"");
    assert_cell("\"", "\"\"\"\"");
}
END_TEST

START_TEST(formulas_get_an_apostrophe)
{
    static const char *const starts[] = {"=1+1",    "+55",     "-2",      "@SUM(A1)", "\tx",
                                         "\rx",     "\nx",     " =1",     "\u00a0=1", "\ufeff@x",
                                         "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x",  "  \u200b-1"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        char want[64] = "\"'";
        strcat(want, starts[i]);
        strcat(want, "\"");
        assert_cell(starts[i], want);
    }
    assert_cell("a=1", "\"a=1\"");
    assert_cell("  ", "\"  \"");
}
END_TEST

Suite *suite_csv(void)
{
    Suite *s = suite_create("csv");
    TCase *c = tcase_create("csv");
    tcase_add_test(c, cells_are_quoted);
    tcase_add_test(c, formulas_get_an_apostrophe);
    suite_add_tcase(s, c);
    return s;
}
