/* Unit tests of jsonget. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonget.h"
#include "text.h"

Suite *suite_jsonget(void);

static struct jsonget g;

static char *body; /* what g points into */

static void release(void)
{
    free(body);
    body = NULL;
}

static enum status parse_bytes(const char *text, size_t len)
{
    release();
    body = malloc(len ? len : 1); /* not a byte more */
    memcpy(body, text, len);
    return jsonget_parse(&g, body, len);
}

static enum status parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

/* One error, of `field`, whose message holds `part`. */
static void assert_error(const char *field, const char *part)
{
    ck_assert_uint_eq(g.n_errors, 1);
    ck_assert_str_eq(g.errors[0].field, field);
    ck_assert_msg(strstr(g.errors[0].message, part) != NULL, "%s, want %s", g.errors[0].message,
                  part);
}

static void assert_refused(const char *text, const char *field, const char *part)
{
    ck_assert_msg(parse(text) == STATUS_BAD_REQUEST, "%s", text);
    assert_error(field, part);
}

/* depth */

START_TEST(test_depth_counts_open_brackets_outside_of_strings)
{
    static const struct {
        const char *text;
        size_t depth;
    } rows[] = {
        {"", 0},
        {"42", 0},
        {"{}", 1},
        {"[[],[[]]]", 3},
        {"{\"a\":[{}]}", 3},
        {"[\"[[[[\"]", 1},
        {"[\"\\\"[[\"]", 1},
        {"[\"\\\\\"[", 2},
        {"[\"\\\\\",[", 2},
        {"]]]][", 1},
        {"[\"[[", 1},
        {"\"\\", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(jsonget_depth(rows[i].text, strlen(rows[i].text)) == rows[i].depth, "%s",
                      rows[i].text);
}
END_TEST

/* {"a":{"a":…{}…}} with `n` objects in all. */
static char *nested(unsigned n)
{
    char *text = malloc(n * 6 + 1), *p = text;
    for (unsigned i = 1; i < n; i++)
        p = stpcpy(p, "{\"a\":");
    p = stpcpy(p, "{");
    for (unsigned i = 0; i < n; i++)
        p = stpcpy(p, "}");
    return text;
}

START_TEST(test_32_levels_pass_and_33_are_refused)
{
    char *good = nested(32), *deep = nested(33), *abyss = nested(100000);
    ck_assert_int_eq(parse(good), STATUS_OK);
    assert_refused(deep, "", "32 níveis");
    assert_refused(abyss, "", "32 níveis");
    free(good);
    free(deep);
    free(abyss);
}
END_TEST

/* parsing */

START_TEST(test_an_empty_body_is_told_as_one)
{
    assert_refused("", "", "vazio");
    assert_refused(" \r\n\t", "", "vazio");
    ck_assert_int_eq(jsonget_parse(&g, NULL, 0), STATUS_BAD_REQUEST);
}
END_TEST

START_TEST(test_broken_json_is_told_with_its_place)
{
    assert_refused("{\"a\":nul}", "", "linha 1, coluna 6");
    assert_refused("{\n\"a\":'x'}", "", "linha 2, coluna");
    assert_refused("{'a':1}", "", "JSON válido");
    assert_refused("{\"a\":1,}", "", "JSON válido");
    assert_refused("{\"a\":\"\n\"}", "", "caractere de controle");
    assert_refused("{\"a\":1", "", "termina antes");
    assert_refused("{\"a\":\"x", "", "termina antes");
    assert_refused("{} x", "", "depois do fim");
    assert_refused("{}{}", "", "depois do fim");
    assert_refused("{\"a\":01}", "", "JSON válido");
}
END_TEST

START_TEST(test_another_value_than_an_object_is_refused)
{
    assert_refused("[]", "", "objeto JSON");
    assert_refused("42", "", "objeto JSON");
    assert_refused("\"{}\"", "", "objeto JSON");
    assert_refused("null", "", "objeto JSON");
}
END_TEST

START_TEST(test_invalid_utf8_is_refused)
{
    assert_refused("{\"a\":\"\xff\"}", "", "UTF-8");
    assert_refused("{\"a\":\"\xc0\x80\"}", "", "UTF-8");
    assert_refused("{\"a\":\"\xed\xa0\x80\"}", "", "UTF-8");
}
END_TEST

START_TEST(test_u0000_is_refused_raw_and_escaped)
{
    assert_refused("{\"a\":\"x\\u0000\"}", "a", "U+0000");
    assert_refused("{\"a\\u0000\":1}", "", "U+0000");
    ck_assert_int_eq(parse_bytes("{}\0", 3), STATUS_BAD_REQUEST);
    assert_error("", "U+0000");
    ck_assert_int_eq(parse_bytes("\0\0", 2), STATUS_BAD_REQUEST);
    assert_error("", "U+0000");
}
END_TEST

START_TEST(test_half_a_surrogate_pair_is_refused_by_name)
{
    assert_refused("{\"a\":\"\\ud800\"}", "a", "substituto");
    assert_refused("{\"a\":\"\\udc00\\ud800\"}", "a", "substituto");
    assert_refused("{\"\\ud800\":1}", "", "substituto");
}
END_TEST

START_TEST(test_a_repeated_key_is_named)
{
    assert_refused("{\"titulo\":1,\"titulo\":2}", "titulo", "mais de uma vez");
    assert_refused("{\"\\u00e9\\\"\":1,\"é\\\"\":2}", "é\"",
                   "mais de uma vez"); /* spelt two ways */
}
END_TEST

/* No field takes an object, so what is inside of one need not be looked at. */
START_TEST(test_a_key_repeated_deeper_is_refused_with_its_field)
{
    size_t len;
    ck_assert_int_eq(parse("{\"a\":{\"ç\":1,\"ç\":2},\"b\":[{\"x\":\"\\ud800\"}]}"), STATUS_OK);
    ck_assert_ptr_null(jsonget_string(&g, "a", false, 0, 10, &len));
    assert_error("a", "deve ser um texto");
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
    ck_assert_str_eq(g.errors[1].field, "b");
}
END_TEST

START_TEST(test_strings_are_decoded_in_their_place)
{
    size_t len;
    ck_assert_int_eq(
        parse("{ \"\\u0061\" : \"\\\"\\n\\ud83d\\ude00\\/é\" ,\"b\":\"\",\"c\":\"x\"}"), STATUS_OK);
    ck_assert_str_eq(jsonget_string(&g, "a", true, 5, 5, &len), "\"\n😀/é");
    ck_assert_uint_eq(len, strlen("\"\n😀/é"));
    ck_assert_str_eq(jsonget_string(&g, "b", true, 0, 9, &len), "");
    ck_assert_str_eq(jsonget_string(&g, "c", true, 0, 9, &len), "x");
    ck_assert_int_eq(jsonget_finish(&g), STATUS_OK);
}
END_TEST

START_TEST(test_an_integer_beyond_64_bits_is_told_its_bounds)
{
    ck_assert_int_eq(parse("{\"a\":9223372036854775808,\"b\":1e2,\"c\":\"5\"}"), STATUS_OK);
    ck_assert_int_eq(jsonget_int(&g, "a", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_int(&g, "b", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_int(&g, "c", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
    ck_assert_uint_eq(g.n_errors, 3);
    ck_assert_str_eq(g.errors[0].message, "deve ser de 1 a 100");
    ck_assert_str_eq(g.errors[1].message, "deve ser um número inteiro");
    ck_assert_str_eq(g.errors[2].message, "deve ser um número inteiro");
}
END_TEST

START_TEST(test_a_second_parse_starts_afresh)
{
    assert_refused("[", "", "termina antes");
    ck_assert_int_eq(parse("{}"), STATUS_OK);
    ck_assert_uint_eq(g.n_errors, 0);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_OK);
}
END_TEST

/* fields */

START_TEST(test_a_string_within_its_bounds_is_given)
{
    size_t len = 0;
    ck_assert_int_eq(parse("{\"titulo\":\"Olá\"}"), STATUS_OK);
    ck_assert_str_eq(jsonget_string(&g, "titulo", true, 3, 3, &len), "Olá");
    ck_assert_uint_eq(len, 4); /* bytes; the bounds are characters */
    ck_assert_int_eq(jsonget_finish(&g), STATUS_OK);
}
END_TEST

static void assert_length_refused(const char *text, size_t min, size_t max, const char *message)
{
    size_t len = 99;
    ck_assert_int_eq(parse(text), STATUS_OK);
    ck_assert_ptr_null(jsonget_string(&g, "t", true, min, max, &len));
    ck_assert_uint_eq(len, 0);
    assert_error("t", message);
    ck_assert_str_eq(g.errors[0].message, message);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
}

START_TEST(test_a_string_of_another_length_is_refused_in_characters)
{
    assert_length_refused("{\"t\":\"\"}", 1, 200, "deve ter de 1 a 200 caracteres");
    assert_length_refused("{\"t\":\"ééé\"}", 1, 2, "deve ter de 1 a 2 caracteres");
    assert_length_refused("{\"t\":\"ééé\"}", 0, 2, "deve ter no máximo 2 caracteres");
    assert_length_refused("{\"t\":\"ééé\"}", 6, 6, "deve ter 6 caracteres"); /* it has 6 bytes */
    assert_length_refused("{}", 1, 200, "é obrigatório");
    assert_length_refused("{\"t\":null}", 1, 200, "é obrigatório");
    assert_length_refused("{\"t\":42}", 1, 200, "deve ser um texto");
    assert_length_refused("{\"t\":[\"x\"]}", 1, 200, "deve ser um texto");
}
END_TEST

START_TEST(test_an_optional_string_may_be_missing_or_null)
{
    size_t len = 99;
    ck_assert_int_eq(parse("{\"b\":null}"), STATUS_OK);
    ck_assert_ptr_null(jsonget_string(&g, "a", false, 1, 10, &len));
    ck_assert_uint_eq(len, 0);
    ck_assert_ptr_null(jsonget_string(&g, "b", false, 1, 10, &len));
    ck_assert_int_eq(jsonget_finish(&g), STATUS_OK);
}
END_TEST

START_TEST(test_an_integer_within_its_bounds_is_given)
{
    ck_assert_int_eq(parse("{\"a\":1,\"b\":100,\"c\":-9223372036854775808,\"d\":null}"), STATUS_OK);
    ck_assert_int_eq(jsonget_int(&g, "a", 1, 100, 7), 1);
    ck_assert_int_eq(jsonget_int(&g, "b", 1, 100, 7), 100);
    ck_assert_int_eq(jsonget_int(&g, "c", INT64_MIN, 0, 7), INT64_MIN);
    ck_assert_int_eq(jsonget_int(&g, "d", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_int(&g, "e", 1, 100, 8), 8);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_OK);
}
END_TEST

START_TEST(test_another_integer_or_type_is_refused)
{
    ck_assert_int_eq(parse("{\"a\":0,\"b\":101,\"c\":1.0,\"d\":\"1\",\"e\":true}"), STATUS_OK);
    ck_assert_int_eq(jsonget_int(&g, "a", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_int(&g, "b", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_int(&g, "c", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_int(&g, "d", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_int(&g, "e", 1, 100, 7), 7);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
    ck_assert_uint_eq(g.n_errors, 5);
    ck_assert_str_eq(g.errors[0].message, "deve ser de 1 a 100");
    ck_assert_str_eq(g.errors[1].field, "b");
    for (int i = 2; i < 5; i++)
        ck_assert_str_eq(g.errors[i].message, "deve ser um número inteiro");
}
END_TEST

START_TEST(test_a_truth_is_true_or_false_and_nothing_else)
{
    ck_assert_int_eq(parse("{\"a\":true,\"b\":false,\"c\":null,\"d\":1,\"e\":\"true\"}"),
                     STATUS_OK);
    ck_assert_int_eq(jsonget_bool(&g, "a", 7), 1);
    ck_assert_int_eq(jsonget_bool(&g, "b", 7), 0);
    ck_assert_int_eq(jsonget_bool(&g, "c", 7), 7);
    ck_assert_int_eq(jsonget_bool(&g, "x", 7), 7);
    ck_assert_uint_eq(g.n_errors, 0);
    ck_assert_int_eq(jsonget_bool(&g, "d", 7), 7);
    ck_assert_int_eq(jsonget_bool(&g, "e", 7), 7);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
    ck_assert_uint_eq(g.n_errors, 2);
}
END_TEST

START_TEST(test_null_is_told_from_what_is_left_out)
{
    ck_assert_int_eq(parse("{\"a\":null,\"b\":\"null\",\"c\":0}"), STATUS_OK);
    ck_assert(jsonget_is_null(&g, "a"));
    ck_assert(!jsonget_is_null(&g, "b"));
    ck_assert(!jsonget_is_null(&g, "c"));
    ck_assert(!jsonget_is_null(&g, "d"));
}
END_TEST

START_TEST(test_unknown_fields_are_named)
{
    ck_assert_int_eq(parse("{\"x\":1,\"titulo\":\"t\",\"y\":null}"), STATUS_OK);
    size_t len;
    jsonget_string(&g, "titulo", true, 1, 10, &len);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
    ck_assert_uint_eq(g.n_errors, 2);
    ck_assert_str_eq(g.errors[0].field, "x");
    ck_assert_str_eq(g.errors[0].message, "campo desconhecido");
    ck_assert_str_eq(g.errors[1].field, "y");
}
END_TEST

START_TEST(test_all_errors_of_a_body_are_told_together)
{
    size_t len;
    ck_assert_int_eq(parse("{\"titulo\":\"\",\"x\":1}"), STATUS_OK);
    jsonget_string(&g, "titulo", true, 1, 200, &len);
    jsonget_string(&g, "conteudo", true, 1, 10, &len);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
    ck_assert_uint_eq(g.n_errors, 3);
    ck_assert_str_eq(g.errors[1].field, "conteudo");
    ck_assert_str_eq(g.errors[2].field, "x");
}
END_TEST

START_TEST(test_more_errors_than_fit_are_dropped)
{
    char text[1000] = "{\"f0\":0", *p = text + strlen(text);
    for (int i = 1; i < 40; i++)
        p += snprintf(p, 20, ",\"f%d\":0", i);
    strcpy(p, "}");
    ck_assert_int_eq(parse(text), STATUS_OK);
    ck_assert_int_eq(jsonget_finish(&g), STATUS_INVALID);
    ck_assert_uint_eq(g.n_errors, JSONGET_MAX_ERRORS);
    ck_assert_str_eq(g.errors[JSONGET_MAX_ERRORS - 1].field, "f15");
}
END_TEST

/* Both parities: a cut that falls into the middle of an 'é', and one that does not. */
START_TEST(test_long_names_and_messages_are_cut_between_characters)
{
    char name[402];
    ck_assert_int_eq(parse("{}"), STATUS_OK);
    for (size_t shift = 0; shift < 2; shift++) {
        memset(name, 'a', shift);
        for (size_t i = shift; i + 2 < sizeof name; i += 2)
            memcpy(name + i, "é", 2);
        name[400 + shift] = '\0';
        jsonget_fail(&g, name, "%s", name);
        const struct jsonget_error *e = &g.errors[shift];
        ck_assert(text_utf8(e->field, strlen(e->field), NULL));
        ck_assert(text_utf8(e->message, strlen(e->message), NULL));
        ck_assert_uint_ge(strlen(e->field), sizeof e->field - 2);
        ck_assert_uint_ge(strlen(e->message), sizeof e->message - 2);
    }
}
END_TEST

Suite *suite_jsonget(void)
{
    Suite *s = suite_create("jsonget");
    TCase *c = tcase_create("depth");
    tcase_add_test(c, test_depth_counts_open_brackets_outside_of_strings);
    tcase_add_test(c, test_32_levels_pass_and_33_are_refused);
    suite_add_tcase(s, c);
    c = tcase_create("parsing");
    tcase_add_checked_fixture(c, NULL, release);
    tcase_add_test(c, test_an_empty_body_is_told_as_one);
    tcase_add_test(c, test_broken_json_is_told_with_its_place);
    tcase_add_test(c, test_another_value_than_an_object_is_refused);
    tcase_add_test(c, test_invalid_utf8_is_refused);
    tcase_add_test(c, test_u0000_is_refused_raw_and_escaped);
    tcase_add_test(c, test_half_a_surrogate_pair_is_refused_by_name);
    tcase_add_test(c, test_a_repeated_key_is_named);
    tcase_add_test(c, test_a_key_repeated_deeper_is_refused_with_its_field);
    tcase_add_test(c, test_strings_are_decoded_in_their_place);
    tcase_add_test(c, test_an_integer_beyond_64_bits_is_told_its_bounds);
    tcase_add_test(c, test_a_second_parse_starts_afresh);
    suite_add_tcase(s, c);
    c = tcase_create("fields");
    tcase_add_checked_fixture(c, NULL, release);
    tcase_add_test(c, test_a_string_within_its_bounds_is_given);
    tcase_add_test(c, test_a_string_of_another_length_is_refused_in_characters);
    tcase_add_test(c, test_an_optional_string_may_be_missing_or_null);
    tcase_add_test(c, test_an_integer_within_its_bounds_is_given);
    tcase_add_test(c, test_another_integer_or_type_is_refused);
    tcase_add_test(c, test_a_truth_is_true_or_false_and_nothing_else);
    tcase_add_test(c, test_null_is_told_from_what_is_left_out);
    tcase_add_test(c, test_unknown_fields_are_named);
    tcase_add_test(c, test_all_errors_of_a_body_are_told_together);
    tcase_add_test(c, test_more_errors_than_fit_are_dropped);
    tcase_add_test(c, test_long_names_and_messages_are_cut_between_characters);
    suite_add_tcase(s, c);
    return s;
}
