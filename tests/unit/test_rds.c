/* Unit tests of rds: what it makes of a hiredis without memory. A socket of the test's own plays
 * Redis, and the two calls that hand a command to hiredis stand here before the library's. */
#include "rds.h"

#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <hiredis/async.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ev.h"
#include "log.h"

Suite *suite_rds(void);
int redisAsyncFormattedCommand(redisAsyncContext *ac, redisCallbackFn *fn, void *ctx,
                               const char *cmd, size_t len);
int redisAsyncCommandArgv(redisAsyncContext *ac, redisCallbackFn *fn, void *ctx, int argc,
                          const char **argv, const size_t *lens);

static struct ev *ev;
static struct rds *rds;
static int listening, server;
static char heard[4096];
static size_t heard_len;
static const char *forgotten; /* a command of this name is not noted; NULL: all are */

/* ---- hiredis ---- */

/* What version 0.14 does when it finds no memory for the callback: nobody is told. */
static int append_alone(redisAsyncContext *ac, const char *cmd, size_t len)
{
    redisAppendFormattedCommand(&ac->c, cmd, len);
    ac->ev.addWrite(ac->ev.data);
    return REDIS_OK;
}

int redisAsyncFormattedCommand(redisAsyncContext *ac, redisCallbackFn *fn, void *ctx,
                               const char *cmd, size_t len)
{
    int (*real)(redisAsyncContext *, redisCallbackFn *, void *, const char *, size_t);
    *(void **)&real = dlsym(RTLD_NEXT, "redisAsyncFormattedCommand");
    return forgotten && memmem(cmd, len, forgotten, strlen(forgotten))
               ? append_alone(ac, cmd, len)
               : real(ac, fn, ctx, cmd, len);
}

int redisAsyncCommandArgv(redisAsyncContext *ac, redisCallbackFn *fn, void *ctx, int argc,
                          const char **argv, const size_t *lens)
{
    char *cmd = NULL;
    long long len = redisFormatCommandArgv(&cmd, argc, argv, lens);
    int st = redisAsyncFormattedCommand(ac, fn, ctx, cmd, (size_t)len);
    redisFreeCommand(cmd);
    return st;
}

/* ---- Redis ---- */

static void on_tick(void *ctx, int64_t now_ms)
{
    (void)ctx;
    rds_tick(rds, now_ms);
}

/* false: the client has ended the connection. */
static bool listen_for_a_moment(void)
{
    struct pollfd p = {.fd = server, .events = POLLIN};
    if (poll(&p, 1, 0) != 1)
        return true;
    ssize_t n = read(server, heard + heard_len, sizeof heard - heard_len);
    heard_len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool heard_that(const char *word)
{
    return memmem(heard, heard_len, word, strlen(word)) != NULL;
}

static void pass(void)
{
    ev_run_once(ev, true); /* the tick bounds it */
    rds_flush(rds);
}

static void say(const char *text)
{
    ck_assert_int_eq(write(server, text, strlen(text)), (ssize_t)strlen(text));
}

/* Until it is ready, or has given up. */
static void answer_greeting(void)
{
    struct pollfd p = {.fd = listening, .events = POLLIN};
    while (poll(&p, 1, 0) == 0)
        pass();
    server = accept(listening, NULL, NULL);
    for (bool asked = false; listen_for_a_moment() && !rds_ready(rds); pass())
        if (!asked && heard_that("memory\r\n")) {
            asked = true;
            say("$29\r\nmaxmemory_policy:noeviction\r\n\r\n");
        }
    heard_len = 0;
}

static void connect_it(int db)
{
    struct sockaddr_in at = {0};
    socklen_t len = sizeof at;
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&at, &len), 0);
    rds = rds_new(ev, &(struct rds_options){.host = "127.0.0.1",
                                            .port = ntohs(at.sin_port),
                                            .db = db,
                                            .connect_timeout_ms = 5000,
                                            .stall_ms = 5000});
    ck_assert_ptr_nonnull(rds);
    answer_greeting();
}

static void set_up(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    log_setup("unit", LOG_ERROR, LOG_TEXT);
    heard_len = 0;
    forgotten = NULL;
    listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ev = ev_new(on_tick, NULL);
    ck_assert_ptr_nonnull(ev);
}

static void tear_down(void)
{
    rds_free(rds);
    ev_free(ev);
    close(server);
    close(listening);
}

/* ---- tests ---- */

static unsigned lost;

static void on_reply(void *ctx, enum status st, const redisReply *reply)
{
    (void)ctx;
    (void)reply;
    lost += st == STATUS_CACHE_AWAY;
}

static enum status ask(const char *cmd)
{
    return rds_formatted(rds, on_reply, NULL, cmd, strlen(cmd));
}

/* hiredis aborts the process at an answer that it has no callback for. */
START_TEST(a_command_that_hiredis_has_not_noted_is_never_written)
{
    lost = 0;
    connect_it(0);
    ck_assert(rds_ready(rds));
    ck_assert_int_eq(ask("*1\r\n$4\r\nPING\r\n"), STATUS_OK);
    forgotten = "ECHO";
    ck_assert_int_eq(ask("*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n"), STATUS_CACHE_AWAY);
    ck_assert_int_eq(ask("*1\r\n$4\r\nTIME\r\n"), STATUS_CACHE_AWAY);
    ck_assert_uint_eq(lost, 0); /* not within the calls */
    rds_flush(rds);
    ck_assert_uint_eq(lost, 1); /* what was taken before */
    ck_assert(!rds_ready(rds));
    ck_assert(!listen_for_a_moment());
    ck_assert_uint_eq(heard_len, 0);
}
END_TEST

/* Else the next answer is taken for that of SELECT, or it is ready and writes to database 0. */
START_TEST(a_connection_whose_greeting_is_not_whole_is_not_used)
{
    forgotten = "SELECT";
    connect_it(3);
    ck_assert(!rds_ready(rds));
    ck_assert_str_eq(rds_why(rds), "out of memory");
}
END_TEST

START_TEST(it_comes_back)
{
    connect_it(0);
    forgotten = "ECHO";
    ask("*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n");
    rds_flush(rds);
    ck_assert(!rds_ready(rds));
    forgotten = NULL;
    close(server);
    answer_greeting();
    ck_assert(rds_ready(rds));
    ck_assert_int_eq(ask("*1\r\n$4\r\nPING\r\n"), STATUS_OK);
}
END_TEST

Suite *suite_rds(void)
{
    Suite *s = suite_create("rds");
    TCase *t = tcase_create("without memory");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_command_that_hiredis_has_not_noted_is_never_written);
    tcase_add_test(t, a_connection_whose_greeting_is_not_whole_is_not_used);
    tcase_add_test(t, it_comes_back);
    suite_add_tcase(s, t);
    return s;
}
