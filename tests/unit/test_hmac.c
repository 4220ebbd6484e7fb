/* Unit tests of hmac: the vectors of RFC 4231 and FIPS 180-4, and OpenSSL's one-shot call. */
#include <check.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "hmac.h"
#include "text.h"

Suite *suite_hmac(void);

static void assert_hex(const uint8_t digest[SHA256_LEN], const char *want)
{
    char hex[2 * SHA256_LEN + 1] = "";
    text_hex(digest, SHA256_LEN, hex);
    ck_assert_str_eq(hex, want);
}

static void assert_hmac(const void *key, size_t key_len, const void *data, size_t len,
                        const char *want)
{
    uint8_t digest[SHA256_LEN];
    struct hmac_key *k = hmac_key_new(key, key_len);
    ck_assert_ptr_nonnull(k);
    hmac_sha256(k, data, len, digest);
    assert_hex(digest, want);
    hmac_sha256(k, data, len, digest); /* the key is not used up */
    assert_hex(digest, want);
    hmac_key_free(k);
}

START_TEST(test_hmac_matches_rfc_4231)
{
    uint8_t key[131], data[50];
    memset(key, 0x0b, 20);
    assert_hmac(key, 20, "Hi There", 8,
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_hmac("Jefe", 4, "what do ya want for nothing?", 28,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    assert_hmac(key, 20, data, 50,
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    for (uint8_t i = 0; i < 25; i++)
        key[i] = (uint8_t)(i + 1);
    memset(data, 0xcd, sizeof data);
    assert_hmac(key, 25, data, 50,
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}
END_TEST

START_TEST(test_a_key_longer_than_a_block_is_hashed_first)
{
    static const char long_data[] =
        "This is a test using a larger than block-size key and a larger than block-size data. "
        "The key needs to be hashed before being used by the HMAC algorithm.";
    uint8_t key[131];
    memset(key, 0xaa, sizeof key);
    assert_hmac(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_hmac(key, 131, long_data, sizeof long_data - 1,
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}
END_TEST

/* Catches a key of exactly one block that is hashed, and lengths around the padding of SHA-256. */
START_TEST(test_every_length_of_key_and_data_agrees_with_openssl)
{
    uint8_t bytes[200], ours[SHA256_LEN], theirs[SHA256_LEN];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct hmac_key *k = hmac_key_new(bytes, n);
        hmac_sha256(k, bytes, sizeof bytes - n, ours);
        HMAC(EVP_sha256(), bytes, (int)n, bytes, sizeof bytes - n, theirs, NULL);
        ck_assert_mem_eq(ours, theirs, SHA256_LEN);
        hmac_key_free(k);
    }
}
END_TEST

START_TEST(test_empty_data_and_no_key_at_all_are_fine)
{
    assert_hmac(NULL, 0, NULL, 0,
                "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    hmac_key_free(NULL);
}
END_TEST

START_TEST(test_sha256_matches_fips_180_4)
{
    uint8_t digest[SHA256_LEN];
    sha256("abc", 3, digest);
    assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(NULL, 0, digest);
    assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest);
    assert_hex(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
END_TEST

Suite *suite_hmac(void)
{
    Suite *s = suite_create("hmac");
    TCase *c = tcase_create("vectors");
    tcase_add_test(c, test_hmac_matches_rfc_4231);
    tcase_add_test(c, test_a_key_longer_than_a_block_is_hashed_first);
    tcase_add_test(c, test_every_length_of_key_and_data_agrees_with_openssl);
    tcase_add_test(c, test_empty_data_and_no_key_at_all_are_fine);
    tcase_add_test(c, test_sha256_matches_fips_180_4);
    suite_add_tcase(s, c);
    return s;
}
