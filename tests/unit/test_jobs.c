/* Unit tests of jobs, job_lead and job_archive: which rows a delivery becomes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert_text.h"
#include "worker/jobs.h"

Suite *suite_jobs(void);

static struct arena arena;
static struct job_rows rows;
static const char *motivo;

static void set_up(void)
{
    arena_init(&arena, 64 << 20);
    rows = (struct job_rows){.arena = &arena};
    motivo = NULL;
}

static void tear_down(void)
{
    job_rows_release(&rows);
    arena_reset(&arena, 0);
}

static enum status run(const char *text)
{
    return jobs_run(text, strlen(text), &rows, &motivo);
}

#define ENTRY(id, list) "{\"object\":\"page\",\"entry\":[{\"id\":" id ",\"time\":1," list "}]}"
#define LEAD(value)     "{\"field\":\"leadgen\",\"value\":" value "}"

/* ---- leads ---- */

START_TEST(test_a_lead_becomes_an_event_and_a_lead)
{
    ck_assert_int_eq(
        run(ENTRY("\"153\"", "\"changes\":[" LEAD("{\"leadgen_id\":\"123456789012345678\","
                                                  "\"page_id\":\"154\",\"form_id\":\"2\",\"ad_id\":"
                                                  "\"3\",\"adgroup_id\":\"4\",\"created_time\":"
                                                  "1795314600}") "]")),
        STATUS_OK);
    ck_assert_uint_eq(rows.n_eventos, 1);
    ck_assert_uint_eq(rows.n_leads, 1);
    assert_text(rows.eventos[0].chave, "leadgen:123456789012345678");
    assert_text(rows.eventos[0].objeto, "page");
    assert_text(rows.eventos[0].campo, "leadgen");
    assert_text(rows.eventos[0].entidade, "153");
    ck_assert_int_eq(rows.eventos[0].ocorrido_us, 1795314600000000);
    ck_assert_int_eq(rows.eventos[0].conteudo.data[0], '{');
    assert_text(rows.leads[0].leadgen_id, "123456789012345678");
    assert_text(rows.leads[0].pagina_id, "154");
    assert_text(rows.leads[0].formulario_id, "2");
    assert_text(rows.leads[0].anuncio_id, "3");
    assert_text(rows.leads[0].conjunto_id, "4");
    ck_assert_int_eq(rows.leads[0].criado_us, 1795314600000000);
    ck_assert(!rows.leads[0].teste);
}
END_TEST

/* Catches a parser that goes through a double, or through 64 bits. */
START_TEST(test_ids_keep_all_digits_as_numbers_and_as_strings)
{
    static const struct {
        const char *id, *text;
    } table[] = {{"9007199254740993", "9007199254740993"},
                 {"9223372036854775808", "9223372036854775808"},
                 {"99999999999999999999999999", "99999999999999999999999999"},
                 {"\"9007199254740993\"", "9007199254740993"},
                 {"\"\\u0031\\u0032\"", "12"},
                 {"\"a_b-1\"", "a_b-1"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, ENTRY("%s", "\"changes\":[" LEAD("{\"leadgen_id\":%s}") "]"),
                 table[i].id, table[i].id);
        /* The rows point into the text, so they are looked at before the next one. */
        ck_assert_int_eq(run(text), STATUS_OK);
        ck_assert_uint_eq(rows.n_leads, i + 1);
        assert_text(rows.leads[i].leadgen_id, table[i].text);
        assert_text(rows.leads[i].pagina_id, table[i].text);
    }
}
END_TEST

START_TEST(test_a_lead_without_a_usable_id_is_an_event_like_any_other)
{
    static const char *const ids[] = {"null", "\"\"", "{}", "true", "\"\\u0000\"", "\"\\ud800\""};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, ENTRY("1", "\"changes\":[" LEAD("{\"leadgen_id\":%s}") "]"),
                 ids[i]);
        ck_assert_int_eq(run(text), STATUS_OK);
        ck_assert_uint_eq(rows.n_leads, 0);
        ck_assert_uint_eq(rows.n_eventos, i + 1);
        ck_assert_mem_eq(rows.eventos[i].chave.data, "hash:", 5);
        assert_text(rows.eventos[i].campo, "leadgen");
    }
}
END_TEST

