/* Unit tests of config's secrets: never told, and read from the file that X_FILE names. */
#include <check.h>
#include <string.h>

#include "config.h"
#include "env.h"

Suite *suite_config_secrets(void);

START_TEST(test_secrets_are_told_by_their_length_only)
{
    env_wrong("META_APP_SECRET", "ab,",
              "alicerce: META_APP_SECRET: got a value of 3 characters, want one secret, or two "
              "separated by a comma\n");
    env_wrong("META_APP_SECRET", ",",
              "alicerce: META_APP_SECRET: got a value of 1 character, want one secret, or two "
              "separated by a comma\n");
    env_wrong_unsaid("META_APP_SECRET", ",topsecret");
    env_wrong_unsaid("META_APP_SECRET", "a1,b2,c3");
    env_wrong_unsaid("META_APP_SECRET", "a1,,b2");
}
END_TEST

START_TEST(test_an_access_token_has_no_spaces_and_is_never_told)
{
    static const char *const bad[] = {"EAAB xyz", "EAABxyz\n", "EAABxyz\r", "EAAB\xc3\xa9xyz"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        env_set("META_ACCESS_TOKEN", bad[i]);
        ck_assert_ptr_null(env_load(CONFIG_WORKER));
        ck_assert_ptr_nonnull(strstr(env_said, "alicerce: META_ACCESS_TOKEN: got a value of "));
        ck_assert_ptr_null(strstr(env_said, "EAAB"));
    }
    env_set("META_ACCESS_TOKEN", "EAAB|x/y+z=");
    ck_assert_str_eq(env_load(CONFIG_WORKER)->meta_access_token, "EAAB|x/y+z=");
}
END_TEST

/* X_FILE */

START_TEST(test_a_secret_comes_from_its_file_without_one_newline)
{
    env_set("META_APP_SECRET_FILE", env_file("one,two\n", 8));
    ck_assert_msg(env_load(CONFIG_API) != NULL, "%s", env_said);
    ck_assert_str_eq(env_config->meta_app_secret, "one,two");
    env_release();
    env_set("META_APP_SECRET_FILE", env_file("one\n\n", 5));
    ck_assert_msg(env_load(CONFIG_API) != NULL, "%s", env_said);
    ck_assert_str_eq(env_config->meta_app_secret, "one\n");
}
END_TEST

START_TEST(test_every_secret_and_url_may_come_from_a_file)
{
    static const char *const names[] = {"DATABASE_URL_FILE", "REDIS_URL_FILE",
                                        "REDIS_PASSWORD_FILE", "META_APP_SECRET_FILE",
                                        "META_VERIFY_TOKEN_FILE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        env_clear();
        env_set(names[i], "/nonexistent/x");
        ck_assert_msg(env_load(CONFIG_API) == NULL, "%s", names[i]);
        ck_assert_ptr_nonnull(strstr(env_said, names[i]));
    }
    env_clear();
    env_set("PORT_FILE", "/nonexistent/x"); /* not one of them */
    ck_assert_ptr_nonnull(env_load(CONFIG_API));
}
END_TEST

START_TEST(test_a_variable_and_its_file_are_too_much)
{
    env_set("REDIS_PASSWORD", "topsecret");
    env_set("REDIS_PASSWORD_FILE", "/nonexistent/x");
    ck_assert_ptr_null(env_load(CONFIG_API));
    ck_assert_str_eq(env_said, "alicerce: REDIS_PASSWORD: got both REDIS_PASSWORD and "
                               "REDIS_PASSWORD_FILE, want only one of them\n");
}
END_TEST

static void assert_file_wrong(const char *path, const char *why)
{
    env_set("META_VERIFY_TOKEN_FILE", path);
    ck_assert_ptr_null(env_load(CONFIG_API));
    ck_assert_ptr_eq(strstr(env_said, "alicerce: META_VERIFY_TOKEN_FILE: got \"/"), env_said);
    ck_assert_msg(strstr(env_said, why) != NULL, "%s, want %s", env_said, why);
    ck_assert_ptr_null(strstr(env_said, "topsecret"));
}

START_TEST(test_a_file_that_is_no_good_is_told_by_its_name)
{
    assert_file_wrong("/nonexistent/x", "No such file");
    assert_file_wrong("/tmp", "Is a directory");
    assert_file_wrong("/dev/zero", "longer than 16 KiB");
    assert_file_wrong("/dev/null", "empty");
    assert_file_wrong(env_file("\n", 1), "empty");
    env_release();
    assert_file_wrong(env_file("topsecret\0x", 11), "NUL");
}
END_TEST

START_TEST(test_a_file_of_exactly_16_kib_is_taken)
{
    static char data[16 * 1024 + 2];
    memset(data, 'x', sizeof data);
    data[16 * 1024] = '\n';
    env_set("META_VERIFY_TOKEN_FILE", env_file(data, 16 * 1024 + 1));
    ck_assert_msg(env_load(CONFIG_API) != NULL, "%s", env_said);
    ck_assert_uint_eq(strlen(env_config->meta_verify_token), 16 * 1024);
    env_release();
    data[16 * 1024] = 'x';
    assert_file_wrong(env_file(data, 16 * 1024 + 1), "longer than 16 KiB");
    env_release();
    data[16 * 1024 + 1] = '\n';
    assert_file_wrong(env_file(data, 16 * 1024 + 2), "longer than 16 KiB");
}
END_TEST

START_TEST(test_a_wrong_secret_from_a_file_is_not_told)
{
    env_set("META_APP_SECRET_FILE", env_file("topsecret,", 10));
    ck_assert_ptr_null(env_load(CONFIG_API));
    ck_assert_ptr_nonnull(strstr(env_said, "META_APP_SECRET: got a value of 10 characters"));
    ck_assert_ptr_null(strstr(env_said, "topsecret"));
}
END_TEST

Suite *suite_config_secrets(void)
{
    Suite *s = suite_create("config_secrets");
    TCase *tc = env_case(s, "told");
    tcase_add_test(tc, test_secrets_are_told_by_their_length_only);
    tcase_add_test(tc, test_an_access_token_has_no_spaces_and_is_never_told);
    tc = env_case(s, "files");
    tcase_add_test(tc, test_a_secret_comes_from_its_file_without_one_newline);
    tcase_add_test(tc, test_every_secret_and_url_may_come_from_a_file);
    tcase_add_test(tc, test_a_variable_and_its_file_are_too_much);
    tcase_add_test(tc, test_a_file_that_is_no_good_is_told_by_its_name);
    tcase_add_test(tc, test_a_file_of_exactly_16_kib_is_taken);
    tcase_add_test(tc, test_a_wrong_secret_from_a_file_is_not_told);
    return s;
}
