/* Unit tests of graph_request: the URL of a look-up, its proof, its escapes. */
#include <check.h>
#include <string.h>

#include "worker/graph_request.h"

Suite *suite_graph_request(void);

static struct graph_request r;
static struct buf url;

static const char *url_of(const char *base, const char *token, const char *secrets, const char *id)
{
    url = buf_init(GRAPH_URL_MAX * 3);
    ck_assert(graph_request_init(&r, base, token, secrets));
    ck_assert(graph_request_url(&r, (struct pg_text){id, strlen(id)}, &url));
    return url.data;
}

static void release(void)
{
    graph_request_release(&r);
    graph_request_wipe(&url);
}

#define FIELDS "?fields=id,created_time,ad_id,adset_id,form_id,is_organic,field_data"

START_TEST(test_without_a_secret_there_is_no_proof)
{
    ck_assert_str_eq(url_of("https://graph.facebook.com/v25.0", "EAAB", NULL, "12"),
                     "https://graph.facebook.com/v25.0/12" FIELDS "&access_token=EAAB");
    release();
}
END_TEST

/* printf EAAB | openssl dgst -sha256 -hmac segredo */
START_TEST(test_the_proof_is_the_hmac_of_the_token_under_the_first_secret)
{
    static const char want[] = "http://h/12" FIELDS "&access_token=EAAB&appsecret_proof="
                               "e61cc456ac941737c1157e593bf95815762da77b142583fed545315f68317365";
    ck_assert_str_eq(url_of("http://h", "EAAB", "segredo", "12"), want);
    release();
    ck_assert_str_eq(url_of("http://h", "EAAB", "segredo,outro", "12"), want);
    release();
}
END_TEST

START_TEST(test_every_character_of_a_token_that_means_something_is_escaped)
{
    ck_assert_str_eq(url_of("http://h", "a&b=c%d+e/f#g?h~i-j._|\"", NULL, "12"),
                     "http://h/12" FIELDS
                     "&access_token=a%26b%3Dc%25d%2Be%2Ff%23g%3Fh~i-j._%7C%22");
    release();
}
END_TEST

START_TEST(test_the_longest_token_fits)
{
    char token[16 * 1024 + 1];
    memset(token, '|', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    ck_assert_uint_gt(strlen(url_of("http://h", token, "s", "12")), 3 * (sizeof token - 1));
    release();
}
END_TEST

START_TEST(test_only_letters_digits_and_underscores_are_an_id)
{
    static const char *const bad[] = {
        "",    "1/2", "..",   "1 2",
        "1?x", "1#",  "1%31", "\xc3\xa9",
        "-1",  "1.5", "a\n",  "12345678901234567890123456789012345678901234567890123456789012345"};
    static const char *const good[] = {
        "1", "444444444444", "98765432109876543", "aZ_9",
        "1234567890123456789012345678901234567890123456789012345678901234"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!graph_request_id((struct pg_text){bad[i], strlen(bad[i])}), "%s", bad[i]);
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(graph_request_id((struct pg_text){good[i], strlen(good[i])}), "%s", good[i]);
    ck_assert(!graph_request_id((struct pg_text){"1\0002", 3}));
}
END_TEST

Suite *suite_graph_request(void)
{
    Suite *s = suite_create("graph_request");
    TCase *tc = tcase_create("url");
    tcase_add_test(tc, test_without_a_secret_there_is_no_proof);
    tcase_add_test(tc, test_the_proof_is_the_hmac_of_the_token_under_the_first_secret);
    tcase_add_test(tc, test_every_character_of_a_token_that_means_something_is_escaped);
    tcase_add_test(tc, test_the_longest_token_fits);
    tcase_add_test(tc, test_only_letters_digits_and_underscores_are_an_id);
    suite_add_tcase(s, tc);
    return s;
}
