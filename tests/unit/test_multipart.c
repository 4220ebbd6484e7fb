/* Unit tests of multipart. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "multipart.h"

Suite *suite_multipart(void);

#define TYPE             "multipart/form-data; boundary=b"
#define NAMED            "Content-Disposition: form-data; name=\"arquivo\"; filename=\"a.txt\"\r\n"
#define FORM(head, body) "--b\r\n" head "\r\n" body "\r\n--b--\r\n"

static bool inits(const char *type)
{
    struct multipart m;
    return multipart_init(&m, type, strlen(type));
}

static bool take(void *ctx, const char *data, size_t len)
{
    ck_assert_uint_gt(len, 0);
    buf_add(ctx, data, len);
    return true;
}

/* Fed by pieces of this size; what came of the part is in b. */
static bool feed(struct multipart *m, const char *s, size_t len, size_t piece, struct buf *b)
{
    bool good = multipart_init(m, TYPE, strlen(TYPE));
    for (size_t at = 0; good && at < len; at += piece)
        good = multipart_feed(m, s + at, len - at < piece ? len - at : piece, take, b);
    ck_assert(good == (m->state != MULTIPART_BAD) && good == !m->why);
    return good;
}

static enum multipart_state state_of(const char *s, size_t piece)
{
    struct multipart m;
    struct buf b = buf_init(1 << 16);
    feed(&m, s, strlen(s), piece, &b);
    buf_release(&b);
    return m.state;
}

