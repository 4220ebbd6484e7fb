/* Unit tests of config and its table: values, errors, accounts, --help. */
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "env.h"
#include "text.h"

Suite *suite_config(void);

/* values */

START_TEST(test_defaults_are_those_of_the_contract)
{
    env_load(CONFIG_API);
    ck_assert_str_eq(env_config->database_url,
                     "postgresql://alicerce:alicerce@localhost:5432/alicerce");
    ck_assert_str_eq(env_config->redis_host, "localhost");
    ck_assert_int_eq(env_config->redis_port, 6379);
    ck_assert_ptr_null(env_config->redis_user);
    ck_assert_ptr_null(env_config->redis_password);
    ck_assert_int_eq(env_config->redis_db, 0);
    ck_assert_int_eq(env_config->log_level, LOG_INFO);
    ck_assert_int_eq(env_config->log_format, LOG_JSON);
    ck_assert_str_eq(env_config->host, "0.0.0.0");
    ck_assert_int_eq(env_config->port, 3000);
    ck_assert_int_eq(env_config->posts_cache_ttl, 60);
    ck_assert_ptr_null(env_config->meta_app_secret);
    ck_assert_ptr_null(env_config->meta_verify_token);
    ck_assert_int_eq(env_config->request_timeout_ms, 5000);
    ck_assert_str_eq(env_config->frontend_url, "http://localhost");
}
END_TEST

START_TEST(test_every_variable_reaches_its_field)
{
    env_set("DATABASE_URL", "postgres://u:p@a:5432,b:5433/db?target_session_attrs=read-write");
    env_set("REDIS_HOST", "redis_1.interno");
    env_set("REDIS_PORT", "7000");
    env_set("REDIS_PASSWORD", "s3nha");
    env_set("LOG_LEVEL", "error");
    env_set("LOG_FORMAT", "text");
    env_set("HOST", "::1");
    env_set("PORT", "65535");
    env_set("THREADS", "64");
    env_set("POSTS_CACHE_TTL", "1");
    env_set("META_APP_SECRET", "one,two");
    env_set("META_VERIFY_TOKEN", "tok");
    env_set("REQUEST_TIMEOUT_MS", "100");
    env_set("FRONTEND_URL", "https://painel.example:8443/");
    ck_assert_msg(env_load(CONFIG_API) != NULL, "%s", env_said);
    ck_assert_str_eq(env_config->database_url,
                     "postgres://u:p@a:5432,b:5433/db?target_session_attrs=read-write");
    ck_assert_str_eq(env_config->redis_host, "redis_1.interno");
    ck_assert_int_eq(env_config->redis_port, 7000);
    ck_assert_str_eq(env_config->redis_password, "s3nha");
    ck_assert_int_eq(env_config->log_level, LOG_ERROR);
    ck_assert_int_eq(env_config->log_format, LOG_TEXT);
    ck_assert_str_eq(env_config->host, "::1");
    ck_assert_int_eq(env_config->port, 65535);
    ck_assert_int_eq(env_config->threads, 64);
    ck_assert_int_eq(env_config->posts_cache_ttl, 1);
    ck_assert_str_eq(env_config->meta_app_secret, "one,two");
    ck_assert_str_eq(env_config->meta_verify_token, "tok");
    ck_assert_int_eq(env_config->request_timeout_ms, 100);
    ck_assert_str_eq(env_config->frontend_url, "https://painel.example:8443");
}
END_TEST

START_TEST(test_an_empty_value_counts_as_not_set)
{
    env_set("PORT", "");
    env_set("META_APP_SECRET", "");
    env_set("META_APP_SECRET_FILE", "");
    env_set("REDIS_URL", "");
    ck_assert_msg(env_load(CONFIG_API) != NULL, "%s", env_said);
    ck_assert_int_eq(env_config->port, 3000);
    ck_assert_ptr_null(env_config->meta_app_secret);
    ck_assert_str_eq(env_config->redis_host, "localhost");
}
END_TEST

START_TEST(test_threads_are_the_cores_that_may_be_used)
{
    cpu_set_t one;
    env_load(CONFIG_API);
    ck_assert_int_ge(env_config->threads, 1);
    ck_assert_int_le(env_config->threads, sysconf(_SC_NPROCESSORS_ONLN));
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    env_load(CONFIG_API);
    ck_assert_int_eq(env_config->threads, 1);
}
END_TEST

