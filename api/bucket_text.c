/* bucket_text: owns nothing but its rules. */
#include "bucket_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void bucket_code(const char *body, size_t len, char ret[static BUCKET_CODE])
{
    static const char begin[] = "<Code>";
    const char *at = memmem(body, len, begin, sizeof begin - 1);
    size_t n = 0;
    for (const char *s = at ? at + sizeof begin - 1 : body + len; s < body + len; s++) {
        bool good =
            (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');
        if (!good || n + 1 == BUCKET_CODE)
            break;
        ret[n++] = *s;
    }
    ret[n] = '\0';
}

bool bucket_range_is(const char *header, int64_t first, int64_t last, int64_t size)
{
    char want[80]; /* three numbers of 19 digits */
    snprintf(want, sizeof want, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, first, last, size);
    return header && strcmp(header, want) == 0;
}
