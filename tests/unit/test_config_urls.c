/* Unit tests of config's variables that are URLs. Their passwords are never told. */
#include <check.h>
#include <string.h>

#include "config.h"
#include "env.h"

Suite *suite_config_urls(void);

START_TEST(test_a_wrong_database_url_does_not_leak_its_password)
{
    static const char *const rows[] = {
        "mysql://u:topsecret@h/db",
        "host=localhost password=topsecret",
        "postgresql://u:topsecret%zz@h/db", /* libpq's own message repeats this one */
        "postgresql://u:topsecret@h/db?nonsense=1",
        "postgresql://u:topsecret@h:99999/db",
        "postgresql://u:topsecret@h:abc/db",
        "postgresql://u:topsecret@a:5432,b:0/db",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        env_wrong_unsaid("DATABASE_URL", rows[i]);
        ck_assert_msg(strstr(env_said, "topsecret") == NULL, "%s", env_said);
    }
}
END_TEST

START_TEST(test_database_urls_that_libpq_reads_are_taken)
{
    static const char *const rows[] = {
        "postgresql://",
        "postgresql:///db",
        "postgres://h",
        "postgresql://u:p%40@[::1]:5433/db",
        "postgresql://a,b:5433/db",
        "postgresql:///db?host=/var/run/postgresql",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        env_set("DATABASE_URL", rows[i]);
        ck_assert_msg(env_load(CONFIG_WORKER) != NULL, "%s", env_said);
        ck_assert_str_eq(env_config->database_url, rows[i]);
    }
}
END_TEST

static void assert_refused(const char *name, const char *value, enum config_program program)
{
    char start[64];
    snprintf(start, sizeof start, "alicerce: %s: got \"", name);
    env_set(name, value);
    ck_assert_msg(env_load(program) == NULL, "%s", value);
    ck_assert_ptr_nonnull(strstr(env_said, start));
}

static const struct config *taken(const char *name, const char *value, enum config_program program)
{
    env_set(name, value);
    ck_assert_msg(env_load(program) != NULL, "%s", env_said);
    return env_config;
}

