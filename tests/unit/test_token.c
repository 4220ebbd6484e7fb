/* Unit tests of token: what is made is believed, and nothing else is. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/token.h"
#include "hmac.h"
#include "text.h"

Suite *suite_token(void);

#define KEY   "chave-de-teste-com-32-bytes-ou-mais"
#define OTHER "outra-chave-tambem-com-32-bytes-ou-mais"
#define NOW   1800000000LL

static struct token_keys *keys;
static const char *why;

static void set_up(void)
{
    keys = token_keys_new(KEY);
    why = NULL;
}

static void tear_down(void)
{
    token_keys_free(keys);
}

static struct token_claims some_claims(void)
{
    return (struct token_claims){.sub = 42,
                                 .papel = ROLE_OPERATOR,
                                 .iat = NOW,
                                 .exp = NOW + TOKEN_LIFE_S,
                                 .ini = NOW - 100,
                                 .desde = 7,
                                 .jti = "0123456789abcdef"};
}

/* header.claims.signature from two JSON texts, in a static buffer. */
static const char *forge(const char *header, const char *claims, const char *key)
{
    static char token[4096];
    uint8_t mac[SHA256_LEN];
    struct hmac_key *k = hmac_key_new(key, strlen(key));
    size_t n = text_base64url((const uint8_t *)header, strlen(header), token);
    token[n++] = '.';
    n += text_base64url((const uint8_t *)claims, strlen(claims), token + n);
    hmac_sha256(k, token, n, mac);
    hmac_key_free(k);
    token[n++] = '.';
    n += text_base64url(mac, sizeof mac, token + n);
    token[n] = '\0';
    return token;
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS                                                                                     \
    "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"abc\"}"

static enum status check(const char *token)
{
    struct token_claims c;
    return token_check(keys, token, strlen(token), NOW, &c, &why);
}

static void assert_refused(const char *token)
{
    struct token_claims c = some_claims();
    c.sub = 99;
    ck_assert_int_eq(token_check(keys, token, strlen(token), NOW, &c, &why), STATUS_UNAUTHORIZED);
    ck_assert_msg(c.sub == 99 && strcmp(c.jti, some_claims().jti) == 0, "touched by %s", token);
    ck_assert(why && *why);
}

START_TEST(what_was_made_is_believed_and_says_what_it_said)
{
    struct token_claims given = some_claims(), got = {0};
    char *token = token_make(keys, &given);
    ck_assert_int_lt((int)strlen(token), 400);
    ck_assert_int_eq(token_check(keys, token, strlen(token), NOW, &got, &why), STATUS_OK);
    ck_assert(got.sub == 42 && got.papel == ROLE_OPERATOR && got.iat == given.iat);
    ck_assert(got.exp == given.exp && got.ini == given.ini && got.desde == 7 && got.nbf == 0);
    ck_assert_str_eq(got.jti, given.jti);
    free(token);
}
END_TEST

START_TEST(the_claims_of_the_contract_alone_are_enough)
{
    struct token_claims got;
    const char *token = forge(HEADER, CLAIMS, KEY);
    ck_assert_int_eq(token_check(keys, token, strlen(token), NOW, &got, &why), STATUS_OK);
    ck_assert(got.ini == got.iat && got.desde == got.iat && got.papel == ROLE_ADMIN);
    ck_assert_int_eq(check(forge("{\"alg\":\"HS256\"}", CLAIMS, KEY)), STATUS_OK);
}
END_TEST

START_TEST(every_byte_counts)
{
    struct token_claims given = some_claims();
    char *token = token_make(keys, &given);
    size_t len = strlen(token);
    for (size_t i = 0; i < len; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        assert_refused(token);
        token[i] = was;
    }
    for (size_t n = 0; n < len; n++)
        ck_assert_int_eq(token_check(keys, token, n, NOW, &given, &why), STATUS_UNAUTHORIZED);
    free(token);
}
END_TEST

START_TEST(no_header_but_ours_is_taken)
{
    static const char *const headers[] = {
        "{}",
        "[]",
        "{\"alg\":\"none\"}",
        "{\"alg\":\"HS384\",\"typ\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
        "{\"alg\":\"hs256\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"typ\":\"jwt\"}",
        "{\"alg\":\"HS256\",\"typ\":null}",
        "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"1\"}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\\u0000\"}",
        "{\"alg\":\"HS256\"} x",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_refused(forge(headers[i], CLAIMS, KEY));
}
END_TEST

START_TEST(claims_are_typed_and_within_their_lives)
{
    static const char *const claims[] = {
        "{}",
        "[]",
        "{\"sub\":1,\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\"}",
        "{\"sub\":\"0\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"dono\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":\"1800000900\",\"jti\":"
        "\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900.5,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000901,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000000,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"exp\":1800000900,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":-1,\"exp\":1,\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":9223372036854775000,\"exp\":"
        "9223372036854775800,"
        "\"jti\":\"a\"}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\","
        "\"nbf\":1800000061}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\","
        "\"nbf\":null}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\","
        "\"ini\":1800000001}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\","
        "\"ini\":1799956000}",
        "{\"sub\":\"1\",\"papel\":\"admin\",\"iat\":1800000000,\"exp\":1800000900,\"jti\":\"a\","
        "\"sub\":\"2\"}",
    };
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++)
        assert_refused(forge(HEADER, claims[i], KEY));
}
END_TEST

START_TEST(times_have_a_minute_of_leeway_and_no_more)
{
    struct token_claims c = some_claims();
    ck_assert_int_eq(token_check_times(&c, c.exp + 59, &why), STATUS_OK);
    ck_assert_int_eq(token_check_times(&c, c.exp + 60, &why), STATUS_UNAUTHORIZED);
    ck_assert_int_eq(token_check_times(&c, c.iat - 60, &why), STATUS_OK);
    ck_assert_int_eq(token_check_times(&c, c.iat - 61, &why), STATUS_UNAUTHORIZED);
    c.nbf = c.iat + 30;
    ck_assert_int_eq(token_check_times(&c, c.nbf - 60, &why), STATUS_OK);
    ck_assert_int_eq(token_check_times(&c, c.nbf - 61, &why), STATUS_UNAUTHORIZED);
}
END_TEST

START_TEST(of_two_keys_both_are_accepted_and_the_first_signs)
{
    struct token_keys *both = token_keys_new(OTHER "," KEY), *first = token_keys_new(OTHER);
    struct token_claims c = some_claims(), got;
    char *old = token_make(keys, &c), *new = token_make(both, &c);
    ck_assert_int_eq(token_check(both, old, strlen(old), NOW, &got, &why), STATUS_OK);
    ck_assert_int_eq(token_check(both, new, strlen(new), NOW, &got, &why), STATUS_OK);
    ck_assert_int_eq(token_check(first, new, strlen(new), NOW, &got, &why), STATUS_OK);
    ck_assert_int_eq(token_check(first, old, strlen(old), NOW, &got, &why), STATUS_UNAUTHORIZED);
    assert_refused(forge(HEADER, CLAIMS, OTHER "," KEY));
    free(old);
    free(new);
    token_keys_free(both);
    token_keys_free(first);
}
END_TEST

START_TEST(empty_keys_are_none)
{
    struct token_keys *none = token_keys_new("");
    struct token_claims c = some_claims();
    ck_assert_ptr_null(token_make(none, &c));
    const char *token = forge(HEADER, CLAIMS, "");
    ck_assert_int_eq(token_check(none, token, strlen(token), NOW, &c, &why), STATUS_UNAUTHORIZED);
    assert_refused(token);
    token_keys_free(none);
    ck_assert_ptr_null(token_keys_new(",x"));
}
END_TEST

START_TEST(what_is_too_long_is_not_looked_at)
{
    char longest[TOKEN_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_refused(longest);
    longest[10] = longest[20] = '.';
    assert_refused(longest);
}
END_TEST

Suite *suite_token(void)
{
    Suite *s = suite_create("token");
    TCase *c = tcase_create("token");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, what_was_made_is_believed_and_says_what_it_said);
    tcase_add_test(c, the_claims_of_the_contract_alone_are_enough);
    tcase_add_test(c, every_byte_counts);
    tcase_add_test(c, no_header_but_ours_is_taken);
    tcase_add_test(c, claims_are_typed_and_within_their_lives);
    tcase_add_test(c, times_have_a_minute_of_leeway_and_no_more);
    tcase_add_test(c, of_two_keys_both_are_accepted_and_the_first_signs);
    tcase_add_test(c, empty_keys_are_none);
    tcase_add_test(c, what_is_too_long_is_not_looked_at);
    suite_add_tcase(s, c);
    return s;
}
