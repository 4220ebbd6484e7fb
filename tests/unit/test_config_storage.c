/* Unit tests of config's rows for the store of files. */
#include <check.h>
#include <string.h>

#include "config.h"
#include "env.h"

Suite *suite_config_storage(void);

static struct config *load(const char *url, const char *access, const char *secret,
                           const char *region)
{
    env_set("STORAGE_URL", url);
    env_set("STORAGE_ACCESS_KEY", access);
    env_set("STORAGE_SECRET_KEY", secret);
    env_set("STORAGE_REGION", region);
    return env_load(CONFIG_API);
}

START_TEST(test_without_a_url_files_lie_in_the_folder)
{
    ck_assert_ptr_nonnull(load("", "", "", ""));
    ck_assert_ptr_null(env_config->storage_url);
    ck_assert_str_eq(env_config->storage_region, "us-east-1");
    ck_assert_str_eq(env_config->storage_dir, "/var/lib/alicerce/arquivos");
    ck_assert_ptr_nonnull(load("", "chave", "segredo", "")); /* keys alone do nothing */
    ck_assert_ptr_null(env_config->storage_url);
}
END_TEST

START_TEST(test_a_bucket_is_a_host_perhaps_a_port_and_a_path)
{
    static const char *const good[] = {
        "https://s3.sa-east-1.amazonaws.com/balde",
        "https://balde.s3.sa-east-1.amazonaws.com",
        "http://minio:9000/balde/alicerce/v1",
        "http://[fd00::1]:9000/balde",
        "https://conta.r2.cloudflarestorage.com/balde_1~.x",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(load(good[i], "chave", "se/gre+do=", "auto") != NULL, "%s", env_said);
        ck_assert_str_eq(env_config->storage_url, good[i]);
        ck_assert_str_eq(env_config->storage_access_key, "chave");
        ck_assert_str_eq(env_config->storage_secret_key, "se/gre+do=");
        ck_assert_str_eq(env_config->storage_region, "auto");
    }
    ck_assert_str_eq(load("https://s3.test/balde/", "a", "b", "")->storage_url,
                     "https://s3.test/balde");
}
END_TEST

START_TEST(test_another_url_is_refused_and_not_told)
{
    char longest[600] = "https://s3.test/";
    memset(longest + strlen(longest), 'a', 520);
    const char *const bad[] = {"s3://balde",
                               "balde",
                               "ftp://s3.test/balde",
                               "https://chave:segredo@s3.test/balde",
                               "https://s3.test/b%",
                               "https://s3.test/balde?region=x",
                               "https:///balde",
                               "https://s3.test/balde#x",
                               "https://s3.test:0/b",
                               "https://s3.test/../b",
                               "https://s3.test/a b",
                               "https://s3.test/a%20b",
                               "https://s3.test//b",
                               "https://s3.test/b\n",
                               "https://s3.test/\xc3\xa9",
                               longest};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(load(bad[i], "chave", "segredo", "") == NULL, "%s", bad[i]);
        ck_assert_msg(strncmp(env_said, "alicerce: STORAGE_URL: got a value of ", 38) == 0, "%s",
                      env_said);
        ck_assert_msg(strstr(env_said, bad[i]) == NULL && strstr(env_said, "segredo") == NULL, "%s",
                      env_said);
        ck_assert_ptr_eq(strchr(env_said, '\n'), env_said + strlen(env_said) - 1);
    }
}
END_TEST

START_TEST(test_both_keys_go_with_a_url)
{
    static const char want[] = "alicerce: STORAGE_URL: got a value of 21 characters, want "
                               "STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY to be set, too\n";
    ck_assert_ptr_null(load("https://s3.test/balde", "", "segredo", ""));
    ck_assert_str_eq(env_said, want);
    ck_assert_ptr_null(load("https://s3.test/balde", "chave", "", ""));
    ck_assert_str_eq(env_said, want);
}
END_TEST

START_TEST(test_a_key_has_no_spaces_and_a_region_is_a_word)
{
    ck_assert_ptr_null(load("https://s3.test/balde", "chave", "seg redo", ""));
    ck_assert_ptr_nonnull(
        strstr(env_said, "alicerce: STORAGE_SECRET_KEY: got a value of 8 characters"));
    static const char *const bad[] = {"sa east", "sa:east", "a/b", "sa.east",
                                      "abcdefghijklmnopqrstuvwxyzabcdefg"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(load("https://s3.test/balde", "a", "b", bad[i]) == NULL, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(env_said, "alicerce: STORAGE_REGION: got \""));
    }
}
END_TEST

Suite *suite_config_storage(void)
{
    Suite *s = suite_create("config_storage");
    TCase *t = env_case(s, "config_storage");
    tcase_add_test(t, test_without_a_url_files_lie_in_the_folder);
    tcase_add_test(t, test_a_bucket_is_a_host_perhaps_a_port_and_a_path);
    tcase_add_test(t, test_another_url_is_refused_and_not_told);
    tcase_add_test(t, test_both_keys_go_with_a_url);
    tcase_add_test(t, test_a_key_has_no_spaces_and_a_region_is_a_word);
    return s;
}
