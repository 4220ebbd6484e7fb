/* Unit tests of cidr. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <string.h>

#include "cidr.h"

Suite *suite_cidr(void);

static struct cidr_address address(const char *s)
{
    struct cidr_address a;
    ck_assert_msg(cidr_parse_address(s, strlen(s), &a), "%s", s);
    return a;
}

static bool within(const char *list, const char *s)
{
    struct cidr_list l;
    struct cidr_address a = address(s);
    ck_assert_msg(cidr_parse_list(list, &l), "%s", list);
    return cidr_contains(&l, &a);
}

START_TEST(networks_hold_what_is_in_them)
{
    ck_assert(within("10.0.0.0/8", "10.255.0.1"));
    ck_assert(!within("10.0.0.0/8", "11.0.0.0"));
    ck_assert(within("192.168.16.0/20", "192.168.31.255"));
    ck_assert(!within("192.168.16.0/20", "192.168.32.0"));
    ck_assert(within("1.2.3.4", "1.2.3.4"));
    ck_assert(!within("1.2.3.4", "1.2.3.5"));
    ck_assert(within("0.0.0.0/0", "255.1.1.1"));
    ck_assert(within("fd00::/8,::1", "fdff::1"));
    ck_assert(within("fd00::/8,::1", "::1"));
    ck_assert(!within("fd00::/8,::1", "fe80::1"));
    ck_assert(!within("none", "127.0.0.1"));
}
END_TEST

START_TEST(the_two_families_are_not_mixed_up)
{
    ck_assert(!within("0.0.0.0/0", "::1"));
    ck_assert(within("10.0.0.0/8", "::ffff:10.1.2.3")); /* the same client on an IPv6 socket */
    ck_assert(within("::/0", "10.1.2.3"));
}
END_TEST

START_TEST(what_is_no_list_is_refused)
{
    static const char *const bad[] = {"",
                                      ",",
                                      "10.0.0.0/33",
                                      "::1/129",
                                      "10.0.0/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/-1",
                                      "a",
                                      "1.2.3.4,",
                                      "1.2.3.4 ",
                                      "10.0.0.0/8/8",
                                      "1.2.3.4,,::1",
                                      "10.0.0.0/08",
                                      "none,::1"};
    struct cidr_list l;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!cidr_parse_list(bad[i], &l), "%s", bad[i]);
}
END_TEST

START_TEST(a_list_has_its_bound)
{
    char text[CIDR_LIST_MAX * 8 + 16] = "1.1.1.1";
    struct cidr_list l;
    for (int i = 1; i < CIDR_LIST_MAX; i++)
        strcat(text, ",1.1.1.1");
    ck_assert(cidr_parse_list(text, &l) && l.n == CIDR_LIST_MAX);
    strcat(text, ",::1");
    ck_assert(!cidr_parse_list(text, &l));
}
END_TEST

START_TEST(an_address_is_the_whole_text)
{
    struct cidr_address a;
    ck_assert(!cidr_parse_address("1.2.3.4x", 8, &a));
    ck_assert(!cidr_parse_address("1.2.3.4\0", 8, &a));
    ck_assert(cidr_parse_address("1.2.3.4x", 7, &a));
    ck_assert(!cidr_parse_address("", 0, &a));
}
END_TEST

START_TEST(sockets_of_both_families_are_read)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01020304)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct cidr_address a, four = address("1.2.3.4"), six = address("::1");
    ck_assert(cidr_of_socket((void *)&v4, &a) && memcmp(&a, &four, sizeof a) == 0);
    ck_assert(cidr_of_socket((void *)&v6, &a) && memcmp(&a, &six, sizeof a) == 0);
    v4.sin_family = AF_UNIX;
    ck_assert(!cidr_of_socket((void *)&v4, &a));
    ck_assert(!cidr_of_socket(NULL, &a));
}
END_TEST

START_TEST(an_ipv6_client_is_its_64)
{
    struct cidr_address a = address("2001:db8:1:2:3:4:5:6"), net = address("2001:db8:1:2::"),
                        four = address("1.2.3.4"), same = four;
    cidr_client_of(&a);
    ck_assert(memcmp(&a, &net, sizeof a) == 0);
    cidr_client_of(&four);
    ck_assert(memcmp(&four, &same, sizeof same) == 0);
}
END_TEST

Suite *suite_cidr(void)
{
    Suite *s = suite_create("cidr");
    TCase *c = tcase_create("cidr");
    tcase_add_test(c, networks_hold_what_is_in_them);
    tcase_add_test(c, the_two_families_are_not_mixed_up);
    tcase_add_test(c, what_is_no_list_is_refused);
    tcase_add_test(c, a_list_has_its_bound);
    tcase_add_test(c, an_address_is_the_whole_text);
    tcase_add_test(c, sockets_of_both_families_are_read);
    tcase_add_test(c, an_ipv6_client_is_its_64);
    suite_add_tcase(s, c);
    return s;
}
