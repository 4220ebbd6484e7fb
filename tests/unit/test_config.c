/* Unit tests of config and config_check. Each test starts from an environment without our names. */
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "text.h"

Suite *suite_config(void);

static struct config *c;
static char said[4096];         /* what config_load printed */
static char file_path[64] = ""; /* what write_file made */

static void clear(void)
{
    clearenv();
    c = NULL;
}

static void release(void)
{
    config_free(c);
    c = NULL;
    if (*file_path)
        unlink(file_path);
    *file_path = '\0';
}

static struct config *load(enum config_program program)
{
    memset(said, 0, sizeof said);
    FILE *err = fmemopen(said, sizeof said - 1, "w");
    config_free(c);
    c = config_load(program, err);
    fclose(err);
    ck_assert_msg((c == NULL) == (*said != '\0'), "a line exactly when it fails: %s", said);
    return c;
}

static void set(const char *name, const char *value)
{
    setenv(name, value, 1);
}

static const char *write_file(const void *data, size_t len)
{
    strcpy(file_path, "/tmp/alicerce-config-XXXXXX");
    int fd = mkstemp(file_path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
    return file_path;
}

/* Loads with name=value, which must fail with exactly `line`. */
static void assert_wrong(const char *name, const char *value, const char *line)
{
    clear();
    set(name, value);
    ck_assert_msg(load(CONFIG_API) == NULL, "%s=%s was taken", name, value);
    ck_assert_str_eq(said, line);
}

/* The same where only the variable's name matters, and that the value is not told. */
static void assert_wrong_unsaid(const char *name, const char *value)
{
    char start[64];
    clear();
    set(name, value);
    ck_assert_msg(load(CONFIG_API) == NULL, "%s=%s was taken", name, value);
    snprintf(start, sizeof start, "alicerce: %s: got a value of ", name);
    ck_assert_msg(strncmp(said, start, strlen(start)) == 0, "%s", said);
    ck_assert_msg(strstr(said, value) == NULL, "%s", said);
    ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}

/* values */

START_TEST(test_defaults_are_those_of_the_contract)
{
    load(CONFIG_API);
    ck_assert_str_eq(c->database_url, "postgresql://alicerce:alicerce@localhost:5432/alicerce");
    ck_assert_str_eq(c->redis_host, "localhost");
    ck_assert_int_eq(c->redis_port, 6379);
    ck_assert_ptr_null(c->redis_user);
    ck_assert_ptr_null(c->redis_password);
    ck_assert_int_eq(c->redis_db, 0);
    ck_assert_int_eq(c->log_level, LOG_INFO);
    ck_assert_int_eq(c->log_format, LOG_JSON);
    ck_assert_str_eq(c->host, "0.0.0.0");
    ck_assert_int_eq(c->port, 3000);
    ck_assert_int_eq(c->posts_cache_ttl, 60);
    ck_assert_ptr_null(c->meta_app_secret);
    ck_assert_ptr_null(c->meta_verify_token);
    ck_assert_int_eq(c->request_timeout_ms, 5000);
    ck_assert_str_eq(c->frontend_url, "http://localhost");
}
END_TEST

START_TEST(test_every_variable_reaches_its_field)
{
    set("DATABASE_URL", "postgres://u:p@a:5432,b:5433/db?target_session_attrs=read-write");
    set("REDIS_HOST", "redis_1.interno");
    set("REDIS_PORT", "7000");
    set("REDIS_PASSWORD", "s3nha");
    set("LOG_LEVEL", "error");
    set("LOG_FORMAT", "text");
    set("HOST", "::1");
    set("PORT", "65535");
    set("THREADS", "64");
    set("POSTS_CACHE_TTL", "1");
    set("META_APP_SECRET", "one,two");
    set("META_VERIFY_TOKEN", "tok");
    set("REQUEST_TIMEOUT_MS", "100");
    set("FRONTEND_URL", "https://painel.example:8443/");
    ck_assert_msg(load(CONFIG_API) != NULL, "%s", said);
    ck_assert_str_eq(c->database_url,
                     "postgres://u:p@a:5432,b:5433/db?target_session_attrs=read-write");
    ck_assert_str_eq(c->redis_host, "redis_1.interno");
    ck_assert_int_eq(c->redis_port, 7000);
    ck_assert_str_eq(c->redis_password, "s3nha");
    ck_assert_int_eq(c->log_level, LOG_ERROR);
    ck_assert_int_eq(c->log_format, LOG_TEXT);
    ck_assert_str_eq(c->host, "::1");
    ck_assert_int_eq(c->port, 65535);
    ck_assert_int_eq(c->threads, 64);
    ck_assert_int_eq(c->posts_cache_ttl, 1);
    ck_assert_str_eq(c->meta_app_secret, "one,two");
    ck_assert_str_eq(c->meta_verify_token, "tok");
    ck_assert_int_eq(c->request_timeout_ms, 100);
    ck_assert_str_eq(c->frontend_url, "https://painel.example:8443");
}
END_TEST

START_TEST(test_an_empty_value_counts_as_not_set)
{
    set("PORT", "");
    set("META_APP_SECRET", "");
    set("META_APP_SECRET_FILE", "");
    set("REDIS_URL", "");
    ck_assert_msg(load(CONFIG_API) != NULL, "%s", said);
    ck_assert_int_eq(c->port, 3000);
    ck_assert_ptr_null(c->meta_app_secret);
    ck_assert_str_eq(c->redis_host, "localhost");
}
END_TEST

START_TEST(test_threads_are_the_cores_that_may_be_used)
{
    cpu_set_t one;
    load(CONFIG_API);
    ck_assert_int_ge(c->threads, 1);
    ck_assert_int_le(c->threads, sysconf(_SC_NPROCESSORS_ONLN));
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    load(CONFIG_API);
    ck_assert_int_eq(c->threads, 1);
}
END_TEST

START_TEST(test_the_worker_neither_reads_nor_checks_what_is_the_apis)
{
    set("PORT", "abc");
    set("FRONTEND_URL", ",");
    set("LOG_LEVEL", "warn");
    set("NOBODY_KNOWS_THIS", "x");
    ck_assert_msg(load(CONFIG_WORKER) != NULL, "%s", said);
    ck_assert_int_eq(c->log_level, LOG_WARN);
    ck_assert_ptr_null(c->host);
    ck_assert_ptr_null(c->frontend_url);
    ck_assert_ptr_nonnull(c->database_url);
    ck_assert_ptr_null(load(CONFIG_API));
}
END_TEST

/* errors */

START_TEST(test_a_wrong_value_is_told_with_what_is_wanted)
{
    assert_wrong("REQUEST_TIMEOUT_MS", "abc",
                 "alicerce: REQUEST_TIMEOUT_MS: got \"abc\", want an integer from 100 to 60000\n");
    assert_wrong("REQUEST_TIMEOUT_MS", "99",
                 "alicerce: REQUEST_TIMEOUT_MS: got \"99\", want an integer from 100 to 60000\n");
    assert_wrong("PORT", "65536",
                 "alicerce: PORT: got \"65536\", want an integer from 1 to 65535\n");
    assert_wrong("THREADS", "0", "alicerce: THREADS: got \"0\", want an integer from 1 to 64\n");
    assert_wrong("LOG_LEVEL", "warning",
                 "alicerce: LOG_LEVEL: got \"warning\", want one of debug|info|warn|error\n");
    assert_wrong("LOG_LEVEL", "debug|info",
                 "alicerce: LOG_LEVEL: got \"debug|info\", want one of debug|info|warn|error\n");
    assert_wrong("HOST", "localhost",
                 "alicerce: HOST: got \"localhost\", want an IPv4 or IPv6 address\n");
    assert_wrong("HOST", "1.2.3", "alicerce: HOST: got \"1.2.3\", want an IPv4 or IPv6 address\n");
    assert_wrong("REDIS_HOST", "a:6379",
                 "alicerce: REDIS_HOST: got \"a:6379\", want a host name or an IP address\n");
}
END_TEST

START_TEST(test_a_shown_value_stays_on_one_line_and_is_cut)
{
    char value[200];
    assert_wrong("PORT", "1\n2\x1b[",
                 "alicerce: PORT: got \"1?2?[\", want an integer from 1 to "
                 "65535\n");
    assert_wrong("PORT", "\xff", "alicerce: PORT: got \"?\", want an integer from 1 to 65535\n");
    memset(value, '1', 79);
    strcpy(value + 79, "ééé"); /* the cut falls into an 'é' */
    clear();
    set("PORT", value);
    ck_assert_ptr_null(load(CONFIG_API));
    ck_assert_ptr_nonnull(strstr(said, "1é...\","));
    ck_assert(text_utf8(said, strlen(said), NULL));
}
END_TEST

START_TEST(test_secrets_are_told_by_their_length_only)
{
    assert_wrong("META_APP_SECRET", "ab,",
                 "alicerce: META_APP_SECRET: got a value of 3 characters, want one secret, or two "
                 "separated by a comma\n");
    assert_wrong("META_APP_SECRET", ",",
                 "alicerce: META_APP_SECRET: got a value of 1 character, want one secret, or two "
                 "separated by a comma\n");
    assert_wrong_unsaid("META_APP_SECRET", ",topsecret");
    assert_wrong_unsaid("META_APP_SECRET", "a1,b2,c3");
    assert_wrong_unsaid("META_APP_SECRET", "a1,,b2");
}
END_TEST

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
        assert_wrong_unsaid("DATABASE_URL", rows[i]);
        ck_assert_msg(strstr(said, "topsecret") == NULL, "%s", said);
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
        set("DATABASE_URL", rows[i]);
        ck_assert_msg(load(CONFIG_WORKER) != NULL, "%s", said);
        ck_assert_str_eq(c->database_url, rows[i]);
    }
}
END_TEST

