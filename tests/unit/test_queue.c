/* Unit tests of queue: what it says to Redis and what it makes of the answers. A socket of the
 * test's own plays Redis, word by word. */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ev.h"
#include "log.h"
#include "queue.h"
#include "rds.h"

Suite *suite_queue(void);

static struct ev *ev;
static struct rds *rds;
static int listening, server;
static char heard[16384];
static size_t heard_len;

static void on_tick(void *ctx, int64_t now_ms)
{
    (void)ctx;
    rds_tick(rds, now_ms);
}

/* What the client sent, as far as it has come. */
static void listen_for_a_moment(void)
{
    struct pollfd p = {.fd = server, .events = POLLIN};
    if (poll(&p, 1, 0) != 1)
        return;
    ssize_t n = read(server, heard + heard_len, sizeof heard - heard_len);
    heard_len += n > 0 ? (size_t)n : 0;
}

static void run_until_heard(const char *end)
{
    size_t len = strlen(end);
    for (int i = 0; i < 50; i++) {
        listen_for_a_moment();
        if (heard_len >= len && memcmp(heard + heard_len - len, end, len) == 0)
            return;
        ev_run_once(ev, true);
    }
    ck_abort_msg("not heard: %s, but %.*s", end, (int)heard_len, heard);
}

static void say(const char *text)
{
    ck_assert_int_eq(write(server, text, strlen(text)), (ssize_t)strlen(text));
}

static void run_until(const bool *done)
{
    for (int i = 0; i < 50 && !*done; i++)
        ev_run_once(ev, true);
    ck_assert(*done);
}

static void set_up(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    log_setup("unit", LOG_ERROR, LOG_TEXT);
    heard_len = 0;
    listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, len), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&at, &len), 0);
    ev = ev_new(on_tick, NULL);
    ck_assert_ptr_nonnull(ev);
    rds = rds_new(ev, &(struct rds_options){.host = "127.0.0.1",
                                            .port = ntohs(at.sin_port),
                                            .connect_timeout_ms = 5000,
                                            .stall_ms = 5000});
    ck_assert_ptr_nonnull(rds);
    struct pollfd p = {.fd = listening, .events = POLLIN};
    while (poll(&p, 1, 0) == 0)
        ev_run_once(ev, true);
    server = accept(listening, NULL, NULL);
    run_until_heard("memory\r\n");
    say("$29\r\nmaxmemory_policy:noeviction\r\n\r\n");
    while (!rds_ready(rds))
        ev_run_once(ev, true);
    heard_len = 0;
}

static void tear_down(void)
{
    rds_free(rds);
    ev_free(ev);
    close(server);
    close(listening);
}

/* ---- tickets ---- */

struct asked {
    struct queue_ticket ticket;
    enum status st;
    bool done;
};

static void on_ticket(struct queue_ticket *t, enum status st)
{
    struct asked *a = (struct asked *)(void *)t;
    ck_assert(!a->done);
    a->st = st;
    a->done = true;
}

static const struct queue_message message = {
    .corpo = "{}", .corpo_len = 2, .recebida_us = 0, .text = {"r", "t", "s", "a"}};

#define PUSHED                                                                                     \
    "*15\r\n$4\r\nXADD\r\n$13\r\nfila:webhooks\r\n$1\r\n*\r\n$5\r\ncorpo\r\n$2\r\n{}\r\n"          \
    "$11\r\nrecebida_em\r\n$27\r\n1970-01-01T00:00:00.000000Z\r\n$10\r\nrequest_id\r\n$1\r\nr\r\n" \
    "$11\r\ntraceparent\r\n$1\r\nt\r\n$10\r\nassinatura\r\n$1\r\ns\r\n"                            \
    "$6\r\nagente\r\n$1\r\na\r\n"

static enum status push_and_hear(const char *answer)
{
    struct asked a = {.ticket.done = on_ticket};
    ck_assert_int_eq(queue_push(rds, &message, &a.ticket), STATUS_OK);
    rds_flush(rds);
    run_until_heard(PUSHED);
    if (answer)
        say(answer);
    else
        shutdown(server, SHUT_RDWR);
    run_until(&a.done);
    return a.st;
}

START_TEST(test_a_push_is_one_xadd_and_done_when_it_is_answered)
{
    ck_assert_int_eq(push_and_hear("$3\r\n1-0\r\n"), STATUS_OK);
    ck_assert_uint_eq(heard_len, strlen(PUSHED));
}
END_TEST