START_TEST(test_boundaries)
{
    char longest[140] = "multipart/form-data; boundary=";
    memset(longest + 30, 'x', MULTIPART_BOUNDARY_MAX);
    ck_assert(inits(longest));
    longest[30 + MULTIPART_BOUNDARY_MAX] = 'x';
    ck_assert(!inits(longest));
    ck_assert(inits("multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"));
    ck_assert(inits("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b:c\" "));
    static const char *const rows[] = {
        "",
        "text/plain; boundary=b",
        "multipart/mixed; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"a ",
        "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=a b",
        "multipart/form-data; boundary=\"a\r\nb\"",
        "multipart/form-data; boundary=\"\xc3\xa9\"",
        "multipart/form-data; x; boundary=b",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(!inits(rows[i]), "%s", rows[i]);
}
END_TEST

START_TEST(test_a_part_comes_out_whole_in_any_pieces)
{
    static const char *const bodies[] = {"",           "x",           "\r",          "\n",
                                         "\r\n",       "\r\n-",       "\r\n--",      "\r\n--c",
                                         "\r\r\n--\r", "--b",         "--b--\r\n",   "\r\n-\r\n--a",
                                         "\r\n\r\n\r", "a\r\n--\r\n", "\n--b--\r\n", "\r--b--\r\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char form[400];
        int n = snprintf(form, sizeof form, FORM(NAMED "Content-Type: text/plain\r\n", "%s"),
                         bodies[i]);
        for (size_t piece = 1; piece <= (size_t)n; piece++) {
            struct multipart m;
            struct buf b = buf_init(1024);
            ck_assert(feed(&m, form, (size_t)n, piece, &b) && m.state == MULTIPART_END);
            ck_assert_msg(b.len == strlen(bodies[i]) &&
                              (b.len == 0 || memcmp(b.data, bodies[i], b.len) == 0),
                          "body %zu by %zu", i, piece);
            ck_assert_uint_eq(m.n_frame + b.len + m.delimiter_len, (size_t)n);
            ck_assert_str_eq(m.name, "a.txt");
            ck_assert_str_eq(m.type, "text/plain");
            buf_release(&b);
        }
    }
}
END_TEST

START_TEST(test_names_as_clients_write_them)
{
    static const struct {
        const char *param, *name;
    } rows[] = {
        {"", ""},
        {"; filename=\"\"", ""},
        {"; filename=a.txt", "a.txt"},
        {"; FileName = \"x\"", NULL}, /* a blank before "=" is no parameter's */
        {"; filename=\"a;b=c\"", "a;b=c"},
        {"; filename=\"a\\\"b\"", "a\"b"},
        {"; filename=\"a%22b\"", "a\"b"},
        {"; filename=\"a%20b\"", "a%20b"},
        {"; filename=\"C:\\dir\\a\"", "C:\\dir\\a"},
        {"; filename=\"ação\"; x=y", "ação"},
        {"; filename=\"a", NULL},
        {"; filename=\"a\" b", NULL},
        {"; filename=\"a\"; filename=\"b\"", NULL},
        {"; filename=\"\xff\"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char form[300];
        struct multipart m;
        struct buf b = buf_init(64);
        int n =
            snprintf(form, sizeof form,
                     FORM("content-disposition:form-data; name=arquivo%s\r\n", ""), rows[i].param);
        bool good = feed(&m, form, (size_t)n, (size_t)n, &b);
        if (rows[i].name)
            ck_assert_msg(good && strcmp(m.name, rows[i].name) == 0, "row %zu: %s", i, m.name);
        else
            ck_assert_msg(!good, "row %zu", i);
        buf_release(&b);
    }
}
END_TEST

START_TEST(test_what_is_odd_is_refused)
{
    static const char *const rows[] = {
        "x" FORM(NAMED, "x"),   /* a preamble */
        "\r\n" FORM(NAMED, ""), /* the first delimiter has no line's end */
        "--c\r\n",
        "--b\n",
        "--b \r\n",
        "--b--\r\n",
        FORM("", "x"), /* no head */
        FORM("Content-Type: text/plain\r\n", "x"),
        FORM("Content-Disposition: form-data; name=\"outro\"\r\n", "x"),
        FORM("Content-Disposition: form-data; name=\"arquivo2\"\r\n", "x"),
        FORM("Content-Disposition: form-data\r\n", "x"),
        FORM("Content-Disposition: attachment; name=\"arquivo\"\r\n", "x"),
        FORM(NAMED "no colon\r\n", "x"),
        FORM(NAMED " folded: x\r\n", "x"),
        FORM(NAMED ": x\r\n", "x"),
        FORM(NAMED "Content-Transfer-Encoding: base64\r\n", "x"),
        FORM(NAMED "X: \xff\r\n", "x"),
        "--b\r\n" NAMED "\r\nx\r\n--b\r\n" NAMED "\r\ny\r\n--b--\r\n", /* two parts */
        "--b\r\n" NAMED "\r\nx\r\n--bc",
        FORM(NAMED, "x") "y", /* behind the end */
        FORM(NAMED, "x") "\r\n",
        "--b\r\n" NAMED "\r\nx\r\n--b--x",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t piece = 1; piece <= strlen(rows[i]); piece++)
            ck_assert_msg(state_of(rows[i], piece) == MULTIPART_BAD, "row %zu by %zu", i, piece);
    struct multipart m;
    struct buf b = buf_init(64);
    static const char nul[] = "--b\r\n" NAMED "X: \0\r\n\r\n";
    ck_assert(!feed(&m, nul, sizeof nul - 1, 7, &b));
    buf_release(&b);
}
END_TEST

START_TEST(test_what_is_cut_short_has_no_end)
{
    static const char form[] = FORM(NAMED "Content-Transfer-Encoding: binary\r\n", "x\r\ny");
    struct multipart m;
    struct buf b = buf_init(64);
    size_t whole = sizeof form - 3; /* the last line's end may be missing */
    for (size_t len = 0; len < sizeof form; len++) {
        b.len = 0;
        ck_assert(feed(&m, form, len, sizeof form, &b));
        ck_assert_msg((m.state == MULTIPART_END) == (len >= whole), "%zu", len);
    }
    buf_release(&b);
}
END_TEST

START_TEST(test_heads_are_bounded)
{
    static char form[2 * MULTIPART_HEAD_MAX];
    size_t n = (size_t)snprintf(form, sizeof form, "--b\r\n" NAMED "X: ");
    memset(form + n, 'x', sizeof form - n - 1);
    ck_assert_int_eq(state_of(form, 100), MULTIPART_BAD);
    n = (size_t)snprintf(form, sizeof form, "--b\r\n" NAMED "Content-Type: ");
    memset(form + n, 'x', MULTIPART_TYPE_MAX + 1);
    strcpy(form + n + MULTIPART_TYPE_MAX, "\r\n\r\n");
    ck_assert_int_eq(state_of(form, 100), MULTIPART_BODY);
    strcpy(form + n + MULTIPART_TYPE_MAX, "x\r\n\r\n");
    ck_assert_int_eq(state_of(form, 100), MULTIPART_BAD);
}
END_TEST

static bool refuse(void *ctx, const char *data, size_t len)
{
    (void)data;
    (void)len;
    ++*(int *)ctx;
    return false;
}

START_TEST(test_a_body_that_is_not_wanted_stops_it)
{
    static const char form[] = FORM(NAMED, "x\ry\rz");
    struct multipart m;
    int calls = 0;
    ck_assert(multipart_init(&m, TYPE, strlen(TYPE)));
    ck_assert(!multipart_feed(&m, form, sizeof form - 1, refuse, &calls));
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(m.state, MULTIPART_BODY);
}
END_TEST

Suite *suite_multipart(void)
{
    Suite *s = suite_create("multipart");
    TCase *c = tcase_create("good");
    tcase_add_test(c, test_boundaries);
    tcase_add_test(c, test_a_part_comes_out_whole_in_any_pieces);
    tcase_add_test(c, test_names_as_clients_write_them);
    suite_add_tcase(s, c);
    c = tcase_create("bad");
    tcase_add_test(c, test_what_is_odd_is_refused);
    tcase_add_test(c, test_what_is_cut_short_has_no_end);
    tcase_add_test(c, test_heads_are_bounded);
    tcase_add_test(c, test_a_body_that_is_not_wanted_stops_it);
    suite_add_tcase(s, c);
    return s;
}
