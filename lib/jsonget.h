/* jsonget: jansson with the manners of the contract: errors name the field, limits come first.
 *
 * A parse or field error is collected in a struct jsonget; handlers fetch all their fields and look
 * once. Not thread-safe, one per request. */
#ifndef ALICERCE_JSONGET_H
#define ALICERCE_JSONGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum {
    JSONGET_DEPTH = 32,     /* contract: nesting <= 32 */
    JSONGET_MAX_ERRORS = 16 /* field errors reported in one answer */
};

struct jsonget_error {
    char field[96];    /* "titulo"; UTF-8, cut at a character's border; "" for the whole body */
    char message[160]; /* Portuguese, for people */
};

struct jsonget {
    json_t *root; /* owned; NULL until parsed */
    unsigned n_errors;
    struct jsonget_error errors[JSONGET_MAX_ERRORS];
    unsigned n_known; /* fields asked for so far, so that unknown ones can be named */
    const char *known[16];
};

/* Depth of nesting of a JSON text, found by a scan that does not recurse; strings are skipped. */
size_t jsonget_depth(const char *text, size_t len);

/* Parses an object. STATUS_OK, or STATUS_BAD_REQUEST with one error that says what and where:
 * empty, not JSON (line, column), invalid UTF-8, U+0000, deeper than JSONGET_DEPTH, a repeated key
 * (named as field), not an object. Release with jsonget_release in every case. */
enum status jsonget_parse(struct jsonget *g, const char *text, size_t len);
void jsonget_release(struct jsonget *g);

/* A string of min..max characters (code points). Returns NULL with *ret_len 0 and records an error
 * when it is missing (and required), of another type or of another length. Not required: a missing
 * field or null gives NULL without an error. The memory is the root's. */
const char *jsonget_string(struct jsonget *g, const char *field, bool required, size_t min,
                           size_t max, size_t *ret_len);
/* An integer within [min,max]; `otherwise` when it is left out (or null) or in error. */
int64_t jsonget_int(struct jsonget *g, const char *field, int64_t min, int64_t max,
                    int64_t otherwise);
/* Records an error of the caller's own. */
__attribute__((format(printf, 3, 4))) void jsonget_fail(struct jsonget *g, const char *field,
                                                        const char *fmt, ...);
/* After all fields were asked for: records every unknown one. STATUS_OK, or STATUS_INVALID. */
enum status jsonget_finish(struct jsonget *g);

#endif
