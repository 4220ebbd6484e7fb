/* Unit tests of log: what arrives at descriptor 2 is read back from a pipe. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

Suite *suite_log(void);

static int pipe_end, saved_stderr;

/* A packet pipe: each write(2) is one read(2), so that lines written in pieces are seen. */
static void catch_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_DIRECT | O_NONBLOCK), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    pipe_end = ends[0];
    log_setup("alicerce-api", LOG_INFO, LOG_JSON);
}

static void release_stderr(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_end);
    log_setup("alicerce", LOG_INFO, LOG_JSON);
}

/* The next write as a string; "" when there is none. */
static const char *next_line(void)
{
    static char line[LOG_LINE + 2];
    ssize_t n = read(pipe_end, line, sizeof line - 1);
    line[n > 0 ? n : 0] = '\0';
    ck_assert_int_le(n, LOG_LINE);
    return line;
}

/* The next line as JSON, which it must be, in one piece, with one line feed at its end. */
static json_t *next_json(void)
{
    const char *line = next_line();
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    json_t *event = json_loads(line, 0, NULL);
    ck_assert_msg(event != NULL, "no JSON: %s", line);
    return event;
}

static const char *get(const json_t *event, const char *field)
{
    const char *s = json_string_value(json_object_get(event, field));
    return s ? s : "(none)";
}

START_TEST(test_a_json_line_has_the_fields_of_the_contract)
{
    int64_t us;
    log_warn("pg_lost", "req-1", "server %s, %d left", "a", 2);
    json_t *event = next_json();
    ck_assert_uint_eq(json_object_size(event), 6);
    ck_assert(text_time_parse(get(event, "ts"), TEXT_TIME_LEN, &us));
    ck_assert_int_gt(us, 1700000000000000);
    ck_assert_str_eq(get(event, "nivel"), "warn");
    ck_assert_str_eq(get(event, "programa"), "alicerce-api");
    ck_assert_str_eq(get(event, "evento"), "pg_lost");
    ck_assert_str_eq(get(event, "id"), "req-1");
    ck_assert_str_eq(get(event, "msg"), "server a, 2 left");
    json_decref(event);
}
END_TEST

START_TEST(test_without_an_id_there_is_no_id_field)
{
    log_error("x", NULL, "m");
    json_t *event = next_json();
    ck_assert_ptr_null(json_object_get(event, "id"));
    ck_assert_str_eq(get(event, "nivel"), "error");
    json_decref(event);
}
END_TEST

START_TEST(test_levels_below_the_least_are_silent)
{
    int evaluated = 0;
    ck_assert(!log_enabled(LOG_DEBUG));
    log_debug("x", NULL, "%d", ++evaluated);
    ck_assert_int_eq(evaluated, 0);
    ck_assert_str_eq(next_line(), "");
    log_setup("p", LOG_ERROR, LOG_JSON);
    log_warn("x", NULL, "m");
    ck_assert_str_eq(next_line(), "");
    log_setup("p", LOG_DEBUG, LOG_JSON);
    log_debug("x", NULL, "m");
    json_decref(next_json());
}
END_TEST

START_TEST(test_a_message_with_quotes_and_lines_is_escaped)
{
    log_info("x", "i\"d\n", "a \"b\"\n\tc\\ \x01 é 😀");
    json_t *event = next_json();
    ck_assert_str_eq(get(event, "id"), "i\"d\n");
    ck_assert_str_eq(get(event, "msg"), "a \"b\"\n\tc\\ \x01 é 😀");
    json_decref(event);
}
END_TEST

START_TEST(test_invalid_utf8_becomes_replacement_characters)
{
    log_info("x", "\xff", "%s",
             "a\xff"
             "b\xed\xa0\x80"
             "c\xc3");
    json_t *event = next_json();
    ck_assert_str_eq(get(event, "id"), "\ufffd");
    ck_assert_str_eq(get(event, "msg"), "a\ufffdb\ufffd\ufffd\ufffdc\ufffd");
    json_decref(event);
}
END_TEST

