/* Unit tests of job_keyed: keys that never mix two things up, whatever the ids look like. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/jobs.h"

Suite *suite_job_keyed(void);

static struct arena arena;
static struct job_rows rows;

static void set_up(void)
{
    arena_init(&arena, 64 << 20);
    rows = (struct job_rows){.arena = &arena};
}

static void tear_down(void)
{
    job_rows_release(&rows);
    arena_reset(&arena, 0);
}

/* The event of a delivery with this one message; the text is kept in the arena. */
__attribute__((format(printf, 2, 3))) static struct new_evento run(const char *list,
                                                                   const char *fmt, ...)
{
    char body[4096], text[4096 + 128];
    const char *motivo = NULL;
    va_list args;
    va_start(args, fmt);
    vsnprintf(body, sizeof body, fmt, args);
    va_end(args);
    int len = snprintf(text, sizeof text,
                       "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"%s\":[%s]}]}", list, body);
    char *copy = arena_copy(&arena, text, (size_t)len);
    ck_assert_msg(jobs_run(copy, (size_t)len, &rows, &motivo) == STATUS_OK, "%s: %s", body, motivo);
    return rows.eventos[rows.n_eventos - 1];
}

static bool same(struct pg_text a, struct pg_text b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool is(struct pg_text text, const char *expected)
{
    return same(text, (struct pg_text){expected, strlen(expected)});
}

#define assert_key(e, expected)                                                                    \
    ck_assert_msg(is((e).chave, expected), "%.*s", (int)(e).chave.len, (e).chave.data)
#define assert_hash(e) ck_assert_msg(memcmp((e).chave.data, "hash:", 5) == 0, "not a hash")

/* Catches keys that are parts joined without escapes: "a:deleted" sent is "a", deleted. */
START_TEST(test_an_id_with_colons_is_no_other_thing)
{
    struct new_evento e = run("messaging", "{\"message\":{\"mid\":\"a:deleted\"}}");
    assert_key(e, "mid:a%3Adeleted");
}
END_TEST

START_TEST(test_ids_that_look_like_escapes_are_escaped_too)
{
    struct new_evento a = run("messaging", "{\"message\":{\"mid\":\"a:b\"}}");
    struct new_evento b = run("messaging", "{\"message\":{\"mid\":\"a%%3Ab\"}}");
    ck_assert(is(a.chave, "mid:a%3Ab"));
    ck_assert(is(b.chave, "mid:a%253Ab"));
    ck_assert(is(a.assunto, "a:b"));
}
END_TEST

START_TEST(test_numbers_and_strings_are_the_same_id_with_all_digits)
{
    struct new_evento a =
        run("messaging", "{\"message\":{\"mid\":123456789012345678901234567890}}");
    struct new_evento b =
        run("messaging", "{\"message\":{\"mid\":\"123456789012345678901234567890\"}}");
    struct new_evento c = run("messaging", "{\"message\":{\"mid\":\"\\u0031\\u0032\"}}");
    assert_key(a, "mid:123456789012345678901234567890");
    ck_assert(same(a.chave, b.chave));
    assert_key(c, "mid:12");
}
END_TEST

START_TEST(test_what_is_no_id_makes_a_digest)
{
    static const char *const ids[] = {"null", "\"\"",        "{}",          "[]",
                                      "true", "\"\\u0000\"", "\"\\ud800\"", "\"a\\udc00b\""};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct new_evento e =
            run("messaging", "{\"message\":{\"mid\":%s},\"timestamp\":1569262486134}", ids[i]);
        assert_hash(e);
        ck_assert_ptr_null(e.assunto.data);
        ck_assert_int_eq(e.ocorrido_us, 1569262486134000);
        e = run("messaging",
                "{\"reaction\":{\"mid\":\"m\",\"action\":\"react\"},\"sender\":{\"id\":"
                "%s}}",
                ids[i]);
        assert_hash(e);
    }
}
END_TEST

