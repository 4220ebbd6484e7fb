/* Unit tests of graph_answer, graph_error and graph_fields: what an answer means. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert_text.h"
#include "worker/graph_answer.h"

Suite *suite_graph_answer(void);

static struct arena arena;
static struct graph_answer a;

static void set_up(void)
{
    arena_init(&arena, GRAPH_ARENA);
}

static void tear_down(void)
{
    arena_reset(&arena, GRAPH_ARENA);
}

static enum graph_verdict read_as(unsigned http, const char *body)
{
    graph_answer_read((struct pg_text){"123", 3}, http, body, strlen(body), &arena, &a);
    ck_assert((a.verdict == GRAPH_COMPLETE) == (a.motivo[0] == '\0'));
    ck_assert((a.verdict == GRAPH_MISCONFIGURED) == (a.advice != NULL));
    return a.verdict;
}

#define FIELD(name, value) "{\"name\":\"" name "\",\"values\":[\"" value "\"]}"
#define LEAD(fields)       "{\"id\":\"123\",\"field_data\":[" fields "]}"

static void read_fields(const char *fields)
{
    char body[8192];
    snprintf(body, sizeof body, LEAD("%s"), fields);
    ck_assert_int_eq(read_as(200, body), GRAPH_COMPLETE);
}

/* ---- good answers ---- */

START_TEST(test_a_lead_is_complete_with_its_ids_and_fields)
{
    ck_assert_int_eq(
        read_as(200, "{\"created_time\":\"2026-11-22T02:30:00+0000\",\"id\":\"123\",\"ad_id\":"
                     "98765432109876543,\"adset_id\":\"5\",\"form_id\":\"6\",\"field_data\":"
                     "[" FIELD("full_name", "Concei\\u00e7\\u00e3o \\ud83c\\udf3b") "," FIELD(
                         "email", "a@b.c") "," FIELD("phone_number", "+5511") "]}"),
        GRAPH_COMPLETE);
    assert_text(a.row.nome, "Conceição 🌻");
    assert_text(a.row.email, "a@b.c");
    assert_text(a.row.telefone, "+5511");
    assert_text(a.row.anuncio_id, "98765432109876543");
    assert_text(a.row.conjunto_id, "5");
    assert_text(a.row.formulario_id, "6");
    ck_assert_ptr_nonnull(a.row.campos.data);
    ck_assert(a.row.campos.data[0] == '[' && !a.row.teste);
}
END_TEST

START_TEST(test_the_id_may_be_a_number)
{
    ck_assert_int_eq(read_as(200, "{\"id\":123,\"field_data\":[]}"), GRAPH_COMPLETE);
}
END_TEST

START_TEST(test_an_answer_for_another_id_is_not_taken)
{
    static const char *const ids[] = {"\"124\"", "\"1234\"", "\"12\"", "null",
                                      "\"\"",    "[123]",    "123.0"};
    char body[100];
    for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        snprintf(body, sizeof body, "{\"id\":%s,\"field_data\":[]}", ids[i]);
        ck_assert_int_eq(read_as(200, body), GRAPH_RETRY);
    }
    ck_assert_int_eq(read_as(200, "{\"field_data\":[]}"), GRAPH_RETRY);
}
END_TEST

START_TEST(test_a_lead_without_field_data_is_not_complete)
{
    ck_assert_int_eq(read_as(200, "{\"id\":\"123\"}"), GRAPH_RETRY);
    ck_assert_int_eq(read_as(200, "{\"id\":\"123\",\"field_data\":{}}"), GRAPH_RETRY);
    ck_assert_ptr_nonnull(strstr(a.motivo, "leads_retrieval"));
}
END_TEST

/* ---- names of fields ---- */

START_TEST(test_names_in_any_case_with_blanks_or_hyphens_are_known)
{
    static const char *const names[] = {"full_name", "FULL_NAME",     "Full Name",
                                        "nome",      "Nome Completo", "name"};
    static const char *const mails[] = {"email", "E-mail", "e_mail", "Work Email"};
    static const char *const phones[] = {"phone_number", "Telefone", "WhatsApp",
                                         "celular",      "PHONE",    "n\\u00famero de telefone"};
    char fields[200];
    for (unsigned i = 0; i < 6; i++) {
        snprintf(fields, sizeof fields,
                 FIELD("%s", "Ana") "," FIELD("%s", "a@b.c") "," FIELD("%s", "1"), names[i],
                 mails[i % 4], phones[i]);
        read_fields(fields);
        assert_text(a.row.nome, "Ana");
        assert_text(a.row.email, "a@b.c");
        assert_text(a.row.telefone, "1");
    }
}
END_TEST