/* Each filler grows differently when it is escaped; all lengths about the limit are tried. */
START_TEST(test_a_long_message_is_cut_and_the_line_stays_whole)
{
    static const char *const fillers[] = {"x", "\"", "\x01", "é", "😀", "\xff", "x\"\x01😀\xff"};
    for (size_t f = 0; f < sizeof fillers / sizeof fillers[0]; f++) {
        for (size_t shift = 0; shift < 8; shift++) {
            char message[3 * LOG_LINE];
            size_t n = shift, unit = strlen(fillers[f]);
            memset(message, 'y', n);
            for (; n + unit < sizeof message; n += unit)
                memcpy(message + n, fillers[f], unit);
            message[n] = '\0';
            log_info("x", message, "%s", message);
            json_t *event = next_json();
            ck_assert_uint_ge(json_string_length(json_object_get(event, "msg")), 200);
            ck_assert_uint_le(json_string_length(json_object_get(event, "id")), 192);
            json_decref(event);
        }
    }
}
END_TEST

START_TEST(test_a_full_line_uses_all_it_may)
{
    char message[2 * LOG_LINE];
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    log_info("x", NULL, "%s", message);
    ck_assert_uint_eq(strlen(next_line()), LOG_LINE);
    ck_assert_str_eq(next_line(), "");
}
END_TEST

START_TEST(test_a_text_line_has_no_control_characters)
{
    log_setup("alicerce-worker", LOG_INFO, LOG_TEXT);
    log_info("job", "id-1", "a\nb\x1b[31m\x7f\xc2\x9b \"é\" \xff");
    const char *line = next_line();
    ck_assert_str_eq(line + TEXT_TIME_LEN,
                     " info alicerce-worker job [id-1] a?b?[31m?? \"é\" \ufffd\n");
    log_info("job", NULL, "m");
    ck_assert_str_eq(next_line() + TEXT_TIME_LEN, " info alicerce-worker job m\n");
}
END_TEST

START_TEST(test_errno_is_kept)
{
    close(STDERR_FILENO); /* the write fails */
    errno = ENOENT;
    log_info("x", NULL, "m");
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(test_a_limiter_lets_some_pass_and_tells_of_the_rest)
{
    struct log_limit l = {0};
    unsigned suppressed = 77, passed = 0;
    for (int i = 0; i < 100; i++)
        passed += log_limit_pass(&l, 3, &suppressed);
    ck_assert_uint_ge(passed, 3);
    ck_assert_uint_le(passed, 6); /* a second may end meanwhile */
    ck_assert_uint_le(l.suppressed, 97);
    unsigned held = l.suppressed;
    ck_assert_uint_ge(held, 1);
    l.second--; /* the next second */
    ck_assert(log_limit_pass(&l, 3, &suppressed));
    ck_assert_uint_eq(suppressed, held);
    ck_assert(log_limit_pass(&l, 3, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(test_a_suppressed_event_leaves_the_count_alone)
{
    struct log_limit l = {0};
    unsigned suppressed = 77;
    ck_assert(!log_limit_pass(&l, 0, &suppressed));
    ck_assert_uint_eq(suppressed, 77);
}
END_TEST

Suite *suite_log(void)
{
    Suite *s = suite_create("log");
    TCase *c = tcase_create("lines");
    tcase_add_checked_fixture(c, catch_stderr, release_stderr);
    tcase_add_test(c, test_a_json_line_has_the_fields_of_the_contract);
    tcase_add_test(c, test_without_an_id_there_is_no_id_field);
    tcase_add_test(c, test_levels_below_the_least_are_silent);
    tcase_add_test(c, test_a_message_with_quotes_and_lines_is_escaped);
    tcase_add_test(c, test_invalid_utf8_becomes_replacement_characters);
    tcase_add_test(c, test_a_long_message_is_cut_and_the_line_stays_whole);
    tcase_add_test(c, test_a_full_line_uses_all_it_may);
    tcase_add_test(c, test_a_text_line_has_no_control_characters);
    tcase_add_test(c, test_errno_is_kept);
    suite_add_tcase(s, c);
    c = tcase_create("limiter");
    tcase_add_test(c, test_a_limiter_lets_some_pass_and_tells_of_the_rest);
    tcase_add_test(c, test_a_suppressed_event_leaves_the_count_alone);
    suite_add_tcase(s, c);
    return s;
}