START_TEST(test_an_overlong_id_is_no_id)
{
    char text[512], id[JOBS_ID_MAX + 2];
    memset(id, '1', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    snprintf(text, sizeof text, ENTRY("1", "\"changes\":[" LEAD("{\"leadgen_id\":\"%s\"}") "]"),
             id);
    ck_assert_int_eq(run(text), STATUS_OK);
    ck_assert_uint_eq(rows.n_leads, 0);
    ck_assert_uint_eq(rows.n_eventos, 1);
}
END_TEST

START_TEST(test_leads_of_the_test_button_are_told_from_real_ones)
{
    static const struct {
        const char *id;
        bool test;
    } table[] = {{"444444444444", true},
                 {"44444444", true},
                 {"4444444", false},
                 {"444444444445", false},
                 {"144444444444", false},
                 {"444444444444000000000001", true},
                 {"44444444444400000000001", false},
                 {"444444444440000000000001", false}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, ENTRY("1", "\"changes\":[" LEAD("{\"leadgen_id\":\"%s\"}") "]"),
                 table[i].id);
        ck_assert_int_eq(run(text), STATUS_OK);
        ck_assert_msg(rows.leads[i].teste == table[i].test, "row %zu", i);
    }
}
END_TEST

/* ---- splitting ---- */

START_TEST(test_every_entry_and_every_list_is_split)
{
    ck_assert_int_eq(
        run("{\"entry\":[{\"id\":1,\"changes\":[" LEAD(
            "{\"leadgen_id\":1}") ",{\"field\":\"feed\","
                                  "\"value\":{}}]},{\"id\":\"2\",\"messaging\":[{\"timestamp\":"
                                  "1569262486134}],\"standby\":"
                                  "[{}],\"changed_fields\":[\"name\"]},{},7],\"object\":\"page\"}"),
        STATUS_OK);
    ck_assert_uint_eq(rows.n_eventos, 5);
    ck_assert_uint_eq(rows.n_leads, 1);
    assert_text(rows.eventos[1].campo, "feed");
    assert_text(rows.eventos[1].entidade, "1");
    ck_assert_int_eq(rows.eventos[1].ocorrido_us, STORE_NO_TIME);
    assert_text(rows.eventos[2].campo, "messaging");
    assert_text(rows.eventos[2].entidade, "2");
    ck_assert_int_eq(rows.eventos[2].ocorrido_us, 1569262486134000);
    assert_text(rows.eventos[3].campo, "standby");
    assert_text(rows.eventos[4].campo, "name");
    assert_text(rows.eventos[4].conteudo, "\"name\"");
}
END_TEST

START_TEST(test_an_update_of_a_strange_shape_is_kept_beside_its_neighbours)
{
    ck_assert_int_eq(
        run(ENTRY("{}", "\"changes\":[null,5,[1],{\"field\":3}," LEAD("{\"leadgen_id\":1}") "]")),
        STATUS_OK);
    ck_assert_uint_eq(rows.n_eventos, 5);
    ck_assert_uint_eq(rows.n_leads, 1);
    assert_text(rows.eventos[0].entidade, NULL);
    assert_text(rows.eventos[0].campo, "changes");
    assert_text(rows.eventos[1].conteudo, "5");
}
END_TEST

START_TEST(test_the_form_goes_by_object_and_field)
{
    ck_assert_int_eq(run("{\"object\":\"instagram\",\"entry\":[{\"changes\":[" LEAD(
                         "{\"leadgen_id\":1}") "]}]}"),
                     STATUS_OK);
    ck_assert_int_eq(run(ENTRY("1", "\"messaging\":[" LEAD("{\"leadgen_id\":1}") "]")), STATUS_OK);
    ck_assert_uint_eq(rows.n_leads, 0);
    ck_assert_uint_eq(rows.n_eventos, 2);
}
END_TEST