START_TEST(test_accounts_are_off_and_open_by_default)
{
    ck_assert_ptr_nonnull(load(CONFIG_API));
    ck_assert_ptr_null(c->jwt_secret);
    ck_assert_ptr_null(c->admin_email);
    ck_assert_ptr_null(c->admin_password);
    ck_assert_int_eq(c->posts_write, POSTS_WRITE_OPEN);
    ck_assert_int_eq(c->rate_limit, 0);
    ck_assert_str_eq(c->trusted_proxies, "127.0.0.0/8,::1");
}
END_TEST

START_TEST(test_accounts_are_set_by_the_environment)
{
    set("JWT_SECRET", "12345678901234567890123456789012,abcdefghijklmnopqrstuvwxyzabcdef");
    set("POSTS_WRITE", "token");
    set("ADMIN_EMAIL", "ana@exemplo.com.br");
    set("ADMIN_PASSWORD_FILE", write_file("um cavalo anda em L\n", 20));
    set("TRUSTED_PROXIES", "10.0.0.0/8");
    set("RATE_LIMIT", "600");
    ck_assert_ptr_nonnull(load(CONFIG_API));
    ck_assert_str_eq(c->admin_password, "um cavalo anda em L");
    ck_assert_int_eq(c->posts_write, POSTS_WRITE_TOKEN);
    ck_assert_int_eq(c->rate_limit, 600);
}
END_TEST

