/* Unit tests of stream: what waits is bounded, what is sent arrives, and an idle one costs nothing.
 * The body goes through a libmicrohttpd daemon of our own and a socket, driven by hand. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/loop.h"
#include "api/reply.h"
#include "api/server.h"
#include "api/stream.h"
#include "ev.h"

Suite *suite_stream(void);

static struct config config = {.host = (char *)(uintptr_t) "127.0.0.1"};
static struct app app = {.config = &config, .n_loops = 1};
static struct loop loop;
static struct MHD_Daemon *daemon_;
static struct request *request;
static struct stream stream;
static uint64_t length;
static int client;
static unsigned asked, closed;
static char got[400000];
static size_t n_got;

static void count_more(struct stream *s)
{
    (void)s;
    asked++;
}

static void on_closed(struct stream *s)
{
    (void)s;
    closed++;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **req_cls)
{
    (void)cls, (void)url, (void)method, (void)version, (void)data, (void)size;
    if (!*req_cls) {
        *req_cls = request;
        return MHD_YES;
    }
    if (stream.started) /* the next one on the same connection waits */
        return MHD_YES;
    request->connection = c;
    struct MHD_Response *response = stream_response(&stream);
    enum MHD_Result queued = MHD_queue_response(c, 200, response);
    MHD_destroy_response(response);
    return queued;
}

static void no_tick(void *ctx, int64_t now_ms)
{
    (void)ctx, (void)now_ms;
}

static void set_up(void)
{
    memset(&loop, 0, sizeof loop);
    loop.app = &app;
    loop.config = &config;
    loop.ev = ev_new(no_tick, NULL);
    loop.server = server_new(&loop);
    ck_assert_ptr_nonnull(loop.server);
    daemon_ =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, NULL,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)5120, MHD_OPTION_END);
    ck_assert_ptr_nonnull(daemon_);
    request = calloc(1, sizeof *request);
    *request = (struct request){.loop = &loop, .refs = 2};
    stream = (struct stream){.more = count_more, .closed = on_closed};
    length = STREAM_LENGTH_UNKNOWN;
    n_got = asked = closed = 0;
    client = -1;
}

static void tear_down(void)
{
    streams_abort(&loop);
    MHD_stop_daemon(daemon_);
    ck_assert_uint_eq(closed, 1);
    ck_assert_ptr_null(loop.streams);
    ck_assert_uint_eq(request->refs, 2);
    free(request);
    if (client >= 0)
        close(client);
    server_free(loop.server);
    ev_free(loop.ev);
}

/* Lets both sides work; false: the server has closed, or reset. */
static bool pump(unsigned times)
{
    bool open = true;
    for (unsigned i = 0; i < times; i++) {
        MHD_run(daemon_);
        ev_run_once(loop.ev, false);
        ssize_t n = recv(client, got + n_got, sizeof got - 1 - n_got, MSG_DONTWAIT);
        open = n > 0 || (n < 0 && errno == EAGAIN);
        n_got += n > 0 ? (size_t)n : 0;
        got[n_got] = 0;
        if (!open)
            break;
        if (n < 0)
            usleep(1000);
    }
    return open;
}

static void begin(const char *text)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    stream_adopt(&stream, request, length);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (void *)&to, sizeof to), 0);
    ck_assert_int_eq(send(client, text, strlen(text), 0), (ssize_t)strlen(text));
    pump(10);
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

START_TEST(pieces_arrive_as_they_are_written)
{
    begin(GET);
    ck_assert_ptr_nonnull(strstr(got, "ransfer-Encoding: chunked"));
    ck_assert(stream_write(&stream, "first", 5));
    ck_assert(pump(10));
    ck_assert_ptr_nonnull(strstr(got, "5\r\nfirst\r\n"));
    ck_assert(stream_write(&stream, "second", 6));
    stream_end(&stream);
    ck_assert(pump(10)); /* the connection stays */
    ck_assert_ptr_nonnull(strstr(got, "6\r\nsecond\r\n0\r\n\r\n"));
    ck_assert_uint_eq(closed, 1);
}
END_TEST

/* Without suspending, libmicrohttpd asks at every run, for every listener. */
START_TEST(an_idle_stream_is_left_alone)
{
    begin(GET);
    ck_assert(stream.suspended);
    ck_assert_uint_eq(asked, 1);
    ck_assert(pump(100));
    ck_assert_uint_eq(asked, 1);
    stream_write(&stream, "x", 1);
    ck_assert(pump(10));
    ck_assert(stream.suspended);
    ck_assert_uint_eq(asked, 2);
    stream_end(&stream);
    pump(10);
}
END_TEST

START_TEST(a_long_body_is_whole)
{
    static char piece[30000];
    begin(GET);
    memset(piece, 'x', sizeof piece);
    for (unsigned i = 0; i < 8; i++)
        ck_assert(stream_write(&stream, piece, sizeof piece));
    stream_end(&stream);
    ck_assert(pump(2000));
    size_t n = 0;
    for (size_t i = strlen("HTTP/1.1 200 OK\r\n"); i < n_got; i++)
        n += got[i] == 'x';
    ck_assert_uint_eq(n, 8 * sizeof piece);
    ck_assert_str_eq(got + n_got - 5, "0\r\n\r\n");
}
END_TEST

