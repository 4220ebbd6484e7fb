/* Unit tests of resident. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hmac.h"
#include "resident.h"
#include "text.h"

Suite *suite_resident(void);

/* Pages of files that are mapped in, kB; 0 when the kernel does not tell. */
static long file_kb(void)
{
    char line[128];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "RssFile:", 8) == 0)
            kb = strtol(line + 8, NULL, 10);
    if (f)
        fclose(f);
    return kb;
}

/* This program's code, of which a child of fork has nothing mapped in yet (ld, "PROVIDE"). */
extern const char __executable_start[], etext[]; // NOLINT(bugprone-reserved-identifier)

static unsigned touch_code(void)
{
    unsigned sum = 0;
    for (const char *p = __executable_start; p < etext; p += 4096)
        sum += (unsigned char)*(const volatile char *)p;
    return sum;
}

START_TEST(test_code_that_ran_once_is_let_go_and_comes_back_when_it_is_called)
{
    uint8_t before[SHA256_LEN], after[SHA256_LEN];
    sha256("x", 1, before);
    unsigned sum = touch_code();
    long kb = file_kb();
    resident_trim();
    long left = file_kb();
    ck_assert_msg(kb == 0 || left < kb, "%ld kB before, %ld after", kb, left);
    ck_assert_uint_eq(touch_code(), sum);
    sha256("x", 1, after);
    ck_assert_mem_eq(before, after, SHA256_LEN);
    ck_assert_ptr_nonnull(strchr(asctime(gmtime(&(time_t){0})), '1')); /* libc, relocated data */
    resident_trim();
}
END_TEST

Suite *suite_resident(void)
{
    Suite *s = suite_create("resident");
    TCase *c = tcase_create("trim");
    tcase_add_test(c, test_code_that_ran_once_is_let_go_and_comes_back_when_it_is_called);
    suite_add_tcase(s, c);
    return s;
}
