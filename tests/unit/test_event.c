/* Unit tests of event. */
#include <check.h>
#include <string.h>

#include "event.h"
#include "text.h"

Suite *suite_event(void);

static void field(struct event *e, const char *name, const char *value)
{
    event_field(e, name, strlen(name), value, strlen(value));
}

START_TEST(test_a_message_is_pairs_of_bulk_strings)
{
    static const char expected[] = "$5\r\ncorpo\r\n$4\r\na\0\r\n\r\n"
                                   "$11\r\nrecebida_em\r\n$27\r\n2026-11-22T02:30:00.123456Z\r\n"
                                   "$10\r\nrequest_id\r\n$3\r\nr-1\r\n"
                                   "$11\r\ntraceparent\r\n$0\r\n\r\n"
                                   "$10\r\nassinatura\r\n$6\r\nsha256\r\n"
                                   "$6\r\nagente\r\n$2\r\nfb\r\n";
    struct buf b = buf_init(1024);
    event_encode(&b, &(struct queue_message){.corpo = "a\0\r\n",
                                             .corpo_len = 4,
                                             .recebida_us = 1795314600123456,
                                             .text = {"r-1", "", "sha256", "fb"}});
    ck_assert(!buf_failed(&b));
    ck_assert_uint_eq(b.len, sizeof expected - 1);
    ck_assert_mem_eq(b.data, expected, b.len);
    buf_release(&b);
}
END_TEST

START_TEST(test_ids_go_both_ways_up_to_64_bits)
{
    static const char *const rows[] = {"0-0", "1732242600123-7",
                                       "18446744073709551615-18446744073709551615"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[EVENT_ID_MAX];
        struct event_id id;
        ck_assert(event_id_parse(rows[i], strlen(rows[i]), &id));
        ck_assert_uint_eq(event_id_format(id, out), strlen(rows[i]));
        ck_assert_mem_eq(out, rows[i], strlen(rows[i]));
    }
}
END_TEST

START_TEST(test_what_is_no_id_is_refused)
{
    static const char *const rows[] = {"",    "-",   "1",    "1-",   "-1",
                                       "1-a", "a-1", "1--1", "1- 1", "18446744073709551616-0"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct event_id id = {7, 7};
        ck_assert_msg(!event_id_parse(rows[i], strlen(rows[i]), &id), "row %zu", i);
        ck_assert_uint_eq(id.ms, 7);
    }
}
END_TEST

START_TEST(test_all_fields_are_taken_in_any_order)
{
    struct event e;
    event_begin(&e, (struct event_id){1000, 2});
    field(&e, "traceparent", "00-1");
    field(&e, "agente", "fb");
    field(&e, "outro", "x");
    field(&e, "recebida_em", "2026-11-22T02:30:00.123456Z");
    field(&e, "corpo", "{}");
    field(&e, "request_id", "r-1");
    ck_assert_mem_eq(e.corpo.data, "{}", 2);
    ck_assert_uint_eq(e.corpo.len, 2);
    ck_assert_int_eq(e.recebida_us, 1795314600123456);
    ck_assert_mem_eq(e.text[EVENT_REQUEST_ID].data, "r-1", 3);
    ck_assert_mem_eq(e.text[EVENT_TRACEPARENT].data, "00-1", 4);
    ck_assert_mem_eq(e.text[EVENT_AGENT].data, "fb", 2);
    ck_assert_ptr_null(e.text[EVENT_SIGNATURE].data);
}
END_TEST

/* Catches a decoder that takes the present time: the same entry would be stored twice. */
START_TEST(test_without_fields_it_is_empty_and_has_the_time_of_its_id)
{
    struct event e;
    event_begin(&e, (struct event_id){1795314600123, 2});
    field(&e, "recebida_em", "ontem");
    ck_assert_int_eq(e.recebida_us, 1795314600123000);
    ck_assert_ptr_nonnull(e.corpo.data);
    ck_assert_uint_eq(e.corpo.len, 0);
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        ck_assert_ptr_null(e.text[i].data);
}
END_TEST

START_TEST(test_an_id_from_beyond_the_calendar_has_a_time_that_a_column_takes)
{
    struct event e;
    event_begin(&e, (struct event_id){UINT64_MAX, UINT64_MAX});
    ck_assert_int_eq(e.recebida_us, 0);
    event_begin(&e, (struct event_id){253402300799999, 0});
    ck_assert_int_eq(e.recebida_us, 253402300799999000);
}
END_TEST

START_TEST(test_text_that_no_column_takes_is_dropped_and_the_rest_stays)
{
    char longest[EVENT_TEXT_MAX + 1];
    memset(longest, 'a', sizeof longest);
    ck_assert_ptr_nonnull(event_clean_text("Anônimo", 8).data);
    ck_assert_ptr_nonnull(event_clean_text(longest, EVENT_TEXT_MAX).data);
    ck_assert_ptr_null(event_clean_text(longest, EVENT_TEXT_MAX + 1).data);
    ck_assert_ptr_null(event_clean_text("", 0).data);
    ck_assert_ptr_null(event_clean_text("a\0b", 3).data);
    ck_assert_ptr_null(event_clean_text("a\nb", 3).data);
    ck_assert_ptr_null(event_clean_text("\xff", 1).data);
    struct event e;
    event_begin(&e, (struct event_id){1, 0});
    event_field(&e, "request_id", 10, "\xff", 1);
    event_field(&e, "corpo", 5, "\xff\0", 2);
    ck_assert_ptr_null(e.text[EVENT_REQUEST_ID].data);
    ck_assert_uint_eq(e.corpo.len, 2);
}
END_TEST

Suite *suite_event(void)
{
    Suite *s = suite_create("event");
    TCase *c = tcase_create("encoding");
    tcase_add_test(c, test_a_message_is_pairs_of_bulk_strings);
    suite_add_tcase(s, c);
    c = tcase_create("ids");
    tcase_add_test(c, test_ids_go_both_ways_up_to_64_bits);
    tcase_add_test(c, test_what_is_no_id_is_refused);
    suite_add_tcase(s, c);
    c = tcase_create("decoding");
    tcase_add_test(c, test_all_fields_are_taken_in_any_order);
    tcase_add_test(c, test_without_fields_it_is_empty_and_has_the_time_of_its_id);
    tcase_add_test(c, test_an_id_from_beyond_the_calendar_has_a_time_that_a_column_takes);
    tcase_add_test(c, test_text_that_no_column_takes_is_dropped_and_the_rest_stays);
    suite_add_tcase(s, c);
    return s;
}
