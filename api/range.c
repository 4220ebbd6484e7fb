/* range: owns the reading of "bytes=first-last", "bytes=first-" and "bytes=-suffix". */
#include "range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Digits alone, at least one; what is too large to be counted stands for "behind everything". */
static bool number(const char *s, size_t len, int64_t *ret)
{
    int64_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        n = n > (INT64_MAX - 9) / 10 ? INT64_MAX / 100 : n * 10 + (s[i] - '0');
    }
    *ret = n;
    return len > 0;
}

static enum range_kind suffix(const char *s, size_t len, int64_t size, int64_t *ret_first,
                              int64_t *ret_last)
{
    int64_t n;
    if (!number(s, len, &n))
        return RANGE_WHOLE;
    if (n == 0 || size == 0)
        return RANGE_UNSATISFIABLE;
    *ret_first = n < size ? size - n : 0;
    *ret_last = size - 1;
    return RANGE_PART;
}

enum range_kind range_parse(const char *header, size_t len, int64_t size, int64_t *ret_first,
                            int64_t *ret_last)
{
    int64_t first, last = INT64_MAX;
    if (!header || len < 6 || strncasecmp(header, "bytes=", 6) != 0)
        return RANGE_WHOLE;
    const char *s = header + 6, *end = header + len;
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    const char *dash = memchr(s, '-', (size_t)(end - s));
    if (!dash)
        return RANGE_WHOLE;
    if (dash == s)
        return suffix(dash + 1, (size_t)(end - dash - 1), size, ret_first, ret_last);
    if (!number(s, (size_t)(dash - s), &first) ||
        (dash + 1 < end && !number(dash + 1, (size_t)(end - dash - 1), &last)) || last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *ret_first = first;
    *ret_last = last < size ? last : size - 1;
    return RANGE_PART;
}
