/* range: Range of a GET (RFC 9110 section 14), as much of it as is worth serving: one range of
 * bytes. */
#ifndef ALICERCE_RANGE_H
#define ALICERCE_RANGE_H

#include <stddef.h>
#include <stdint.h>

enum range_kind {
    RANGE_WHOLE,        /* no range, several, or nothing that is one: the header is ignored */
    RANGE_PART,         /* [*ret_first, *ret_last] */
    RANGE_UNSATISFIABLE /* begins behind the end: 416 */
};

/* Of `size` bytes. header NULL: absent. */
enum range_kind range_parse(const char *header, size_t len, int64_t size, int64_t *ret_first,
                            int64_t *ret_last);

#endif
