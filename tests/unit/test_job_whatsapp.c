/* Unit tests of job_whatsapp: one change becomes several events, each with what belongs to it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "worker/jobs.h"

Suite *suite_job_whatsapp(void);

static struct arena arena;
static struct job_rows rows;
static struct buf text;

static void set_up(void)
{
    arena_init(&arena, 64 << 20);
    rows = (struct job_rows){.arena = &arena};
    text = buf_init(16 << 20);
}

static void tear_down(void)
{
    job_rows_release(&rows);
    arena_reset(&arena, 0);
    buf_release(&text);
}

static void begin(const char *value)
{
    buf_reset(&text);
    buf_str(&text,
            "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"77\",\"changes\":[{"
            "\"field\":\"messages\",\"value\":{");
    buf_str(&text, value);
}

static void run(void)
{
    const char *motivo = NULL;
    buf_str(&text, "}}]}]}");
    rows.n_eventos = 0;
    ck_assert_msg(jobs_run(text.data, text.len, &rows, &motivo) == STATUS_OK, "%s", motivo);
}

static void run_value(const char *value)
{
    begin(value);
    run();
}

static bool is(struct pg_text t, const char *expected)
{
    return t.len == strlen(expected) && memcmp(t.data, expected, t.len) == 0;
}

static bool has(struct pg_text t, const char *part)
{
    return t.data && memmem(t.data, t.len, part, strlen(part)) != NULL;
}

#define META "\"metadata\":{\"phone_number_id\":\"1065\"}"

START_TEST(test_each_message_and_status_is_an_event_that_can_be_read_alone)
{
    run_value(META
              ",\"contacts\":[{\"wa_id\":\"11\",\"profile\":{\"name\":\"Ana\"}},{\"user_id\":"
              "\"BR.2\",\"profile\":{\"name\":\"Bruno\"}}],\"messages\":[{\"id\":\"w1\",\"from\":"
              "\"11\"},{\"id\":\"w2\",\"from_user_id\":\"BR.2\"},{\"id\":\"w3\",\"from\":\"33\"}],"
              "\"statuses\":[{\"id\":\"w4\",\"status\":\"read\",\"timestamp\":\"9\"}]");
    ck_assert_uint_eq(rows.n_eventos, 4);
    ck_assert(is(rows.eventos[0].chave, "wamid:w1"));
    ck_assert(is(rows.eventos[0].conteudo,
                 "{\"field\":\"messages\",\"value\":{\"metadata\":{\"phone_number_id\":\"1065\"},"
                 "\"contacts\":[{\"wa_id\":\"11\",\"profile\":{\"name\":\"Ana\"}}],\"messages\":[{"
                 "\"id\":\"w1\",\"from\":\"11\"}]}}"));
    ck_assert(has(rows.eventos[1].conteudo, "Bruno") && !has(rows.eventos[1].conteudo, "Ana"));
    ck_assert(!has(rows.eventos[2].conteudo, "contacts"));
    ck_assert(is(rows.eventos[3].chave, "wamid:w4:read"));
    ck_assert(is(rows.eventos[3].assunto, "w4"));
    ck_assert(is(rows.eventos[3].estado, "read"));
    ck_assert_int_eq(rows.eventos[3].ocorrido_us, 9000000);
    ck_assert(has(rows.eventos[3].conteudo, "\"statuses\":["));
}
END_TEST

START_TEST(test_the_ranks_of_statuses)
{
    static const struct {
        const char *status;
        int ordem;
    } table[] = {{"sent", 1},   {"failed", 2},  {"delivered", 3}, {"read", 4},
                 {"played", 5}, {"deleted", 0}, {"SENT", 0},      {"sen", 0}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char value[128];
        snprintf(value, sizeof value, "\"statuses\":[{\"id\":\"w\",\"status\":\"%s\"}]",
                 table[i].status);
        run_value(value);
        ck_assert_msg(rows.eventos[0].ordem == table[i].ordem, "%s", table[i].status);
    }
}
END_TEST

START_TEST(test_the_user_id_stands_in_for_the_phone)
{
    static const struct {
        const char *value, *contato;
    } table[] = {
        {"\"messages\":[{\"id\":\"w\",\"from\":\"11\",\"from_user_id\":\"BR.1\"}]", "11"},
        {"\"messages\":[{\"id\":\"w\",\"from_user_id\":\"BR.1\"}]", "BR.1"},
        {"\"messages\":[{\"id\":\"w\",\"from\":null,\"from_user_id\":\"BR.1\"}]", "BR.1"},
        {"\"contacts\":[{\"user_id\":\"BR.1\"}],\"messages\":[{\"id\":\"w\"}]", "BR.1"},
        {"\"statuses\":[{\"id\":\"w\",\"status\":\"x\",\"recipient_user_id\":\"BR.1\"}]", "BR.1"},
        {"\"statuses\":[{\"id\":\"w\",\"status\":\"x\",\"recipient_id\":11}]", "11"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        run_value(table[i].value);
        ck_assert_msg(is(rows.eventos[0].contato, table[i].contato), "row %zu", i);
    }
}
END_TEST

START_TEST(test_elements_of_any_shape_are_kept)
{
    run_value("\"messages\":[null,5,[1],{},{\"id\":\"\\u0000\"},{\"id\":\"w\",\"x\":\"\\ud800\"}],"
              "\"statuses\":[{\"id\":\"w\"},{\"status\":\"read\"}],\"errors\":[{\"code\":1}]");
    ck_assert_uint_eq(rows.n_eventos, 9);
    for (size_t i = 0; i < rows.n_eventos; i++)
        ck_assert_ptr_nonnull(rows.eventos[i].chave.data);
    ck_assert_ptr_null(rows.eventos[4].conteudo.data);
    ck_assert(is(rows.eventos[5].chave, "wamid:w"));
    ck_assert_ptr_null(rows.eventos[5].conteudo.data);
}
END_TEST

START_TEST(test_a_change_without_any_of_them_is_kept_as_it_came)
{
    static const char *const values[] = {"\"x\":1", "\"messages\":[]", "\"messages\":{}",
                                         "\"history\":[{\"threads\":[]}]"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        run_value(values[i]);
        ck_assert_uint_eq(rows.n_eventos, 1);
        ck_assert(has(rows.eventos[0].chave, "hash:"));
        ck_assert(has(rows.eventos[0].conteudo, "\"field\":\"messages\""));
    }
}
END_TEST

/* Two errors of two numbers of one account are two; the same one again is none. */
START_TEST(test_the_digest_of_an_error_is_of_it_and_its_number)
{
    run_value("\"metadata\":{\"phone_number_id\":\"1\"},\"errors\":[{\"code\":1},{\"code\":2},{"
              "\"code\":1}]");
    struct pg_text first = rows.eventos[0].chave, second = rows.eventos[1].chave;
    ck_assert(memcmp(first.data, second.data, first.len) != 0);
    ck_assert_mem_eq(first.data, rows.eventos[2].chave.data, first.len);
    run_value("\"metadata\":{\"phone_number_id\":\"2\"},\"errors\":[{\"code\":1}]");
    ck_assert(memcmp(first.data, rows.eventos[0].chave.data, first.len) != 0);
}
END_TEST

