/* Unit tests of account: roles, addresses, passwords. */
#include <check.h>
#include <string.h>

#include "account.h"

Suite *suite_account(void);

static bool email(const char *s)
{
    return account_email_ok(s, strlen(s));
}

static const char *fault(const char *password)
{
    return account_password_fault(password, strlen(password), "fulana.silva@exemplo.com.br");
}

START_TEST(roles_have_their_names_and_no_others)
{
    enum account_role role = ROLE_COUNT;
    for (int i = 0; i < ROLE_COUNT; i++) {
        const char *name = account_role_name((enum account_role)i);
        ck_assert(account_role_parse(name, strlen(name), &role));
        ck_assert_int_eq(role, i);
    }
    ck_assert(!account_role_parse("Admin", 5, &role));
    ck_assert(!account_role_parse("admin", 4, &role));
    ck_assert(!account_role_parse("", 0, &role));
}
END_TEST

START_TEST(addresses_as_people_have_them_are_taken)
{
    static const char *const good[] = {"a@b.c", "fulana.silva+x@exemplo.com.br", "o'neil@x-y.org",
                                       "A_B-c@1.2", "{x}~@a.b"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(email(good[i]), "%s", good[i]);
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
    static const char *const bad[] = {"",       "@",        "a",         "a@",          "@b.c",
                                      "a@b",    "a@b.",     "a@.b",      "a@b..c",      ".a@b.c",
                                      "a.@b.c", "a..b@c.d", "a b@c.d",   "a@b c.d",     "a@@b.c",
                                      "a@-b.c", "a@b-.c",   "\"a\"@b.c", "a@[1.2.3.4]", "é@b.c",
                                      "a@é.c",  "a@b.c\n",  "a,b@c.d",   "<a@b.c>"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!email(bad[i]), "%s", bad[i]);
    ck_assert(!account_email_ok("a@b.c\0d", 7));
    ck_assert(!account_email_ok("a\0@b.c", 6));
}
END_TEST

START_TEST(parts_of_an_address_have_their_lengths)
{
    char s[400];
    memset(s, 'a', sizeof s);
    memcpy(s + 64, "@b.c", 5);
    ck_assert(email(s));
    memset(s, 'a', 65);
    memcpy(s + 65, "@b.c", 5);
    ck_assert(!email(s));
    memcpy(s, "a@", 2);
    memset(s + 2, 'b', 64);
    memcpy(s + 65, ".c", 3);
    ck_assert(email(s)); /* a label of 63 */
    memset(s + 2, 'b', 64);
    memcpy(s + 66, ".c", 3);
    ck_assert(!email(s));
}
END_TEST

START_TEST(case_is_folded_in_ascii_alone)
{
    char s[] = "AZaz09@\xc3\x89[`";
    account_email_fold(s, strlen(s));
    ck_assert_str_eq(s, "azaz09@\xc3\x89[`");
}
END_TEST

START_TEST(passwords_that_nobody_guesses_are_taken)
{
    static const char *const good[] = {
        "um cavalo anda em L",      "três gatos no telhado", "xK9#mQ2$vL7@",
        "correio azul 7 serpentes", "ãõçéíóúâêôàü",          "7394 0182 5561",
        "brasil da minha infância"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(!fault(good[i]), "%s: %s", good[i], fault(good[i]));
}
END_TEST

START_TEST(common_ones_are_refused_however_they_are_trimmed)
{
    static const char *const bad[] = {
        "password1234",   "Password@2026!", "P@ssw0rd12345",   "senha1234567",
        "S3nha!!!2026!!", "administrador",  "Administrador1!", "minhasenha123",
        "1234senha1234",  "changeme2026!",  "letmeinplease",   "iloveyou2026!",
        "qwertyuiop12",   "deusefiel2026",  "flamengo@2026",   "correct horse battery staple",
        "alicerce2026!",  "bemvindo@2026",  "welcome12345"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(fault(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(repetitions_and_walks_are_refused)
{
    static const char *const bad[] = {
        "aaaaaaaaaaaa", "abcabcabcabc",   "xK9#xK9#xK9#",   "123123123123",   "ababababababa",
        "123456789012", "098765432109",   "abcdefghijklmn", "qwertyuiopasdf", "zyxwvutsrqponm",
        "1qaz2wsx3edc", "aabbccddeeffgg", "112233445566",   "éééééééééééé",   "aaaaaaabbbbbbb"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(fault(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(the_address_is_no_password)
{
    ck_assert_ptr_nonnull(fault("fulana.silva@exemplo.com.br"));
    ck_assert_ptr_nonnull(fault("FULANA.SILVA@EXEMPLO.COM.BR"));
    ck_assert_ptr_nonnull(fault("fulana.silva@exemplo.com.br1"));
    ck_assert_ptr_nonnull(fault("fulana.silva"));
    ck_assert_ptr_nonnull(fault("Fulana.Silva9!"));
    ck_assert_ptr_null(account_password_fault("xK9#mQ2$vL7@", 12, NULL));
}
END_TEST

START_TEST(length_is_counted_in_characters)
{
    char s[ACCOUNT_PASSWORD_MAX * 4 + 8];
    size_t n = 0;
    for (unsigned i = 0; i < ACCOUNT_PASSWORD_MAX; i++, n += 4) /* Thue and Morse: no repetition */
        memcpy(s + n, __builtin_popcount(i) % 2 ? "\xf0\x9f\x98\x80" : "\xf0\x9f\x9a\x82", 4);
    s[n] = '\0';
    ck_assert_ptr_null(fault(s));
    memcpy(s + n, "x", 2);
    ck_assert_ptr_nonnull(fault(s));
    ck_assert_ptr_nonnull(fault("xK9#mQ2$vL7")); /* 11 */
    ck_assert_ptr_nonnull(fault("\xc3\xa1\xc3\xa9\xc3\xad\xc3\xb3\xc3\xbaxk9"));
}
END_TEST

START_TEST(control_characters_and_broken_utf8_are_refused)
{
    ck_assert_ptr_nonnull(fault("xK9#mQ2$vL7\n@"));
    ck_assert_ptr_nonnull(fault("xK9#mQ2$vL7\xff@@"));
    ck_assert_ptr_nonnull(account_password_fault("xK9#mQ\0$vL7@abc", 15, NULL));
}
END_TEST

Suite *suite_account(void)
{
    Suite *s = suite_create("account");
    TCase *c = tcase_create("account");
    tcase_add_test(c, roles_have_their_names_and_no_others);
    tcase_add_test(c, addresses_as_people_have_them_are_taken);
    tcase_add_test(c, what_is_no_address_is_refused);
    tcase_add_test(c, parts_of_an_address_have_their_lengths);
    tcase_add_test(c, case_is_folded_in_ascii_alone);
    tcase_add_test(c, passwords_that_nobody_guesses_are_taken);
    tcase_add_test(c, common_ones_are_refused_however_they_are_trimmed);
    tcase_add_test(c, repetitions_and_walks_are_refused);
    tcase_add_test(c, the_address_is_no_password);
    tcase_add_test(c, length_is_counted_in_characters);
    tcase_add_test(c, control_characters_and_broken_utf8_are_refused);
    suite_add_tcase(s, c);
    return s;
}