START_TEST(test_what_jsonb_refuses_is_left_out_of_the_event_alone)
{
    ck_assert_int_eq(
        run(ENTRY("1", "\"changes\":[" LEAD("{\"leadgen_id\":1,\"x\":\"\\u0000\"}") "," LEAD(
                           "{\"leadgen_id\":2}") "]")),
        STATUS_OK);
    assert_text(rows.eventos[0].conteudo, NULL);
    assert_text(rows.eventos[0].chave, "leadgen:1");
    ck_assert_ptr_nonnull(rows.eventos[1].conteudo.data);
    ck_assert_uint_eq(rows.n_leads, 2);
}
END_TEST

/* ---- dead letters ---- */

START_TEST(test_what_is_no_delivery_has_a_reason_and_no_rows)
{
    static const char *const texts[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"object\":\"page\"}",
        "{\"object\":1,\"entry\":[]}",
        "{\"object\":\"page\",\"entry\":{}}",
        "{\"object\":\"page\",\"entry\":[]}",
        "{\"object\":\"page\",\"entry\":[{\"id\":1}]}",
        "{\"object\":\"page\",\"entry\":[{\"id\":1,\"changes\":{}}]}",
        ENTRY("1", "\"changes\":[" LEAD("{\"leadgen_id\":1}") "]") "x"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        motivo = NULL;
        ck_assert_msg(run(texts[i]) == STATUS_INVALID, "row %zu", i);
        ck_assert_msg(motivo && *motivo, "row %zu", i);
        ck_assert_uint_eq(rows.n_eventos, 0);
    }
}
END_TEST

static char *with_updates(size_t n)
{
    char *text = malloc(64 + 2 * n), *p = text;
    ck_assert_ptr_nonnull(text);
    p += sprintf(p, "{\"object\":\"page\",\"entry\":[{\"changes\":[0");
    for (size_t i = 1; i < n; i++)
        p += sprintf(p, ",0");
    sprintf(p, "]}]}");
    return text;
}

START_TEST(test_a_thousand_updates_pass_and_a_flood_does_not)
{
    char *text = with_updates(JOBS_UPDATES_MAX + 1);
    ck_assert_int_eq(run(text), STATUS_INVALID);
    ck_assert_ptr_nonnull(motivo);
    ck_assert_uint_eq(rows.n_eventos, 0);
    free(text);
    text = with_updates(JOBS_UPDATES_MAX);
    ck_assert_int_eq(run(text), STATUS_OK);
    ck_assert_uint_eq(rows.n_eventos, JOBS_UPDATES_MAX);
    free(text);
}
END_TEST

START_TEST(test_without_memory_nothing_of_the_delivery_counts)
{
    arena_reset(&arena, 20); /* one key, not two */
    ck_assert_int_eq(run(ENTRY("1", "\"changes\":[" LEAD("{\"leadgen_id\":1}") "," LEAD(
                                        "{\"leadgen_id\":2}") "]")),
                     STATUS_OVERLOADED);
    ck_assert_uint_eq(rows.n_eventos, 0);
    ck_assert_uint_eq(rows.n_leads, 0);
}
END_TEST

/* ---- digests ---- */

static struct pg_text key_of(const char *text)
{
    ck_assert_int_eq(run(text), STATUS_OK);
    return rows.eventos[rows.n_eventos - 1].chave;
}