START_TEST(test_first_and_last_name_are_joined)
{
    read_fields(FIELD("last_name", "Lima") "," FIELD("first_name", "Ana"));
    assert_text(a.row.nome, "Ana Lima");
    read_fields(FIELD("last_name", "Lima"));
    assert_text(a.row.nome, "Lima");
    read_fields(FIELD("first_name", "Ana"));
    assert_text(a.row.nome, "Ana");
    read_fields(FIELD("first_name", "Ana") "," FIELD("full_name", "Ana de Lima"));
    assert_text(a.row.nome, "Ana de Lima");
}
END_TEST

START_TEST(test_the_better_name_wins_wherever_it_stands_and_empty_ones_never)
{
    read_fields(FIELD("phone", "1") "," FIELD("phone_number", "2") "," FIELD("celular", "3"));
    assert_text(a.row.telefone, "2");
    read_fields(FIELD("phone_number", " \\n ") "," FIELD("celular", "3"));
    assert_text(a.row.telefone, "3");
}
END_TEST

START_TEST(test_blanks_around_and_controls_within_are_no_part_of_a_text)
{
    read_fields(FIELD("full_name", " \\t Ana\\nde\\u0007 Lima \\r\\n"));
    assert_text(a.row.nome, "Ana de  Lima");
}
END_TEST

START_TEST(test_text_that_no_column_takes_is_left_out)
{
    read_fields(FIELD("full_name", "x\\u0000") "," FIELD("email", "\\ud800"));
    assert_text(a.row.nome, NULL);
    assert_text(a.row.email, NULL);
    assert_text(a.row.campos, NULL);
}
END_TEST

START_TEST(test_an_overlong_text_stays_in_the_fields_alone)
{
    char text[GRAPH_TEXT_MAX + 2], fields[GRAPH_TEXT_MAX + 100];
    for (size_t len = GRAPH_TEXT_MAX; len <= GRAPH_TEXT_MAX + 1; len++) {
        memset(text, 'x', len);
        text[len] = '\0';
        snprintf(fields, sizeof fields, FIELD("full_name", "%s"), text);
        read_fields(fields);
        assert_text(a.row.nome, len <= GRAPH_TEXT_MAX ? text : NULL);
        ck_assert_ptr_nonnull(a.row.campos.data);
    }
}
END_TEST

START_TEST(test_odd_fields_are_passed_over)
{
    read_fields("7,null,[],{},{\"name\":\"email\"},{\"name\":\"email\",\"values\":[]},"
                "{\"name\":\"email\",\"values\":\"x\"},{\"name\":\"email\",\"values\":[7]},"
                "{\"name\":7,\"values\":[\"x\"]}," FIELD("email", "a@b.c"));
    assert_text(a.row.email, "a@b.c");
}
END_TEST

START_TEST(test_leads_of_the_testing_tool_are_known)
{
    read_fields(FIELD("email",
                      "test@meta.com") "," FIELD("cor?", "\\u003CTest lead: dummy data for cor?>"));
    ck_assert(a.row.teste);
    read_fields(FIELD("full_name", "the <test lead: dummy data for full_name>"));
    ck_assert(!a.row.teste);
    read_fields(FIELD("full_name", "<test lead"));
    ck_assert(!a.row.teste);
}
END_TEST

/* ---- errors ---- */