START_TEST(test_an_overlong_id_makes_a_digest_and_no_key_is_longer_than_its_bound)
{
    char id[JOBS_PART_MAX + 2];
    memset(id, ':', sizeof id);
    id[JOBS_PART_MAX + 1] = '\0';
    assert_hash(run("messaging", "{\"message\":{\"mid\":\"%s\"}}", id));
    id[JOBS_PART_MAX] = '\0';
    assert_hash(run("messaging", "{\"message\":{\"mid\":\"%s\"}}", id)); /* 3 × 512 is too long */
    memset(id, 'a', JOBS_PART_MAX);
    struct new_evento e = run("messaging", "{\"message\":{\"mid\":\"%s\"}}", id);
    ck_assert_uint_eq(e.chave.len, 4 + JOBS_PART_MAX);
}
END_TEST

START_TEST(test_the_same_message_in_messaging_and_standby_has_one_key)
{
    struct new_evento a = run("messaging", "{\"message\":{\"mid\":\"m_1\"}}");
    struct new_evento b = run("standby", "{\"message\":{\"mid\":\"m_1\"}}");
    ck_assert(same(a.chave, b.chave));
    ck_assert(is(b.campo, "message"));
}
END_TEST

START_TEST(test_a_deletion_that_is_denied_is_none)
{
    struct new_evento e = run("messaging", "{\"message\":{\"mid\":\"m_1\",\"is_deleted\":false}}");
    assert_key(e, "mid:m_1");
    ck_assert_ptr_null(e.estado.data);
}
END_TEST

START_TEST(test_the_person_is_never_the_page_itself)
{
    struct new_evento e = run("messaging", "{\"sender\":{\"id\":1},\"recipient\":{\"id\":\"9\"},"
                                           "\"message\":{\"mid\":\"m_1\"}}");
    ck_assert(is(e.contato, "9"));
    e = run("messaging",
            "{\"sender\":{\"id\":1},\"recipient\":{\"id\":1},\"message\":{\"mid\":\"m\"}}");
    ck_assert_ptr_null(e.contato.data);
}
END_TEST

#define REACTION                                                                                   \
    "{\"field\":\"feed\",\"value\":{\"item\":\"reaction\",\"verb\":\"add\",\"post_id\":\"1_2\"%s}" \
    "}"

START_TEST(test_reactions_of_two_people_and_of_nobody_are_three)
{
    struct new_evento a = run("changes", REACTION, ",\"from\":{\"id\":\"7\"}");
    struct new_evento b = run("changes", REACTION, ",\"from\":{\"id\":\"8\"}");
    assert_key(a, "post:1_2:reaction:add:7");
    assert_key(b, "post:1_2:reaction:add:8");
    assert_hash(run("changes", REACTION, ""));
}
END_TEST

START_TEST(test_the_last_of_equal_members_counts)
{
    struct new_evento e =
        run("messaging", "{\"message\":{\"mid\":\"m_1\"},\"message\":{\"mid\":\"m_2\"}}");
    assert_key(e, "mid:m_2");
}
END_TEST

Suite *suite_job_keyed(void)
{
    Suite *s = suite_create("job_keyed");
    TCase *c = tcase_create("keys");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_an_id_with_colons_is_no_other_thing);
    tcase_add_test(c, test_ids_that_look_like_escapes_are_escaped_too);
    tcase_add_test(c, test_numbers_and_strings_are_the_same_id_with_all_digits);
    tcase_add_test(c, test_what_is_no_id_makes_a_digest);
    tcase_add_test(c, test_an_overlong_id_makes_a_digest_and_no_key_is_longer_than_its_bound);
    tcase_add_test(c, test_the_same_message_in_messaging_and_standby_has_one_key);
    tcase_add_test(c, test_a_deletion_that_is_denied_is_none);
    tcase_add_test(c, test_the_person_is_never_the_page_itself);
    tcase_add_test(c, test_reactions_of_two_people_and_of_nobody_are_three);
    tcase_add_test(c, test_the_last_of_equal_members_counts);
    suite_add_tcase(s, c);
    return s;
}
