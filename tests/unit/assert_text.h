/* assert_text: what several suites ask of a column's text. */
#ifndef ALICERCE_TESTS_ASSERT_TEXT_H
#define ALICERCE_TESTS_ASSERT_TEXT_H

#include <check.h>
#include <string.h>

#include "pg.h"

/* expected NULL: the column is NULL. */
static inline void assert_text(struct pg_text text, const char *expected)
{
    if (!expected) {
        ck_assert_ptr_null(text.data);
        return;
    }
    ck_assert_msg(text.data && text.len == strlen(expected) &&
                      memcmp(text.data, expected, text.len) == 0,
                  "\"%.*s\" is not \"%s\"", (int)text.len, text.data ? text.data : "", expected);
}

#endif
