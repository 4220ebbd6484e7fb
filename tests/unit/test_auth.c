/* Unit tests of auth: the table of permissions, whole. A change of rights is a change here, too. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/router.h"

Suite *suite_auth(void);

START_TEST(who_may_do_what)
{
    static const struct {
        enum action action;
        bool admin, operador, leitor;
    } rows[] = {
        {ACTION_OPEN, true, true, true},
        {ACTION_SESSION, true, true, true},
        {ACTION_PASSWORD, true, true, true},
        {ACTION_LIVE, true, true, true},
        {ACTION_POST_CREATE, true, true, false},
        {ACTION_POST_CHANGE, true, true, false},
        {ACTION_ACCOUNTS_READ, true, false, false},
        {ACTION_ACCOUNTS_CHANGE, true, false, false},
        {ACTION_ARCHIVE_READ, true, true, true},
        {ACTION_RAW_READ, true, true, false},
        {ACTION_QUEUE_READ, true, true, true},
        {ACTION_QUEUE_CHANGE, true, true, false},
        {ACTION_AUDIT_READ, true, false, false},
        {ACTION_FILES_READ, true, true, true},
        {ACTION_FILES_CHANGE, true, true, false},
    };
    ck_assert_uint_eq(sizeof rows / sizeof rows[0], ACTION_COUNT);
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        ck_assert_uint_eq(rows[i].action, i);
        ck_assert_int_eq(auth_may(rows[i].action, ROLE_ADMIN), rows[i].admin);
        ck_assert_int_eq(auth_may(rows[i].action, ROLE_OPERATOR), rows[i].operador);
        ck_assert_int_eq(auth_may(rows[i].action, ROLE_READER), rows[i].leitor);
        ck_assert_uint_gt(strlen(auth_action_name(rows[i].action)), 3);
    }
}
END_TEST

/* Of the rest of the table: what changes something, or is about accounts, is never open. */
START_TEST(what_is_open_is_what_the_contract_leaves_open)
{
    static const char *const open[] = {"GET /health",
                                       "GET /status",
                                       "GET /metrics",
                                       "GET /api/posts",
                                       "GET /api/posts/cache",
                                       "GET /api/posts/{id}",
                                       "GET /api/contador",
                                       "GET /api/contadores/{nome}",
                                       "POST /api/contadores/{nome}",
                                       "GET /api/stats",
                                       "POST /api/auth/login",
                                       "GET /webhook",
                                       "POST /webhook"};
    unsigned n_open = 0;
    for (unsigned i = 0; i < n_routes; i++) {
        char name[64];
        bool listed = false;
        snprintf(name, sizeof name, "%s %s", routes[i].method, routes[i].path);
        for (size_t j = 0; j < sizeof open / sizeof open[0]; j++)
            listed |= strcmp(open[j], name) == 0;
        ck_assert_msg(listed == (routes[i].action == ACTION_OPEN), "%s", name);
        n_open += listed;
    }
    ck_assert_uint_eq(n_open, sizeof open / sizeof open[0]);
}
END_TEST

Suite *suite_auth(void)
{
    Suite *s = suite_create("auth");
    TCase *c = tcase_create("auth");
    tcase_add_test(c, who_may_do_what);
    tcase_add_test(c, what_is_open_is_what_the_contract_leaves_open);
    suite_add_tcase(s, c);
    return s;
}