START_TEST(test_weak_secrets_and_first_accounts_are_refused)
{
    assert_wrong_unsaid("JWT_SECRET", "1234567890123456789012345678901");
    assert_wrong_unsaid("JWT_SECRET", "12345678901234567890123456789012,curta");
    assert_wrong_unsaid("JWT_SECRET", "12345678901234567890123456789012,");
    assert_wrong_unsaid("ADMIN_PASSWORD", "um cavalo anda em L"); /* without ADMIN_EMAIL */
    assert_wrong("ADMIN_EMAIL", "ana",
                 "alicerce: ADMIN_EMAIL: got \"ana\", want an e-mail address\n");
    clear();
    set("ADMIN_EMAIL", "ana@exemplo.com.br");
    set("ADMIN_PASSWORD", "ana@exemplo.com.br");
    ck_assert_ptr_null(load(CONFIG_API));
}
END_TEST

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
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set("FRONTEND_URL", bad[i]);
        ck_assert_msg(load(CONFIG_API) == NULL, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(said, "alicerce: FRONTEND_URL: got \""));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        set("FRONTEND_URL", good[i]);
        ck_assert_msg(load(CONFIG_API) != NULL, "%s", said);
        ck_assert_str_eq(c->frontend_url, good[i]);
    }
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
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set("GRAPH_URL", bad[i]);
        ck_assert_msg(load(CONFIG_WORKER) == NULL, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(said, "alicerce: GRAPH_URL: got \""));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        set("GRAPH_URL", good[i]);
        ck_assert_msg(load(CONFIG_WORKER) != NULL, "%s", said);
        ck_assert_str_eq(c->graph_url, good[i]);
    }
    set("GRAPH_URL", "https://graph.facebook.com/v25.0/");
    ck_assert_str_eq(load(CONFIG_WORKER)->graph_url, "https://graph.facebook.com/v25.0");
}
END_TEST