START_TEST(what_waits_is_bounded)
{
    char piece[1000] = "";
    stream.cap = 10000;
    begin(GET);
    unsigned n = 0;
    while (n < 100 && stream_write(&stream, piece, sizeof piece))
        n++;
    ck_assert_uint_ge(n, 7);
    ck_assert_uint_lt(n, 11);
    while (n < 1000 && stream_write(&stream, piece, 1)) /* tiny ones, too */
        n++;
    ck_assert_uint_lt(n, 100);
    stream_abort(&stream);
    pump(10);
}
END_TEST

START_TEST(a_cut_body_does_not_look_whole)
{
    begin(GET);
    stream_write(&stream, "part", 4);
    ck_assert(pump(10));
    stream_abort(&stream);
    ck_assert(!pump(50));
    ck_assert_uint_eq(closed, 1);
    ck_assert_ptr_null(strstr(got, "0\r\n\r\n"));
    ck_assert(!stream_write(&stream, "x", 1));
}
END_TEST

/* A client without chunks knows the end by the close alone, so a cut has to be a reset. */
START_TEST(a_client_without_chunks_sees_end_and_cut)
{
    begin("GET / HTTP/1.0\r\n\r\n");
    stream_write(&stream, "part", 4);
    ck_assert(pump(10));
    ck_assert_ptr_nonnull(strstr(got, "\r\n\r\npart"));
    ck_assert_ptr_null(strstr(got, "chunked"));
    if (_i) {
        stream_abort(&stream);
        ck_assert(!pump(50));
        ck_assert_int_eq(errno, ECONNRESET);
    } else {
        stream_end(&stream);
        ck_assert(!pump(50));
        ck_assert_int_eq(recv(client, got, 1, 0), 0);
    }
}
END_TEST

START_TEST(a_known_length_is_announced)
{
    length = 4;
    begin(GET);
    ck_assert_ptr_nonnull(strstr(got, "Content-Length: 4\r\n"));
    stream_write(&stream, "abcd", 4);
    ck_assert(pump(10));
    ck_assert_ptr_nonnull(strstr(got, "\r\n\r\nabcd"));
    ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(head_asks_for_nothing)
{
    begin("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(got, "200 OK"));
    ck_assert_uint_eq(asked, 0);
    ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(a_client_that_goes_is_noticed_though_nothing_is_sent)
{
    stream.listens = true;
    begin(GET);
    close(client);
    client = -1;
    for (unsigned i = 0; i < 2000 && !closed; i++) {
        ev_run_once(loop.ev, false);
        MHD_run(daemon_);
        usleep(1000);
    }
    ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(a_client_that_takes_nothing_is_cut)
{
    static char piece[64000];
    stream.stall_ms = 50;
    stream.cap = 64 << 20;
    int64_t now = ev_clock_us() / 1000;
    begin(GET);
    for (unsigned i = 0; i < 400; i++)
        ck_assert(stream_write(&stream, piece, sizeof piece));
    for (unsigned i = 0; i < 20000 && stream.moved_ms + 20 > ev_now_ms(loop.ev); i++) {
        MHD_run(daemon_);
        ev_run_once(loop.ev, false);
    }
    ck_assert(!stream.suspended);
    streams_tick(&loop, now + 1000000);
    for (unsigned i = 0; i < 100 && !closed; i++)
        MHD_run(daemon_);
    ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(listeners_end_when_the_process_stops)
{
    stream.listens = true;
    begin(GET);
    streams_stop(&loop);
    ck_assert(pump(10));
    ck_assert_ptr_nonnull(strstr(got, "0\r\n\r\n"));
}
END_TEST

START_TEST(one_that_never_began_is_closed)
{
    stream_adopt(&stream, request, length);
    request->reply.stream = &stream;
    stream_write(&stream, "abc", 3);
    reply_reset(request);
    ck_assert_uint_eq(closed, 1);
}
END_TEST

Suite *suite_stream(void)
{
    Suite *s = suite_create("stream");
    TCase *c = tcase_create("stream");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, pieces_arrive_as_they_are_written);
    tcase_add_test(c, an_idle_stream_is_left_alone);
    tcase_add_test(c, a_long_body_is_whole);
    tcase_add_test(c, what_waits_is_bounded);
    tcase_add_test(c, a_cut_body_does_not_look_whole);
    tcase_add_loop_test(c, a_client_without_chunks_sees_end_and_cut, 0, 2);
    tcase_add_test(c, a_known_length_is_announced);
    tcase_add_test(c, head_asks_for_nothing);
    tcase_add_test(c, a_client_that_goes_is_noticed_though_nothing_is_sent);
    tcase_add_test(c, a_client_that_takes_nothing_is_cut);
    tcase_add_test(c, listeners_end_when_the_process_stops);
    tcase_add_test(c, one_that_never_began_is_closed);
    suite_add_tcase(s, c);
    return s;
}
