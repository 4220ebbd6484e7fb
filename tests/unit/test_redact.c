/* Unit tests of redact. */
#include <check.h>
#include <string.h>

#include "buf.h"
#include "redact.h"

Suite *suite_redact(void);

static void assert_redacted(const char *text, const char *want)
{
    struct buf b = buf_init(10000);
    ck_assert(redact_json(&b, text, strlen(text)));
    ck_assert_msg(b.len == strlen(want) && memcmp(b.data, want, b.len) == 0, "%.*s, want %s",
                  (int)b.len, b.data, want);
    buf_release(&b);
}

START_TEST(what_nobody_knows_is_hidden)
{
    assert_redacted(" \"Ana\" ", "\"[oculto]\"");
    assert_redacted("5511999", "\"[oculto]\"");
    assert_redacted("{\"id\": \"1\", \"x\": [1, \"b\", true, null, {\"y\": -1e5}]}",
                    "{\"id\":\"[oculto]\",\"x\":[\"[oculto]\",\"[oculto]\",true,null,"
                    "{\"y\":\"[oculto]\"}]}");
}
END_TEST

START_TEST(harmless_keys_keep_ids_words_and_times)
{
    assert_redacted("{\"field\":\"leadgen\",\"value\":{\"form_id\":12,\"verb\":\"add\"}}",
                    "{\"field\":\"leadgen\",\"value\":{\"form_id\":12,\"verb\":\"add\"}}");
    assert_redacted("{\"changed_fields\":[\"email\",[\"photos\"]]}",
                    "{\"changed_fields\":[\"email\",[\"photos\"]]}");
}
END_TEST

/* Catches a pass that lets the key of an outer object count for what stands deeper. */
START_TEST(a_harmless_key_covers_no_sentence_and_no_object)
{
    assert_redacted("{\"status\":\"Ana ligou\",\"item\":\"a@b.c\",\"verb\":\"\\u0041\"}",
                    "{\"status\":\"[oculto]\",\"item\":\"[oculto]\",\"verb\":\"[oculto]\"}");
    assert_redacted("{\"status\":{\"nome\":\"Ana\"},\"x\":\"Ana\"}",
                    "{\"status\":{\"nome\":\"[oculto]\"},\"x\":\"[oculto]\"}");
    assert_redacted("{\"status\":[{\"a\":\"Ana\"},\"b\"]}",
                    "{\"status\":[{\"a\":\"[oculto]\"},\"b\"]}");
}
END_TEST

START_TEST(keys_that_are_no_names_are_hidden_and_stay_apart)
{
    assert_redacted("{\"5511\":1,\"ana@x\":{\"b c\":2},\"\\u0069d\":3}",
                    "{\"[oculto]\":\"[oculto]\",\"[oculto 2]\":{\"[oculto 3]\":\"[oculto]\"},"
                    "\"[oculto 4]\":\"[oculto]\"}");
}
END_TEST

START_TEST(what_is_no_json_gives_nothing)
{
    struct buf b = buf_init(100);
    ck_assert(!redact_json(&b, "{", 1));
    ck_assert(!redact_json(&b, "\xff", 1));
    ck_assert(!redact_json(&b, "", 0));
    ck_assert_uint_eq(b.len, 0);
    buf_release(&b);
}
END_TEST

START_TEST(the_deepest_nesting_and_a_full_buffer)
{
    char text[513];
    memset(text, '[', 256);
    memset(text + 256, ']', 256);
    struct buf b = buf_init(1000), full = buf_init(8);
    ck_assert(redact_json(&b, text, 512));
    ck_assert(b.len == 512 && memcmp(b.data, text, 512) == 0);
    ck_assert(redact_json(&full, "[1,2,3]", 7));
    ck_assert(buf_failed(&full));
    buf_release(&b);
    buf_release(&full);
}
END_TEST

Suite *suite_redact(void)
{
    Suite *s = suite_create("redact");
    TCase *c = tcase_create("redact");
    tcase_add_test(c, what_nobody_knows_is_hidden);
    tcase_add_test(c, harmless_keys_keep_ids_words_and_times);
    tcase_add_test(c, a_harmless_key_covers_no_sentence_and_no_object);
    tcase_add_test(c, keys_that_are_no_names_are_hidden_and_stay_apart);
    tcase_add_test(c, what_is_no_json_gives_nothing);
    tcase_add_test(c, the_deepest_nesting_and_a_full_buffer);
    suite_add_tcase(s, c);
    return s;
}