START_TEST(test_each_error_has_its_verdict)
{
    static const struct {
        unsigned http;
        enum graph_verdict verdict;
        const char *error;
    } cases[] = {
        {403, GRAPH_LIMITED_ALL, "\"code\":4,\"is_transient\":true"},
        {400, GRAPH_LIMITED_ALL, "\"code\":17"},
        {400, GRAPH_LIMITED_PAGE, "\"code\":\"32\""},
        {400, GRAPH_LIMITED_PAGE, "\"code\":613,\"is_transient\":true"},
        {400, GRAPH_LIMITED_PAGE, "\"code\":80000"},
        {400, GRAPH_LIMITED_PAGE, "\"code\":80005"},
        {400, GRAPH_LIMITED_PAGE, "\"code\":80014"},
        {400, GRAPH_REFUSED, "\"code\":80015"},
        {400, GRAPH_LIMITED_ALL, "\"code\":368"},
        {401, GRAPH_MISCONFIGURED, "\"code\":190,\"error_subcode\":463"},
        {400, GRAPH_MISCONFIGURED, "\"code\":102"},
        {403, GRAPH_MISCONFIGURED, "\"code\":10"},
        {403, GRAPH_MISCONFIGURED, "\"code\":200"},
        {403, GRAPH_MISCONFIGURED, "\"code\":299"},
        {403, GRAPH_REFUSED, "\"code\":300"},
        {400, GRAPH_REFUSED, "\"code\":100,\"error_subcode\":33"},
        {400, GRAPH_REFUSED, "\"code\":100"},
        {400, GRAPH_MISCONFIGURED, "\"code\":100,\"message\":\"Invalid appsecret_proof provided\""},
        {400, GRAPH_MISCONFIGURED,
         "\"code\":100,\"message\":\"Tried accessing nonexisting field (x)\""},
        {400, GRAPH_MISCONFIGURED, "\"code\":2635"},
        {404, GRAPH_REFUSED, "\"code\":803"},
        {500, GRAPH_RETRY, "\"code\":1"},
        {400, GRAPH_RETRY, "\"code\":2"},
        {400, GRAPH_RETRY, "\"code\":555,\"is_transient\":true"},
        {400, GRAPH_REFUSED, "\"code\":555,\"is_transient\":false"},
        {503, GRAPH_RETRY, "\"code\":555"},
        {429, GRAPH_LIMITED_ALL, "\"code\":555"},
        {200, GRAPH_MISCONFIGURED, "\"code\":190"},
        {400, GRAPH_RETRY, "\"message\":\"?\""},
        {400, GRAPH_RETRY, "\"code\":99999999999999"},
    };
    char body[300];
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(body, sizeof body, "{\"error\":{%s}}", cases[i].error);
        ck_assert_msg(read_as(cases[i].http, body) == cases[i].verdict, "%s", cases[i].error);
    }
}
END_TEST

START_TEST(test_a_reason_names_code_subcode_and_status)
{
    read_as(400, "{\"error\":{\"code\":100,\"error_subcode\":33}}");
    ck_assert_str_eq(a.motivo,
                     "o lead não existe ou o token não o alcança (Graph 100/33, HTTP 400)");
}
END_TEST

START_TEST(test_no_message_of_metas_is_passed_on)
{
    read_as(400, "{\"error\":{\"code\":190,\"message\":\"Malformed access token EAABsegredo\","
                 "\"type\":\"EAABsegredo\"}}");
    ck_assert_ptr_null(strstr(a.motivo, "EAAB"));
}
END_TEST

START_TEST(test_what_is_no_answer_of_graph_is_tried_again)
{
    static const char *const bodies[] = {"",   "<html>",        "[]",     "null",
                                         "{}", "{\"error\":7}", "{\"id\""};
    for (unsigned i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        ck_assert_int_eq(read_as(404, bodies[i]), GRAPH_RETRY);
        ck_assert_int_eq(read_as(200, bodies[i]), GRAPH_RETRY);
        ck_assert_int_eq(read_as(429, bodies[i]), GRAPH_LIMITED_ALL);
    }
    ck_assert_int_eq(read_as(302, LEAD("")), GRAPH_RETRY);
}
END_TEST

START_TEST(test_no_answer_is_tried_again)
{
    graph_answer_none("Timeout was reached", &a);
    ck_assert_int_eq(a.verdict, GRAPH_RETRY);
    ck_assert_str_eq(a.motivo, "sem resposta da Graph API: Timeout was reached");
}
END_TEST

Suite *suite_graph_answer(void)
{
    Suite *s = suite_create("graph_answer");
    TCase *tc = tcase_create("answers");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, test_a_lead_is_complete_with_its_ids_and_fields);
    tcase_add_test(tc, test_the_id_may_be_a_number);
    tcase_add_test(tc, test_an_answer_for_another_id_is_not_taken);
    tcase_add_test(tc, test_a_lead_without_field_data_is_not_complete);
    tcase_add_test(tc, test_names_in_any_case_with_blanks_or_hyphens_are_known);
    tcase_add_test(tc, test_first_and_last_name_are_joined);
    tcase_add_test(tc, test_the_better_name_wins_wherever_it_stands_and_empty_ones_never);
    tcase_add_test(tc, test_blanks_around_and_controls_within_are_no_part_of_a_text);
    tcase_add_test(tc, test_text_that_no_column_takes_is_left_out);
    tcase_add_test(tc, test_an_overlong_text_stays_in_the_fields_alone);
    tcase_add_test(tc, test_odd_fields_are_passed_over);
    tcase_add_test(tc, test_leads_of_the_testing_tool_are_known);
    tcase_add_test(tc, test_each_error_has_its_verdict);
    tcase_add_test(tc, test_a_reason_names_code_subcode_and_status);
    tcase_add_test(tc, test_no_message_of_metas_is_passed_on);
    tcase_add_test(tc, test_what_is_no_answer_of_graph_is_tried_again);
    tcase_add_test(tc, test_no_answer_is_tried_again);
    suite_add_tcase(s, tc);
    return s;
}