START_TEST(test_the_worker_neither_reads_nor_checks_what_is_the_apis)
{
    env_set("PORT", "abc");
    env_set("FRONTEND_URL", ",");
    env_set("LOG_LEVEL", "warn");
    env_set("NOBODY_KNOWS_THIS", "x");
    ck_assert_msg(env_load(CONFIG_WORKER) != NULL, "%s", env_said);
    ck_assert_int_eq(env_config->log_level, LOG_WARN);
    ck_assert_ptr_null(env_config->host);
    ck_assert_ptr_null(env_config->frontend_url);
    ck_assert_ptr_nonnull(env_config->database_url);
    ck_assert_ptr_null(env_load(CONFIG_API));
}
END_TEST

/* errors */

START_TEST(test_a_wrong_value_is_told_with_what_is_wanted)
{
    env_wrong("REQUEST_TIMEOUT_MS", "abc",
              "alicerce: REQUEST_TIMEOUT_MS: got \"abc\", want an integer from 100 to 60000\n");
    env_wrong("REQUEST_TIMEOUT_MS", "99",
              "alicerce: REQUEST_TIMEOUT_MS: got \"99\", want an integer from 100 to 60000\n");
    env_wrong("PORT", "65536", "alicerce: PORT: got \"65536\", want an integer from 1 to 65535\n");
    env_wrong("THREADS", "0", "alicerce: THREADS: got \"0\", want an integer from 1 to 64\n");
    env_wrong("LOG_LEVEL", "warning",
              "alicerce: LOG_LEVEL: got \"warning\", want one of debug|info|warn|error\n");
    env_wrong("LOG_LEVEL", "debug|info",
              "alicerce: LOG_LEVEL: got \"debug|info\", want one of debug|info|warn|error\n");
    env_wrong("HOST", "localhost",
              "alicerce: HOST: got \"localhost\", want an IPv4 or IPv6 address\n");
    env_wrong("HOST", "1.2.3", "alicerce: HOST: got \"1.2.3\", want an IPv4 or IPv6 address\n");
    env_wrong("REDIS_HOST", "a:6379",
              "alicerce: REDIS_HOST: got \"a:6379\", want a host name or an IP address\n");
}
END_TEST

START_TEST(test_a_shown_value_stays_on_one_line_and_is_cut)
{
    char value[200];
    env_wrong("PORT", "1\n2\x1b[",
              "alicerce: PORT: got \"1?2?[\", want an integer from 1 to "
              "65535\n");
    env_wrong("PORT", "\xff", "alicerce: PORT: got \"?\", want an integer from 1 to 65535\n");
    memset(value, '1', 79);
    strcpy(value + 79, "ééé"); /* the cut falls into an 'é' */
    env_clear();
    env_set("PORT", value);
    ck_assert_ptr_null(env_load(CONFIG_API));
    ck_assert_ptr_nonnull(strstr(env_said, "1é...\","));
    ck_assert(text_utf8(env_said, strlen(env_said), NULL));
}
END_TEST

/* accounts */

START_TEST(test_accounts_are_off_and_open_by_default)
{
    ck_assert_ptr_nonnull(env_load(CONFIG_API));
    ck_assert_ptr_null(env_config->jwt_secret);
    ck_assert_ptr_null(env_config->admin_email);
    ck_assert_ptr_null(env_config->admin_password);
    ck_assert_int_eq(env_config->posts_write, POSTS_WRITE_OPEN);
    ck_assert_int_eq(env_config->rate_limit, 0);
    ck_assert_str_eq(env_config->trusted_proxies, "127.0.0.0/8,::1");
}
END_TEST

START_TEST(test_accounts_are_set_by_the_environment)
{
    env_set("JWT_SECRET", "12345678901234567890123456789012,abcdefghijklmnopqrstuvwxyzabcdef");
    env_set("POSTS_WRITE", "token");
    env_set("ADMIN_EMAIL", "ana@exemplo.com.br");
    env_set("ADMIN_PASSWORD_FILE", env_file("um cavalo anda em L\n", 20));
    env_set("TRUSTED_PROXIES", "10.0.0.0/8");
    env_set("RATE_LIMIT", "600");
    ck_assert_ptr_nonnull(env_load(CONFIG_API));
    ck_assert_str_eq(env_config->admin_password, "um cavalo anda em L");
    ck_assert_int_eq(env_config->posts_write, POSTS_WRITE_TOKEN);
    ck_assert_int_eq(env_config->rate_limit, 600);
}
END_TEST

