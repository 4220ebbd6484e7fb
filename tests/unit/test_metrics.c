/* Unit tests of metrics. */
#include <check.h>
#include <string.h>

#include "metrics.h"

Suite *suite_metrics(void);

static struct metric_histogram *observed(struct metric_histogram *h, uint64_t us)
{
    *h = (struct metric_histogram){0};
    metric_observe_us(h, us);
    return h;
}

START_TEST(test_every_bound_is_the_last_of_its_bucket)
{
    struct metric_histogram h;
    for (unsigned i = 0; i < METRIC_BUCKETS; i++) {
        uint64_t bound = UINT64_C(1) << (i + 6);
        ck_assert_uint_eq(metric_get(&observed(&h, bound)->bucket[i]), 1);
        ck_assert_uint_eq(metric_get(&observed(&h, bound + 1)->bucket[i + 1]), 1);
    }
    ck_assert_uint_eq(metric_get(&observed(&h, 0)->bucket[0]), 1);
    ck_assert_uint_eq(metric_get(&observed(&h, 1)->bucket[0]), 1);
    ck_assert_uint_eq(metric_get(&observed(&h, UINT64_MAX)->bucket[METRIC_BUCKETS]), 1);
}
END_TEST

static void assert_holds(struct buf *b, const char *want)
{
    ck_assert(!buf_failed(b));
    buf_char(b, '\0');
    ck_assert_str_eq(b->data, want);
    buf_release(b);
}

START_TEST(test_values_and_heads_are_in_the_text_format)
{
    struct buf b = buf_init(4096);
    metric m = 0;
    metric_add(&m, 40);
    metric_add(&m, 2);
    metrics_head(&b, "http_requests_total", "counter", "Requests \\ with\na line");
    metrics_value(&b, "http_requests_total", NULL, metric_get(&m));
    metrics_value(&b, "http_requests_total", "rota=\"posts\",codigo=\"200\"", UINT64_MAX);
    assert_holds(&b, "# HELP http_requests_total Requests \\\\ with\\na line\n"
                     "# TYPE http_requests_total counter\n"
                     "http_requests_total 42\n"
                     "http_requests_total{rota=\"posts\",codigo=\"200\"} 18446744073709551615\n");
}
END_TEST

/* Two loops with one series: buckets are cumulative, the sum is in seconds. */
START_TEST(test_histograms_are_summed_and_cumulative)
{
    struct metric_histogram one = {0}, two = {0};
    const struct metric_histogram *parts[] = {&one, &two};
    struct buf b = buf_init(1 << 16);
    metric_observe_us(&one, 64);
    metric_observe_us(&one, 100);
    metric_observe_us(&two, 128);
    metric_observe_us(&two, 3000000);
    metrics_histogram(&b, "lat", "rota=\"x\"", parts, 2);
    buf_char(&b, '\0');
    ck_assert(!buf_failed(&b));
    ck_assert_ptr_eq(strstr(b.data, "lat_bucket{rota=\"x\",le=\"0.000064\"} 1\n"), b.data);
    ck_assert_ptr_nonnull(strstr(b.data, "lat_bucket{rota=\"x\",le=\"0.000128\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(b.data, "lat_bucket{rota=\"x\",le=\"2.097152\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(b.data, "lat_bucket{rota=\"x\",le=\"+Inf\"} 4\n"
                                         "lat_sum{rota=\"x\"} 3.000292\n"
                                         "lat_count{rota=\"x\"} 4\n"));
    buf_release(&b);
}
END_TEST

START_TEST(test_a_histogram_without_labels_or_parts_is_well_formed)
{
    struct buf b = buf_init(1 << 16);
    metrics_histogram(&b, "lat", NULL, NULL, 0);
    buf_char(&b, '\0');
    ck_assert_ptr_eq(strstr(b.data, "lat_bucket{le=\"0.000064\"} 0\n"), b.data);
    ck_assert_ptr_nonnull(strstr(b.data, "{le=\"+Inf\"} 0\nlat_sum 0.000000\nlat_count 0\n"));
    buf_release(&b);
}
END_TEST

START_TEST(test_sizes_are_counted_up_to_their_bound)
{
    struct metric_sizes h = {0};
    static const uint64_t sizes[] = {0, 1, 2, 3, 4, 1000, 2048, 2049, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        metric_observe_size(&h, sizes[i]);
    struct buf b = buf_init(1 << 16);
    metrics_sizes(&b, "n", &h);
    buf_char(&b, '\0');
    static const char *const lines[] = {"n_bucket{le=\"1\"} 2\n",
                                        "n_bucket{le=\"2\"} 3\n",
                                        "n_bucket{le=\"4\"} 5\n",
                                        "n_bucket{le=\"512\"} 5\n",
                                        "n_bucket{le=\"1024\"} 6\n",
                                        "n_bucket{le=\"2048\"} 7\n",
                                        "n_bucket{le=\"+Inf\"} 9\nn_sum 1005107\nn_count 9\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(strstr(b.data, lines[i]), "%s in\n%s", lines[i], b.data);
    buf_release(&b);
}
END_TEST

Suite *suite_metrics(void)
{
    Suite *s = suite_create("metrics");
    TCase *c = tcase_create("histograms");
    tcase_add_test(c, test_every_bound_is_the_last_of_its_bucket);
    tcase_add_test(c, test_histograms_are_summed_and_cumulative);
    tcase_add_test(c, test_a_histogram_without_labels_or_parts_is_well_formed);
    tcase_add_test(c, test_sizes_are_counted_up_to_their_bound);
    suite_add_tcase(s, c);
    c = tcase_create("format");
    tcase_add_test(c, test_values_and_heads_are_in_the_text_format);
    suite_add_tcase(s, c);
    return s;
}
