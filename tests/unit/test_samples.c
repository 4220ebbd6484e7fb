/* Unit tests of samples: the text of a report, sums and quantiles. */
#include <check.h>
#include <string.h>

#include "api/samples.h"

Suite *suite_samples(void);

static struct buf written(const struct sample_counts *c)
{
    struct buf b = buf_init(1024);
    sample_write(&b, c);
    ck_assert(!buf_failed(&b));
    return b;
}

START_TEST(test_reports_add_up)
{
    struct sample_sum sum = {0};
    struct sample_counts a = {.ms = 5000, .requests = 50, .errors = 5, .bucket = {[2] = 50}};
    struct sample_counts b = {.ms = 2500, .requests = 10, .bucket = {[2] = 1, [16] = 9}};
    struct buf one = written(&a), other = written(&b);
    ck_assert(sample_add(&sum, one.data, one.len));
    ck_assert(sample_add(&sum, other.data, other.len));
    ck_assert_uint_eq(sum.instances, 2);
    ck_assert_double_eq_tol(sum.requests_s, 14, 1e-9);
    ck_assert_double_eq_tol(sum.errors_s, 1, 1e-9);
    ck_assert_uint_eq(sum.bucket[2], 51);
    ck_assert_uint_eq(sum.bucket[16], 9);
    buf_release(&one);
    buf_release(&other);
}
END_TEST

START_TEST(test_what_is_no_report_adds_nothing)
{
    static const char *const texts[] = {
        "",
        "x",
        "5000 1 0",
        "5000 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",   /* right, and the others nearly so */
        "0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",      /* of no time */
        "5000 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", /* one too many */
        "5000 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 -1",
        "5000 99999999999999999999 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sample_sum sum = {0};
        bool whole = i == 3;
        ck_assert_msg(sample_add(&sum, texts[i], strlen(texts[i])) == whole, "%s", texts[i]);
        ck_assert_uint_eq(sum.instances, whole);
    }
}
END_TEST

START_TEST(test_quantiles_are_linear_within_a_bucket)
{
    struct sample_sum none = {0};
    ck_assert(sample_quantile_ms(&none, 0.5) < 0);
    struct sample_sum first = {.bucket = {100}};
    ck_assert_double_eq_tol(sample_quantile_ms(&first, 0.5), 0.032, 1e-9);
    struct sample_sum two = {.bucket = {[0] = 50, [4] = 50}}; /* to 64 us; 512 us to 1024 us */
    ck_assert_double_eq_tol(sample_quantile_ms(&two, 0.5), 0.064, 1e-9);
    ck_assert_double_eq_tol(sample_quantile_ms(&two, 0.75), 0.768, 1e-9);
    ck_assert_double_eq_tol(sample_quantile_ms(&two, 1), 1.024, 1e-9);
    struct sample_sum slow = {.bucket = {[METRIC_BUCKETS] = 3}};
    ck_assert_double_eq_tol(sample_quantile_ms(&slow, 0.5), 2097.152, 1e-9);
}
END_TEST

Suite *suite_samples(void)
{
    Suite *s = suite_create("samples");
    TCase *tc = tcase_create("samples");
    tcase_add_test(tc, test_reports_add_up);
    tcase_add_test(tc, test_what_is_no_report_adds_nothing);
    tcase_add_test(tc, test_quantiles_are_linear_within_a_bucket);
    suite_add_tcase(s, tc);
    return s;
}