START_TEST(test_weak_secrets_and_first_accounts_are_refused)
{
    env_wrong_unsaid("JWT_SECRET", "1234567890123456789012345678901");
    env_wrong_unsaid("JWT_SECRET", "12345678901234567890123456789012,curta");
    env_wrong_unsaid("JWT_SECRET", "12345678901234567890123456789012,");
    env_wrong_unsaid("ADMIN_PASSWORD", "um cavalo anda em L"); /* without ADMIN_EMAIL */
    env_wrong("ADMIN_EMAIL", "ana", "alicerce: ADMIN_EMAIL: got \"ana\", want an e-mail address\n");
    env_clear();
    env_set("ADMIN_EMAIL", "ana@exemplo.com.br");
    env_set("ADMIN_PASSWORD", "ana@exemplo.com.br");
    ck_assert_ptr_null(env_load(CONFIG_API));
}
END_TEST

/* --help */

/* Column at which `text` begins in its line of `table`; it must stand there. */
static size_t column_of(const char *table, const char *text)
{
    const char *at = strstr(table, text), *line = at;
    ck_assert_msg(at != NULL, "no %s in %s", text, table);
    while (line > table && line[-1] != '\n')
        line--;
    return (size_t)(at - line);
}

START_TEST(test_the_table_is_aligned_and_each_program_sees_its_rows)
{
    char table[8192] = "", small[8192] = "";
    FILE *out = fmemopen(table, sizeof table, "w");
    config_print(CONFIG_API, out);
    fclose(out);
    out = fmemopen(small, sizeof small, "w");
    config_print(CONFIG_WORKER, out);
    fclose(out);
    ck_assert_uint_eq(column_of(table, "3000"), column_of(table, "postgresql://alicerce"));
    ck_assert_uint_eq(column_of(table, "event loops (1 to 64)"),
                      column_of(table, "PostgreSQL, as libpq"));
    ck_assert_uint_eq(column_of(table, "META_APP_SECRET"), column_of(table, "THREADS"));
    ck_assert_ptr_nonnull(strstr(table, "(debug|info|warn|error)\n"));
    ck_assert_ptr_nonnull(strstr(small, "REDIS_URL"));
    ck_assert_ptr_null(strstr(small, "THREADS"));
    ck_assert_ptr_null(strstr(small, "META_VERIFY_TOKEN"));
    ck_assert_ptr_nonnull(strstr(small, "META_APP_SECRET"));
    ck_assert_ptr_nonnull(strstr(small, "META_ACCESS_TOKEN"));
    ck_assert_ptr_null(strstr(table, "META_ACCESS_TOKEN"));
}
END_TEST

Suite *suite_config(void)
{
    Suite *s = suite_create("config");
    TCase *tc = env_case(s, "values");
    tcase_add_test(tc, test_defaults_are_those_of_the_contract);
    tcase_add_test(tc, test_every_variable_reaches_its_field);
    tcase_add_test(tc, test_an_empty_value_counts_as_not_set);
    tcase_add_test(tc, test_threads_are_the_cores_that_may_be_used);
    tcase_add_test(tc, test_the_worker_neither_reads_nor_checks_what_is_the_apis);
    tcase_add_test(tc, test_the_table_is_aligned_and_each_program_sees_its_rows);
    tc = env_case(s, "errors");
    tcase_add_test(tc, test_a_wrong_value_is_told_with_what_is_wanted);
    tcase_add_test(tc, test_a_shown_value_stays_on_one_line_and_is_cut);
    tc = env_case(s, "accounts");
    tcase_add_test(tc, test_accounts_are_off_and_open_by_default);
    tcase_add_test(tc, test_accounts_are_set_by_the_environment);
    tcase_add_test(tc, test_weak_secrets_and_first_accounts_are_refused);
    return s;
}