START_TEST(test_a_refused_push_is_told_from_an_unknown_one)
{
    ck_assert_int_eq(push_and_hear("-OOM command not allowed\r\n"), STATUS_OVERLOADED);
    ck_assert_int_eq(push_and_hear("-READONLY You can't write\r\n"), STATUS_OVERLOADED);
    ck_assert_int_eq(push_and_hear(NULL), STATUS_CACHE_AWAY);
    struct asked a = {.ticket.done = on_ticket};
    ck_assert_int_eq(queue_push(rds, &message, &a.ticket), STATUS_CACHE_AWAY);
    ck_assert(!a.done);
}
END_TEST

START_TEST(test_the_group_may_be_there_already)
{
    static const char *const answers[] = {"+OK\r\n", "-BUSYGROUP exists\r\n", "-ERR no\r\n"};
    static const enum status expected[] = {STATUS_OK, STATUS_OK, STATUS_OVERLOADED};
    for (size_t i = 0; i < 3; i++) {
        struct asked a = {.ticket.done = on_ticket};
        ck_assert_int_eq(queue_create_group(rds, false, &a.ticket), STATUS_OK);
        rds_flush(rds);
        run_until_heard("XGROUP\r\n$6\r\nCREATE\r\n$13\r\nfila:webhooks\r\n$7\r\nworkers\r\n"
                        "$1\r\n0\r\n$8\r\nMKSTREAM\r\n");
        say(answers[i]);
        run_until(&a.done);
        ck_assert_int_eq(a.st, expected[i]);
    }
}
END_TEST

struct ended {
    struct queue_end end;
    enum status st;
    bool done;
};

static void on_ended(struct queue_end *end, enum status st)
{
    struct ended *e = (struct ended *)(void *)end;
    ck_assert(!e->done);
    e->st = st;
    e->done = true;
}

/* Catches an acknowledgement before its deletion (a crash in between leaves an entry for ever) and
 * one in a MULTI (which a full Redis refuses). */