START_TEST(test_what_does_not_fit_is_left_out_of_the_content_alone)
{
    run_value("\"metadata\":{\"x\":\"\\u0000\"},\"contacts\":[{\"wa_id\":\"1\",\"y\":1e99999}],"
              "\"messages\":[{\"id\":\"w\",\"from\":\"1\"}]");
    ck_assert(is(rows.eventos[0].conteudo,
                 "{\"field\":\"messages\",\"value\":{\"messages\":[{\"id\":"
                 "\"w\",\"from\":\"1\"}]}}"));
}
END_TEST

/* Catches contents that repeat a large metadata or contact a thousand times. */
START_TEST(test_contents_take_a_few_times_the_bytes_of_the_change_at_most)
{
    enum { N = 5000 };
    size_t bytes = 0;
    begin(META ",\"contacts\":[{\"wa_id\":\"1\",\"profile\":{\"name\":\"");
    for (unsigned i = 0; i < 3000; i++)
        buf_char(&text, 'a');
    buf_str(&text, "\"}}],\"messages\":[{\"id\":1}");
    for (unsigned i = 2; i <= N; i++)
        buf_printf(&text, ",{\"id\":%u}", i);
    buf_char(&text, ']');
    run();
    ck_assert_uint_eq(rows.n_eventos, N);
    for (unsigned i = 0; i < N; i++)
        bytes += rows.eventos[i].conteudo.len;
    ck_assert_uint_lt(bytes, 4 * text.len);
    ck_assert(has(rows.eventos[0].conteudo, "aaa"));
    ck_assert(is(rows.eventos[N - 1].conteudo, "{\"id\":5000}"));
}
END_TEST

START_TEST(test_more_messages_than_a_delivery_may_have_are_kept_in_one)
{
    begin("\"messages\":[0");
    for (unsigned i = 0; i < JOBS_UPDATES_MAX; i++)
        buf_str(&text, ",0");
    buf_char(&text, ']');
    run();
    ck_assert_uint_eq(rows.n_eventos, 1);
    ck_assert(has(rows.eventos[0].chave, "hash:"));
}
END_TEST

START_TEST(test_without_memory_nothing_counts)
{
    const char *motivo = NULL;
    begin("\"messages\":[{\"id\":\"a\"},{\"id\":\"b\"}]");
    buf_str(&text, "}}]}]}");
    arena_reset(&arena, 100);
    ck_assert_int_eq(jobs_run(text.data, text.len, &rows, &motivo), STATUS_OVERLOADED);
    ck_assert_uint_eq(rows.n_eventos, 0);
}
END_TEST

Suite *suite_job_whatsapp(void)
{
    Suite *s = suite_create("job_whatsapp");
    TCase *c = tcase_create("elements");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_each_message_and_status_is_an_event_that_can_be_read_alone);
    tcase_add_test(c, test_the_ranks_of_statuses);
    tcase_add_test(c, test_the_user_id_stands_in_for_the_phone);
    tcase_add_test(c, test_elements_of_any_shape_are_kept);
    tcase_add_test(c, test_a_change_without_any_of_them_is_kept_as_it_came);
    tcase_add_test(c, test_the_digest_of_an_error_is_of_it_and_its_number);
    suite_add_tcase(s, c);
    c = tcase_create("bounds");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_what_does_not_fit_is_left_out_of_the_content_alone);
    tcase_add_test(c, test_contents_take_a_few_times_the_bytes_of_the_change_at_most);
    tcase_add_test(c, test_more_messages_than_a_delivery_may_have_are_kept_in_one);
    tcase_add_test(c, test_without_memory_nothing_counts);
    suite_add_tcase(s, c);
    return s;
}