START_TEST(test_only_an_origin_is_a_frontend_url)
{
    static const char *const bad[] = {
        "localhost",  "ftp://h",     "http://",    "http:///",   "http://h/a",     "http://h//",
        "http://u@h", "http://h?x",  "http://h#x", "http://h:0", "http://h:99999", "http://h:",
        "http://::1", "http://[::1", "http://[h]", "http://a b", "HTTP://h",       "*",
    };
    static const char *const good[] = {
        "http://h",
        "https://a.b-c.example",
        "http://127.0.0.1:8080",
        "https://[::1]:8443",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused("FRONTEND_URL", bad[i], CONFIG_API);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_str_eq(taken("FRONTEND_URL", good[i], CONFIG_API)->frontend_url, good[i]);
}
END_TEST

START_TEST(test_graph_is_a_url_of_host_port_and_path)
{
    static const char *const bad[] = {
        "graph.facebook.com", "ftp://h",     "http://",     "http:///",
        "http:///v1",         "http://u@h/", "http://h?x",  "http://h#x",
        "http://h:0",         "http://a b",  "http://h//",  "http://h/a//b",
        "http://h/a?b",       "http://h/%",  "http://h/..", "http://h/\n",
    };
    static const char *const good[] = {
        "https://graph.facebook.com/v25.0",
        "http://127.0.0.1:8080/v25.0",
        "https://[::1]:8443/gateway/meta_1/~x",
        "http://h",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused("GRAPH_URL", bad[i], CONFIG_WORKER);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_str_eq(taken("GRAPH_URL", good[i], CONFIG_WORKER)->graph_url, good[i]);
    env_set("GRAPH_URL", "https://graph.facebook.com/v25.0/");
    ck_assert_str_eq(env_load(CONFIG_WORKER)->graph_url, "https://graph.facebook.com/v25.0");
}
END_TEST

/* REDIS_URL */

static void assert_redis(const char *url, const char *host, int64_t port, const char *user,
                         const char *password, int64_t db)
{
    env_set("REDIS_URL", url);
    ck_assert_msg(env_load(CONFIG_WORKER) != NULL, "%s: %s", url, env_said);
    ck_assert_str_eq(env_config->redis_host, host);
    ck_assert_int_eq(env_config->redis_port, port);
    ck_assert_pstr_eq(env_config->redis_user, user);
    ck_assert_pstr_eq(env_config->redis_password, password);
    ck_assert_int_eq(env_config->redis_db, db);
}

START_TEST(test_redis_url_has_all_its_parts)
{
    assert_redis("redis://h", "h", 6379, NULL, NULL, 0);
    assert_redis("redis://h/", "h", 6379, NULL, NULL, 0);
    assert_redis("redis://h:7000/15", "h", 7000, NULL, NULL, 15);
    assert_redis("redis://:pw@h", "h", 6379, NULL, "pw", 0);
    assert_redis("redis://u:pw@h:7000/2", "h", 7000, "u", "pw", 2);
    assert_redis("redis://u@h", "h", 6379, "u", NULL, 0);
    assert_redis("redis://u:@h", "h", 6379, "u", NULL, 0);
    assert_redis("redis://[::1]:7000/1", "::1", 7000, NULL, NULL, 1);
    assert_redis("redis://[fe80::1]", "fe80::1", 6379, NULL, NULL, 0);
}
END_TEST

START_TEST(test_redis_url_is_percent_decoded)
{
    assert_redis("redis://a%40b:p%3A%2F%40%25+@h", "h", 6379, "a@b", "p:/@%+", 0);
    assert_redis("redis://:a:b@c@h", "h", 6379, NULL, "a:b@c", 0); /* not escaped, yet plain */
}
END_TEST

START_TEST(test_redis_url_wins_over_the_three)
{
    env_set("REDIS_HOST", "other");
    env_set("REDIS_PORT", "1");
    env_set("REDIS_PASSWORD", "other");
    assert_redis("redis://h", "h", 6379, NULL, NULL, 0);
}
END_TEST

START_TEST(test_a_wrong_redis_url_is_refused_unsaid)
{
    static const char *const rows[] = {
        "h:6379",
        "http://h",
        "redis:///",
        "redis:///0",
        "redis://:topsecret@",
        "redis://h:0",
        "redis://h:",
        "redis://h:65536",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/0/1",
        "redis://h?db=1",
        "redis://h/0?x",
        "redis://:topsecret%zz@h",
        "redis://:%00@h",
        "redis://::1",
        "redis://[::1",
        "redis://[::1]x",
        "redis://[h]",
        "redis://a b",
        "redis://h/99999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        env_wrong_unsaid("REDIS_URL", rows[i]);
        ck_assert_msg(strstr(env_said, "topsecret") == NULL, "%s", env_said);
    }
}
END_TEST

START_TEST(test_tls_to_redis_is_refused_by_name)
{
    env_wrong_unsaid("REDIS_URL", "rediss://:topsecret@h");
    ck_assert_ptr_nonnull(strstr(env_said, "TLS"));
    ck_assert_ptr_nonnull(strstr(env_said, "not supported"));
}
END_TEST

Suite *suite_config_urls(void)
{
    Suite *s = suite_create("config_urls");
    TCase *tc = env_case(s, "urls");
    tcase_add_test(tc, test_a_wrong_database_url_does_not_leak_its_password);
    tcase_add_test(tc, test_database_urls_that_libpq_reads_are_taken);
    tcase_add_test(tc, test_only_an_origin_is_a_frontend_url);
    tcase_add_test(tc, test_graph_is_a_url_of_host_port_and_path);
    tc = env_case(s, "redis_url");
    tcase_add_test(tc, test_redis_url_has_all_its_parts);
    tcase_add_test(tc, test_redis_url_is_percent_decoded);
    tcase_add_test(tc, test_redis_url_wins_over_the_three);
    tcase_add_test(tc, test_a_wrong_redis_url_is_refused_unsaid);
    tcase_add_test(tc, test_tls_to_redis_is_refused_by_name);
    return s;
}
