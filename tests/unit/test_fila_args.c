/* Suite fila_args: what operators may say behind `alicerce-worker fila`. */
#include <check.h>
#include <string.h>

#include "worker/fila_args.h"

Suite *suite_fila_args(void);

enum { WORDS_MAX = 12 };

static char why[200];
static struct fila_args args;

/* The line, split at spaces. */
static bool parse(const char *line)
{
    static char room[512];
    char *argv[WORDS_MAX];
    int argc = 0;
    ck_assert_uint_lt(strlen(line), sizeof room);
    memcpy(room, line, strlen(line) + 1);
    for (char *word = strtok(room, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return fila_args_parse(argc, argv, &args, why);
}

START_TEST(test_every_word_is_known_with_its_defaults)
{
    static const char *const words[FILA_WORDS] = {"status",   "pausar",   "retomar", "mortas",
                                                  "reenviar", "entregas", "eventos"};
    for (unsigned i = 0; i < FILA_WORDS; i++) {
        if (i == FILA_REENVIAR)
            continue;
        ck_assert_msg(parse(words[i]), "%s: %s", words[i], why);
        ck_assert_uint_eq(args.word, i);
        ck_assert(!args.json && args.filter.desde_us == STORE_NO_TIME);
        ck_assert_int_eq(args.filter.limite, 50);
    }
    ck_assert(parse("mortas") && strcmp(args.filter.estado, "morta") == 0);
    ck_assert(parse("status --json") && args.json);
}
END_TEST

START_TEST(test_values_stand_behind_a_space_or_an_equals_sign)
{
    ck_assert(parse("mortas --limite 7 --antes=9 --motivo=a=b"));
    ck_assert_int_eq(args.filter.limite, 7);
    ck_assert_int_eq(args.filter.antes_id, 9);
    ck_assert_str_eq(args.filter.motivo, "a=b");
}
END_TEST

START_TEST(test_ids_are_kept_in_order_whatever_stands_between_them)
{
    char reenviar[] = "reenviar", json[] = "--json", ids[3][3] = {"7", "30", "5"};
    char *argv[] = {reenviar, ids[0], json, ids[1], ids[2]};
    ck_assert_msg(fila_args_parse(5, argv, &args, why), "%s", why);
    ck_assert_uint_eq(args.n_ids, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_str_eq(args.ids[i], ids[i]);
    ck_assert(args.json);
}
END_TEST

START_TEST(test_times_are_rfc_3339_or_days)
{
    int64_t us, day;
    ck_assert(fila_args_time("2026-11-25", &day) && fila_args_time("2026-11-25T00:00:00Z", &us));
    ck_assert_int_eq(day, us);
    ck_assert(fila_args_time("2026-11-24T21:00:00.5-03:00", &us));
    ck_assert_int_eq(us, day + 500000);
    static const char *const bad[] = {
        "",         "ontem",      "2026-13-01",           "2026-02-30",
        "20261125", "2026-11-2T", "2026-11-25 10:00:00Z", "2026-11-25T10:00:00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!fila_args_time(bad[i], &us), "%s", bad[i]);
}
END_TEST

START_TEST(test_a_field_is_a_path_and_a_value)
{
    ck_assert(parse("eventos --campo value.form_id=1=2"));
    ck_assert_str_eq(args.filter.caminho, "value.form_id");
    ck_assert_str_eq(args.filter.valor, "1=2");
    ck_assert(parse("eventos --valor 1=2"));
    ck_assert_ptr_null(args.filter.caminho);
    ck_assert(parse("eventos --formulario 77"));
    ck_assert_str_eq(args.filter.caminho, "form_id");
    ck_assert_str_eq(args.filter.valor, "77");
}
END_TEST

START_TEST(test_a_replay_by_filter_is_of_dead_letters_unless_told_otherwise)
{
    ck_assert(parse("reenviar --desde 2026-11-01 --ate 2026-11-02"));
    ck_assert_str_eq(args.filter.estado, "morta");
    ck_assert_int_eq(args.filter.limite, 10000);
    ck_assert(parse("reenviar --desde 2026-11-01 --formulario 7"));
    ck_assert_str_eq(args.filter.estado, "processada");
}
END_TEST

/* Each would do something else than what was meant, or is a slip of the pen. */
START_TEST(test_what_is_not_understood_is_refused_with_a_reason)
{
    static const char *const bad[] = {"",
                                      "nada",
                                      "Status",
                                      "status x",
                                      "status --limite 5",
                                      "status --json=1",
                                      "status --json --json",
                                      "mortas --antes 1 --antes=2",
                                      "mortas 5",
                                      "mortas --limite",
                                      "mortas --limite 0",
                                      "mortas --limite 1001",
                                      "mortas --limite 5x",
                                      "mortas --antes -1",
                                      "mortas --estado morta",
                                      "mortas --desde ontem",
                                      "mortas --motivo=",
                                      "mortas --",
                                      "pausar --por=",
                                      "retomar --por x",
                                      "entregas --estado feita",
                                      "reenviar",
                                      "reenviar 0",
                                      "reenviar x",
                                      "reenviar 1;",
                                      "reenviar -1",
                                      "reenviar 99999999999999999999",
                                      "reenviar --motivo x",
                                      "reenviar 5 --desde 2026-11-01",
                                      "reenviar --desde 2026-11-01 --estado pendente",
                                      "reenviar --desde 2026-11-01 --estado processada --motivo x",
                                      "reenviar --desde 2026-11-01 --estado morta --formulario 7",
                                      "reenviar --desde 2026-11-01 --limite 1000001",
                                      "reenviar 5 --esperar 0",
                                      "reenviar 5 --esperar",
                                      "eventos --campo form_id",
                                      "eventos --campo =7",
                                      "eventos --campo a=1 --valor 2",
                                      "eventos --entrega 1 --formulario 7",
                                      "eventos --id 1 --valor 2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        why[0] = '\0';
        ck_assert_msg(!parse(bad[i]), "taken: %s", bad[i]);
        ck_assert_msg(*why, "no reason: %s", bad[i]);
    }
}
END_TEST

START_TEST(test_an_overlong_word_fits_the_reason)
{
    char word[2001], *argv[] = {word, word};
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    ck_assert(!fila_args_parse(1, argv, &args, why));
    char reenviar[] = "reenviar";
    argv[0] = reenviar;
    ck_assert(!fila_args_parse(2, argv, &args, why));
}
END_TEST

Suite *suite_fila_args(void)
{
    Suite *s = suite_create("fila_args");
    TCase *c = tcase_create("the line");
    tcase_add_test(c, test_every_word_is_known_with_its_defaults);
    tcase_add_test(c, test_values_stand_behind_a_space_or_an_equals_sign);
    tcase_add_test(c, test_ids_are_kept_in_order_whatever_stands_between_them);
    tcase_add_test(c, test_times_are_rfc_3339_or_days);
    tcase_add_test(c, test_a_field_is_a_path_and_a_value);
    tcase_add_test(c, test_a_replay_by_filter_is_of_dead_letters_unless_told_otherwise);
    tcase_add_test(c, test_what_is_not_understood_is_refused_with_a_reason);
    tcase_add_test(c, test_an_overlong_word_fits_the_reason);
    suite_add_tcase(s, c);
    return s;
}