START_TEST(test_an_access_token_has_no_spaces_and_is_never_told)
{
    static const char *const bad[] = {"EAAB xyz", "EAABxyz\n", "EAABxyz\r", "EAAB\xc3\xa9xyz"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set("META_ACCESS_TOKEN", bad[i]);
        ck_assert_ptr_null(load(CONFIG_WORKER));
        ck_assert_ptr_nonnull(strstr(said, "alicerce: META_ACCESS_TOKEN: got a value of "));
        ck_assert_ptr_null(strstr(said, "EAAB"));
    }
    set("META_ACCESS_TOKEN", "EAAB|x/y+z=");
    ck_assert_str_eq(load(CONFIG_WORKER)->meta_access_token, "EAAB|x/y+z=");
}
END_TEST

/* REDIS_URL */

static void assert_redis(const char *url, const char *host, int64_t port, const char *user,
                         const char *password, int64_t db)
{
    set("REDIS_URL", url);
    ck_assert_msg(load(CONFIG_WORKER) != NULL, "%s: %s", url, said);
    ck_assert_str_eq(c->redis_host, host);
    ck_assert_int_eq(c->redis_port, port);
    ck_assert_pstr_eq(c->redis_user, user);
    ck_assert_pstr_eq(c->redis_password, password);
    ck_assert_int_eq(c->redis_db, db);
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
    set("REDIS_HOST", "other");
    set("REDIS_PORT", "1");
    set("REDIS_PASSWORD", "other");
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
        assert_wrong_unsaid("REDIS_URL", rows[i]);
        ck_assert_msg(strstr(said, "topsecret") == NULL, "%s", said);
    }
}
END_TEST

START_TEST(test_tls_to_redis_is_refused_by_name)
{
    assert_wrong_unsaid("REDIS_URL", "rediss://:topsecret@h");
    ck_assert_ptr_nonnull(strstr(said, "TLS"));
    ck_assert_ptr_nonnull(strstr(said, "not supported"));
}
END_TEST

/* X_FILE */

START_TEST(test_a_secret_comes_from_its_file_without_one_newline)
{
    set("META_APP_SECRET_FILE", write_file("one,two\n", 8));
    ck_assert_msg(load(CONFIG_API) != NULL, "%s", said);
    ck_assert_str_eq(c->meta_app_secret, "one,two");
    release();
    set("META_APP_SECRET_FILE", write_file("one\n\n", 5));
    ck_assert_msg(load(CONFIG_API) != NULL, "%s", said);
    ck_assert_str_eq(c->meta_app_secret, "one\n");
}
END_TEST

START_TEST(test_every_secret_and_url_may_come_from_a_file)
{
    static const char *const names[] = {"DATABASE_URL_FILE", "REDIS_URL_FILE",
                                        "REDIS_PASSWORD_FILE", "META_APP_SECRET_FILE",
                                        "META_VERIFY_TOKEN_FILE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        clear();
        set(names[i], "/nonexistent/x");
        ck_assert_msg(load(CONFIG_API) == NULL, "%s", names[i]);
        ck_assert_ptr_nonnull(strstr(said, names[i]));
    }
    clear();
    set("PORT_FILE", "/nonexistent/x"); /* not one of them */
    ck_assert_ptr_nonnull(load(CONFIG_API));
}
END_TEST

START_TEST(test_a_variable_and_its_file_are_too_much)
{
    set("REDIS_PASSWORD", "topsecret");
    set("REDIS_PASSWORD_FILE", "/nonexistent/x");
    ck_assert_ptr_null(load(CONFIG_API));
    ck_assert_str_eq(said, "alicerce: REDIS_PASSWORD: got both REDIS_PASSWORD and "
                           "REDIS_PASSWORD_FILE, want only one of them\n");
}
END_TEST

static void assert_file_wrong(const char *path, const char *why)
{
    set("META_VERIFY_TOKEN_FILE", path);
    ck_assert_ptr_null(load(CONFIG_API));
    ck_assert_ptr_eq(strstr(said, "alicerce: META_VERIFY_TOKEN_FILE: got \"/"), said);
    ck_assert_msg(strstr(said, why) != NULL, "%s, want %s", said, why);
    ck_assert_ptr_null(strstr(said, "topsecret"));
}