START_TEST(test_entries_are_deleted_and_then_acknowledged)
{
    static const char all[] =
        "*4\r\n$4\r\nXDEL\r\n$13\r\nfila:webhooks\r\n$3\r\n1-0\r\n$3\r\n2-5\r\n"
        "*5\r\n$4\r\nXACK\r\n$13\r\nfila:webhooks\r\n$7\r\nworkers\r\n$3\r\n1-0\r\n$3\r\n2-5\r\n";
    static const struct event_id ids[] = {{1, 0}, {2, 5}};
    static const struct {
        const char *answers;
        enum status st;
    } rows[] = {{":2\r\n:2\r\n", STATUS_OK},
                {":0\r\n:0\r\n", STATUS_OK}, /* gone already */
                {"-MISCONF disk\r\n:2\r\n", STATUS_OVERLOADED},
                {":2\r\n-MISCONF disk\r\n", STATUS_OVERLOADED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ended e = {.end.done = on_ended};
        heard_len = 0;
        ck_assert_int_eq(queue_ack(rds, ids, 2, &e.end), STATUS_OK);
        rds_flush(rds);
        run_until_heard(all);
        ck_assert_uint_eq(heard_len, sizeof all - 1);
        say(rows[i].answers);
        run_until(&e.done);
        ck_assert_int_eq(e.st, rows[i].st);
    }
}
END_TEST

START_TEST(test_a_full_redis_lets_the_group_be_made_by_force)
{
    struct asked a = {.ticket.done = on_ticket};
    ck_assert_int_eq(queue_create_group(rds, true, &a.ticket), STATUS_OK);
    rds_flush(rds);
    run_until_heard("$1\r\n1\r\n$13\r\nfila:webhooks\r\n");
    ck_assert_ptr_nonnull(memmem(heard, heard_len, "#!lua flags=allow-oom\n", 22));
    say("-BUSYGROUP exists\r\n");
    run_until(&a.done);
    ck_assert_int_eq(a.st, STATUS_OK);
}
END_TEST

START_TEST(test_what_is_in_hand_is_kept_without_its_bodies)
{
    struct asked a = {.ticket.done = on_ticket};
    ck_assert_int_eq(queue_keep(rds, "c1", &(struct event_id){1, 0}, 1, &a.ticket), STATUS_OK);
    rds_flush(rds);
    run_until_heard("*7\r\n$6\r\nXCLAIM\r\n$13\r\nfila:webhooks\r\n$7\r\nworkers\r\n$2\r\nc1\r\n"
                    "$1\r\n0\r\n$3\r\n1-0\r\n$6\r\nJUSTID\r\n");
    say("*1\r\n$3\r\n1-0\r\n");
    run_until(&a.done);
    ck_assert_int_eq(a.st, STATUS_OK);
}
END_TEST

/* ---- claims ---- */

struct claimed {
    struct queue_claim claim;
    struct event first, last; /* texts are gone: ids and lengths are looked at */
    size_t entries, n;
    enum status st;
    bool done;
};

static void on_entry(struct queue_claim *c, const struct event *e)
{
    struct claimed *k = (struct claimed *)(void *)c;
    if (k->entries++ == 0)
        k->first = *e;
    k->last = *e;
}

static void on_claimed(struct queue_claim *c, enum status st, size_t n)
{
    struct claimed *k = (struct claimed *)(void *)c;
    k->st = st;
    k->n = n;
    k->done = true;
}

static struct claimed claim_new(const char *answer)
{
    struct claimed k = {.claim = {.entry = on_entry, .done = on_claimed}};
    ck_assert_int_eq(queue_claim_new(rds, "c1", 10, 500, &k.claim), STATUS_OK);
    rds_flush(rds);
    run_until_heard("*11\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n$7\r\nworkers\r\n$2\r\nc1\r\n"
                    "$5\r\nCOUNT\r\n$2\r\n10\r\n$5\r\nBLOCK\r\n$3\r\n500\r\n"
                    "$7\r\nSTREAMS\r\n$13\r\nfila:webhooks\r\n$1\r\n>\r\n");
    say(answer);
    run_until(&k.done);
    return k;
}

START_TEST(test_new_entries_come_in_order_whatever_their_fields)
{
    struct claimed k = claim_new("*1\r\n*2\r\n$13\r\nfila:webhooks\r\n*3\r\n"
                                 "*2\r\n$3\r\n1-0\r\n*2\r\n$5\r\ncorpo\r\n$2\r\n{}\r\n"
                                 "*2\r\n$3\r\n1-1\r\n*3\r\n$1\r\nx\r\n$-1\r\n$5\r\ncorpo\r\n"
                                 "*2\r\n$3\r\n2-0\r\n*2\r\n$5\r\ncorpo\r\n$3\r\nabc\r\n");
    ck_assert_int_eq(k.st, STATUS_OK);
    ck_assert_uint_eq(k.n, 3);
    ck_assert_uint_eq(k.entries, 3);
    ck_assert_uint_eq(k.first.id.ms, 1);
    ck_assert_uint_eq(k.first.corpo.len, 2);
    ck_assert_uint_eq(k.last.id.ms, 2);
    ck_assert_uint_eq(k.last.corpo.len, 3);
}
END_TEST

START_TEST(test_nothing_new_is_no_failure)
{
    struct claimed k = claim_new("*-1\r\n");
    ck_assert_int_eq(k.st, STATUS_OK);
    ck_assert_uint_eq(k.n, 0);
}
END_TEST

START_TEST(test_a_lost_group_is_told_from_a_refusal)
{
    ck_assert_int_eq(claim_new("-NOGROUP No such key\r\n").st, STATUS_NOT_FOUND);
    ck_assert_int_eq(claim_new("-UNBLOCKED the stream key no longer exists\r\n").st,
                     STATUS_NOT_FOUND);
    ck_assert_int_eq(claim_new("-LOADING Redis is loading\r\n").st, STATUS_OVERLOADED);
}
END_TEST

START_TEST(test_answers_of_a_strange_shape_bring_nothing)
{
    static const char *const rows[] = {":1\r\n",
                                       "+OK\r\n",
                                       "*0\r\n",
                                       "*1\r\n$1\r\nx\r\n",
                                       "*1\r\n*1\r\n$1\r\nx\r\n",
                                       "*1\r\n*2\r\n$1\r\nx\r\n:1\r\n",
                                       "*1\r\n*2\r\n$1\r\nx\r\n*1\r\n:1\r\n",
                                       "*1\r\n*2\r\n$1\r\nx\r\n*1\r\n*2\r\n$1\r\nx\r\n*0\r\n",
                                       "*1\r\n*2\r\n$1\r\nx\r\n*1\r\n*2\r\n:1\r\n*0\r\n"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct claimed k = claim_new(rows[i]);
        ck_assert_uint_eq(k.n, 0);
        ck_assert_uint_eq(k.entries, 0);
    }
}
END_TEST

static struct claimed claim_idle(struct event_id cursor, const char *sent, const char *answer)
{
    struct claimed k = {.claim = {.entry = on_entry, .done = on_claimed, .cursor = cursor}};
    ck_assert_int_eq(queue_claim_idle(rds, "c1", 10, &k.claim), STATUS_OK);
    rds_flush(rds);
    run_until_heard(sent);
    say(answer);
    run_until(&k.done);
    return k;
}

START_TEST(test_idle_entries_come_page_by_page_and_deleted_ones_are_passed_over)
{
    static const char first[] =
        "*8\r\n$10\r\nXAUTOCLAIM\r\n$13\r\nfila:webhooks\r\n$7\r\nworkers\r\n$2\r\nc1\r\n"
        "$4\r\n5000\r\n$3\r\n0-0\r\n$5\r\nCOUNT\r\n$2\r\n10\r\n";
    struct claimed k = claim_idle(
        (struct event_id){0, 0}, first,
        "*3\r\n$3\r\n7-1\r\n*3\r\n*-1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$5\r\ncorpo\r\n$2\r\n{}\r\n"
        "*2\r\n$3\r\n2-0\r\n*-1\r\n*1\r\n$3\r\n3-0\r\n");
    ck_assert_uint_eq(k.n, 1);
    ck_assert_uint_eq(k.first.id.ms, 1);
    ck_assert_uint_eq(k.claim.cursor.ms, 7);
    ck_assert_uint_eq(k.claim.cursor.seq, 1);
    k = claim_idle(k.claim.cursor, "$3\r\n7-1\r\n$5\r\nCOUNT\r\n$2\r\n10\r\n",
                   "*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n");
    ck_assert_uint_eq(k.n, 0);
    ck_assert_uint_eq(k.claim.cursor.ms, 0);
    k = claim_idle((struct event_id){7, 1}, "$3\r\n7-1\r\n$5\r\nCOUNT\r\n$2\r\n10\r\n",
                   "-NOGROUP\r\n");
    ck_assert_int_eq(k.st, STATUS_NOT_FOUND);
    ck_assert_uint_eq(k.claim.cursor.ms, 0);
}
END_TEST

/* ---- state ---- */

struct inspected {
    struct queue_state state;
    enum status st;
    bool done;
};

static void on_state(struct queue_state *s, enum status st)
{
    struct inspected *i = (struct inspected *)(void *)s;
    i->st = st;
    i->done = true;
}

START_TEST(test_the_state_has_the_age_of_the_oldest_entry)
{
    struct inspected i = {.state.done = on_state};
    ck_assert_int_eq(queue_inspect(rds, &i.state), STATUS_OK);
    rds_flush(rds);
    run_until_heard("$1\r\n1\r\n$13\r\nfila:webhooks\r\n$4\r\n5000\r\n");
    say("*5\r\n:3\r\n:2\r\n:1\r\n$6\r\n1500-4\r\n:9000\r\n");
    run_until(&i.done);
    ck_assert_int_eq(i.st, STATUS_OK);
    ck_assert_int_eq(i.state.length, 3);
    ck_assert_int_eq(i.state.in_hand, 2);
    ck_assert_int_eq(i.state.consumers, 1);
    ck_assert_int_eq(i.state.oldest_us, 1500000);
    ck_assert_int_eq(i.state.memory, 9000);
}
END_TEST

Suite *suite_queue(void)
{
    Suite *s = suite_create("queue");
    TCase *c = tcase_create("pushing");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_a_push_is_one_xadd_and_done_when_it_is_answered);
    tcase_add_test(c, test_a_refused_push_is_told_from_an_unknown_one);
    suite_add_tcase(s, c);
    c = tcase_create("group");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_the_group_may_be_there_already);
    tcase_add_test(c, test_entries_are_deleted_and_then_acknowledged);
    tcase_add_test(c, test_a_full_redis_lets_the_group_be_made_by_force);
    tcase_add_test(c, test_what_is_in_hand_is_kept_without_its_bodies);
    tcase_add_test(c, test_the_state_has_the_age_of_the_oldest_entry);
    suite_add_tcase(s, c);
    c = tcase_create("claiming");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_new_entries_come_in_order_whatever_their_fields);
    tcase_add_test(c, test_nothing_new_is_no_failure);
    tcase_add_test(c, test_a_lost_group_is_told_from_a_refusal);
    tcase_add_test(c, test_answers_of_a_strange_shape_bring_nothing);
    tcase_add_test(c, test_idle_entries_come_page_by_page_and_deleted_ones_are_passed_over);
    suite_add_tcase(s, c);
    return s;
}