static bool same(struct pg_text a, struct pg_text b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

#define FEED(time, value)                                                                          \
    "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"time\":" time                                 \
    ",\"changes\":[{\"field\":\"feed\",\"value\":" value "}]}]}"

START_TEST(test_an_update_delivered_again_has_the_same_key)
{
    struct pg_text key = key_of(FEED("1", "{\"a\":1,\"b\":\"\\/\"}"));
    ck_assert_uint_eq(key.len, 5 + 64);
    ck_assert(same(key, key_of(FEED("2", "{\"b\" : \"/\", \"a\":1}"))));
    ck_assert(
        same(key, key_of("{\"entry\":[{\"changes\":[{\"field\":\"x\"},{\"value\":{\"a\":1,"
                         "\"b\":\"/\"},\"field\":\"feed\"}],\"id\":1}],\"object\":\"page\"}")));
}
END_TEST

START_TEST(test_another_update_has_another_key)
{
    struct pg_text key = key_of(FEED("1", "{\"a\":1}"));
    ck_assert(!same(key, key_of(FEED("1", "{\"a\":2}"))));
    ck_assert(!same(key, key_of("{\"object\":\"page\",\"entry\":[{\"id\":\"2\",\"changes\":[{"
                                "\"field\":\"feed\",\"value\":{\"a\":1}}]}]}")));
    ck_assert(!same(key, key_of("{\"object\":\"user\",\"entry\":[{\"id\":\"1\",\"changes\":[{"
                                "\"field\":\"feed\",\"value\":{\"a\":1}}]}]}")));
    ck_assert(
        !same(key, key_of(ENTRY("1", "\"standby\":[{\"field\":\"feed\",\"value\":{\"a\":1}}]"))));
}
END_TEST

/* The keys that are stored must never change: a digest of the year before has to match. */
START_TEST(test_the_digest_is_the_one_that_was_stored)
{
    assert_text(key_of(FEED("1", "{\"x\":1}")),
                "hash:11e5ffb79de01c5fa2093f9d7ef5a313fa16a02599e44197e59b27dca93a3b40");
}
END_TEST

START_TEST(test_times_are_seconds_or_milliseconds)
{
    static const struct {
        const char *text;
        int64_t us;
    } table[] = {{"1569262486", 1569262486000000},
                 {"\"1569262486\"", 1569262486000000},
                 {"1569262486134", 1569262486134000},
                 {"0", 0},
                 {"-1", STORE_NO_TIME},
                 {"1.5", STORE_NO_TIME},
                 {"\"ontem\"", STORE_NO_TIME},
                 {"999999999999999999999", STORE_NO_TIME},
                 {"null", STORE_NO_TIME}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct jsonscan v;
        ck_assert_ptr_null(jsonscan_check(table[i].text, strlen(table[i].text), &v));
        ck_assert_msg(job_time_us(v) == table[i].us, "row %zu", i);
    }
}
END_TEST

Suite *suite_jobs(void)
{
    Suite *s = suite_create("jobs");
    TCase *c = tcase_create("leads");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_a_lead_becomes_an_event_and_a_lead);
    tcase_add_test(c, test_ids_keep_all_digits_as_numbers_and_as_strings);
    tcase_add_test(c, test_a_lead_without_a_usable_id_is_an_event_like_any_other);
    tcase_add_test(c, test_an_overlong_id_is_no_id);
    tcase_add_test(c, test_leads_of_the_test_button_are_told_from_real_ones);
    suite_add_tcase(s, c);
    c = tcase_create("splitting");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_every_entry_and_every_list_is_split);
    tcase_add_test(c, test_an_update_of_a_strange_shape_is_kept_beside_its_neighbours);
    tcase_add_test(c, test_the_form_goes_by_object_and_field);
    tcase_add_test(c, test_what_jsonb_refuses_is_left_out_of_the_event_alone);
    suite_add_tcase(s, c);
    c = tcase_create("dead letters");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_what_is_no_delivery_has_a_reason_and_no_rows);
    tcase_add_test(c, test_a_thousand_updates_pass_and_a_flood_does_not);
    tcase_add_test(c, test_without_memory_nothing_of_the_delivery_counts);
    suite_add_tcase(s, c);
    c = tcase_create("digests");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_an_update_delivered_again_has_the_same_key);
    tcase_add_test(c, test_another_update_has_another_key);
    tcase_add_test(c, test_the_digest_is_the_one_that_was_stored);
    tcase_add_test(c, test_times_are_seconds_or_milliseconds);
    suite_add_tcase(s, c);
    return s;
}