START_TEST(test_a_file_that_is_no_good_is_told_by_its_name)
{
    assert_file_wrong("/nonexistent/x", "No such file");
    assert_file_wrong("/tmp", "Is a directory");
    assert_file_wrong("/dev/zero", "longer than 16 KiB");
    assert_file_wrong("/dev/null", "empty");
    assert_file_wrong(write_file("\n", 1), "empty");
    release();
    assert_file_wrong(write_file("topsecret\0x", 11), "NUL");
}
END_TEST

START_TEST(test_a_file_of_exactly_16_kib_is_taken)
{
    static char data[16 * 1024 + 2];
    memset(data, 'x', sizeof data);
    data[16 * 1024] = '\n';
    set("META_VERIFY_TOKEN_FILE", write_file(data, 16 * 1024 + 1));
    ck_assert_msg(load(CONFIG_API) != NULL, "%s", said);
    ck_assert_uint_eq(strlen(c->meta_verify_token), 16 * 1024);
    release();
    data[16 * 1024] = 'x';
    assert_file_wrong(write_file(data, 16 * 1024 + 1), "longer than 16 KiB");
    release();
    data[16 * 1024 + 1] = '\n';
    assert_file_wrong(write_file(data, 16 * 1024 + 2), "longer than 16 KiB");
}
END_TEST

START_TEST(test_a_wrong_secret_from_a_file_is_not_told)
{
    set("META_APP_SECRET_FILE", write_file("topsecret,", 10));
    ck_assert_ptr_null(load(CONFIG_API));
    ck_assert_ptr_nonnull(strstr(said, "META_APP_SECRET: got a value of 10 characters"));
    ck_assert_ptr_null(strstr(said, "topsecret"));
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

static TCase *new_case(Suite *s, const char *name)
{
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, clear, release);
    suite_add_tcase(s, tc);
    return tc;
}

Suite *suite_config(void)
{
    Suite *s = suite_create("config");
    TCase *tc = new_case(s, "values");
    tcase_add_test(tc, test_defaults_are_those_of_the_contract);
    tcase_add_test(tc, test_every_variable_reaches_its_field);
    tcase_add_test(tc, test_an_empty_value_counts_as_not_set);
    tcase_add_test(tc, test_threads_are_the_cores_that_may_be_used);
    tcase_add_test(tc, test_the_worker_neither_reads_nor_checks_what_is_the_apis);
    tcase_add_test(tc, test_the_table_is_aligned_and_each_program_sees_its_rows);
    tc = new_case(s, "errors");
    tcase_add_test(tc, test_a_wrong_value_is_told_with_what_is_wanted);
    tcase_add_test(tc, test_a_shown_value_stays_on_one_line_and_is_cut);
    tcase_add_test(tc, test_secrets_are_told_by_their_length_only);
    tcase_add_test(tc, test_a_wrong_database_url_does_not_leak_its_password);
    tcase_add_test(tc, test_database_urls_that_libpq_reads_are_taken);
    tcase_add_test(tc, test_only_an_origin_is_a_frontend_url);
    tcase_add_test(tc, test_graph_is_a_url_of_host_port_and_path);
    tcase_add_test(tc, test_an_access_token_has_no_spaces_and_is_never_told);
    tcase_add_test(tc, test_accounts_are_off_and_open_by_default);
    tcase_add_test(tc, test_accounts_are_set_by_the_environment);
    tcase_add_test(tc, test_weak_secrets_and_first_accounts_are_refused);
    tc = new_case(s, "redis_url");
    tcase_add_test(tc, test_redis_url_has_all_its_parts);
    tcase_add_test(tc, test_redis_url_is_percent_decoded);
    tcase_add_test(tc, test_redis_url_wins_over_the_three);
    tcase_add_test(tc, test_a_wrong_redis_url_is_refused_unsaid);
    tcase_add_test(tc, test_tls_to_redis_is_refused_by_name);
    tc = new_case(s, "files");
    tcase_add_test(tc, test_a_secret_comes_from_its_file_without_one_newline);
    tcase_add_test(tc, test_every_secret_and_url_may_come_from_a_file);
    tcase_add_test(tc, test_a_variable_and_its_file_are_too_much);
    tcase_add_test(tc, test_a_file_that_is_no_good_is_told_by_its_name);
    tcase_add_test(tc, test_a_file_of_exactly_16_kib_is_taken);
    tcase_add_test(tc, test_a_wrong_secret_from_a_file_is_not_told);
    return s;
}
