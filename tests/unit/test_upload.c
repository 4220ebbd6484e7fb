/* upload: what a handler takes over. */
#include <check.h>

#include "api/request.h"
#include "api/upload.h"

/* Its file may be removed after the answer, when the request is another one's: planted once, the
 * tick that looks for silent uploads read a request that had been freed. */
START_TEST(taken_it_no_longer_points_to_the_request)
{
    static struct request r;
    static struct upload u = {
        .request = &r, .fd = -1, .bytes = 1, .name = "a.txt", .verdict = {.type = "text/plain"}};
    struct upload *taken = NULL;
    r.upload = &u;
    ck_assert_int_eq(upload_take(&r, &taken), STATUS_OK);
    ck_assert_ptr_eq(taken, &u);
    ck_assert_ptr_null(r.upload);
    ck_assert_ptr_null(u.request);
}
END_TEST

Suite *suite_upload(void);
Suite *suite_upload(void)
{
    Suite *s = suite_create("upload");
    TCase *tc = tcase_create("take");
    tcase_add_test(tc, taken_it_no_longer_points_to_the_request);
    suite_add_tcase(s, tc);
    return s;
}
