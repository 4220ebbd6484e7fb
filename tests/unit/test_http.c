/* Unit tests of http: libcurl on the loop, against a listening socket of the test's own. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ev.h"
#include "worker/http.h"

Suite *suite_http(void);

static struct ev *ev;
static struct http *http;
static int listener, peer;
static unsigned dones;
static char url[64];
static const char *answer; /* what the peer says once something came in; NULL: nothing */
static char header[64];
static int64_t now_ms;

static void tick(void *ctx, int64_t now)
{
    (void)ctx;
    now_ms = now;
}

static void set_up(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(listener, (void *)&a, sizeof a), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    ck_assert_int_eq(getsockname(listener, (void *)&a, &len), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x?segredo", ntohs(a.sin_port));
    peer = -1;
    dones = 0;
    answer = NULL;
    ev = ev_new(tick, NULL);
    http = http_new(ev, 2);
    ck_assert_ptr_nonnull(http);
}

static void tear_down(void)
{
    http_free(http);
    ev_free(ev);
    close(listener);
    if (peer >= 0)
        close(peer);
}

static void on_done(struct http_call *c)
{
    const char *value = http_header(c, "X-Usage");
    snprintf(header, sizeof header, "%s", value ? value : "none");
    dones++;
}

/* The other side: takes a connection, reads what is there, answers once. */
static void serve(void)
{
    char request[2048];
    if (peer < 0)
        peer = accept(listener, NULL, NULL);
    if (peer >= 0 && recv(peer, request, sizeof request, MSG_DONTWAIT) > 0 && answer) {
        ssize_t sent = send(peer, answer, strlen(answer), MSG_NOSIGNAL);
        ck_assert_int_gt(sent, 0);
    }
}

/* Passes of the loop until `n` calls are done; 10 s at most. */
static void run_until(unsigned n)
{
    int64_t end = ev_clock_us() + 10000000;
    while (dones < n && ev_clock_us() < end) {
        ev_run_once(ev, true);
        serve();
    }
    ck_assert_uint_eq(dones, n);
}

START_TEST(test_an_answer_comes_with_status_body_and_the_last_header_of_a_name)
{
    struct http_call c = {.done = on_done};
    answer = "HTTP/1.1 418 x\r\nx-usage: 1\r\nX-Usage: 2\r\nContent-Length: 3\r\n\r\nabc";
    ck_assert(http_get(http, &c, url));
    ck_assert_uint_eq(dones, 0);
    run_until(1);
    ck_assert_ptr_null(c.wrong);
    ck_assert_uint_eq(c.status, 418);
    ck_assert(c.body.len == 3 && memcmp(c.body.data, "abc", 3) == 0);
    ck_assert_str_eq(header, "2");
    http_release(&c);
}
END_TEST

/* serve() knows one connection alone: the second call is answered only if it is used again. */
START_TEST(test_a_connection_is_used_again)
{
    struct http_call c = {.done = on_done};
    answer = "HTTP/1.1 200 x\r\nContent-Length: 1\r\n\r\na";
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert(http_get(http, &c, url));
        run_until(i);
        ck_assert_uint_eq(c.status, 200);
        ck_assert_uint_eq(c.body.len, 1);
    }
    http_release(&c);
}
END_TEST

START_TEST(test_silence_ends_after_the_whole_time_and_tells_nothing_of_the_url)
{
    struct http_call c = {.done = on_done, .whole_ms = 150};
    int64_t begun = ev_clock_us();
    ck_assert(http_get(http, &c, url));
    run_until(1);
    ck_assert_int_ge(ev_clock_us() - begun, 140000);
    ck_assert_ptr_nonnull(c.wrong);
    ck_assert_ptr_null(strstr(c.wrong, "segredo"));
    ck_assert_uint_eq(c.status, 0);
    http_release(&c);
}
END_TEST

START_TEST(test_an_answer_that_breaks_off_is_none)
{
    struct http_call c = {.done = on_done, .whole_ms = 150};
    answer = "HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nabc";
    ck_assert(http_get(http, &c, url));
    run_until(1);
    ck_assert_ptr_nonnull(c.wrong);
    ck_assert_uint_eq(c.status, 0);
    http_release(&c);
}
END_TEST

START_TEST(test_nobody_there_is_told)
{
    struct http_call c = {.done = on_done};
    close(listener);
    listener = -1;
    ck_assert(http_get(http, &c, url));
    run_until(1);
    ck_assert_ptr_nonnull(c.wrong);
    http_release(&c);
}
END_TEST

START_TEST(test_redirects_are_answers)
{
    struct http_call c = {.done = on_done};
    answer = "HTTP/1.1 302 x\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n";
    ck_assert(http_get(http, &c, url));
    run_until(1);
    ck_assert_uint_eq(c.status, 302);
    ck_assert_uint_eq(c.body.len, 0);
    http_release(&c);
}
END_TEST

START_TEST(test_other_protocols_are_refused)
{
    struct http_call c = {.done = on_done};
    ck_assert(http_get(http, &c, "file:///etc/hostname"));
    run_until(1);
    ck_assert_ptr_nonnull(c.wrong);
    ck_assert_uint_eq(c.body.len, 0);
    http_release(&c);
}
END_TEST

START_TEST(test_a_cancelled_call_says_nothing_more)
{
    struct http_call c = {.done = on_done}, other = {.done = on_done, .whole_ms = 150};
    ck_assert(http_get(http, &c, url));
    ck_assert(http_get(http, &other, url));
    ev_run_once(ev, true);
    http_cancel(&c);
    http_cancel(&c);
    run_until(1);
    http_release(&c);
    http_release(&other);
}
END_TEST

START_TEST(test_calls_under_way_can_be_released)
{
    struct http_call c = {.done = on_done};
    ck_assert(http_get(http, &c, url));
    ev_run_once(ev, true);
    http_release(&c);
    ck_assert_uint_eq(dones, 0);
}
END_TEST

Suite *suite_http(void)
{
    Suite *s = suite_create("http");
    TCase *tc = tcase_create("calls");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, test_an_answer_comes_with_status_body_and_the_last_header_of_a_name);
    tcase_add_test(tc, test_a_connection_is_used_again);
    tcase_add_test(tc, test_silence_ends_after_the_whole_time_and_tells_nothing_of_the_url);
    tcase_add_test(tc, test_an_answer_that_breaks_off_is_none);
    tcase_add_test(tc, test_nobody_there_is_told);
    tcase_add_test(tc, test_redirects_are_answers);
    tcase_add_test(tc, test_other_protocols_are_refused);
    tcase_add_test(tc, test_a_cancelled_call_says_nothing_more);
    tcase_add_test(tc, test_calls_under_way_can_be_released);
    suite_add_tcase(s, tc);
    return s;
}
