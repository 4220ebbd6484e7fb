/* jsonget: reads a body that is a flat JSON object, with the manners of the contract: limits come
 * first, errors name the field.
 *
 * A parse or field error is collected in a struct jsonget; handlers fetch all their fields and look
 * once. The text is read by jsonscan, not by jansson: a tree of a small body costs more than all
 * else that a write does. A value that is an object or an array is skipped, and refused where a
 * field asks for another. Not thread-safe, one per request. */
#ifndef ALICERCE_JSONGET_H
#define ALICERCE_JSONGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jsonscan.h"
#include "status.h"

enum {
    JSONGET_DEPTH = 32,      /* contract: nesting <= 32 */
    JSONGET_MAX_ERRORS = 16, /* field errors reported in one answer */
    JSONGET_FIELDS = 32 /* an object of more has unknown ones, enough of them to fill an answer */
};

struct jsonget_error {
    char field[96];    /* "titulo"; UTF-8, cut at a character's border; "" for the whole body */
    char message[160]; /* Portuguese, for people */
};

struct jsonget_field {
    const char *name; /* decoded, NUL-terminated */
    struct jsonscan value;
    const char *text; /* a string's characters, decoded and NUL-terminated */
    size_t len;
};

struct jsonget {
    unsigned n_fields;
    struct jsonget_field fields[JSONGET_FIELDS];
    unsigned n_errors;
    struct jsonget_error errors[JSONGET_MAX_ERRORS];
    unsigned n_known; /* fields asked for so far, so that unknown ones can be named */
    const char *known[16];
};

/* Depth of nesting of a JSON text, found by a scan that does not recurse; strings are skipped. */
size_t jsonget_depth(const char *text, size_t len);

/* Parses an object; its strings are decoded in place, so that `text` is JSON no more and must
 * outlive what the getters give. STATUS_OK, or STATUS_BAD_REQUEST with one error that says what and
 * where: empty, not JSON (line, column in bytes), invalid UTF-8, U+0000, half of a surrogate pair,
 * deeper than JSONGET_DEPTH, a repeated key (named as field), not an object. */
enum status jsonget_parse(struct jsonget *g, char *text, size_t len);

/* A string of min..max characters (code points), NUL-terminated. Returns NULL with *ret_len 0 and
 * records an error when it is missing (and required), of another type or of another length. Not
 * required: a missing field or null gives NULL without an error. The memory is the text's. */
const char *jsonget_string(struct jsonget *g, const char *field, bool required, size_t min,
                           size_t max, size_t *ret_len);
/* An integer within [min,max]; `otherwise` when it is left out (or null) or in error. */
int64_t jsonget_int(struct jsonget *g, const char *field, int64_t min, int64_t max,
                    int64_t otherwise);
/* true or false as 1 or 0; `otherwise` when it is left out (or null) or in error. */
int jsonget_bool(struct jsonget *g, const char *field, int otherwise);
/* An object, its text as it came (only what stands beside it is decoded). JSONSCAN_NONE when it is
 * left out (or null) or in error. */
struct jsonscan jsonget_object(struct jsonget *g, const char *field);
/* Is it there, and null? For merge patches (RFC 7396), where that means "remove". */
bool jsonget_is_null(const struct jsonget *g, const char *field);
/* Records an error of the caller's own. */
__attribute__((format(printf, 3, 4))) void jsonget_fail(struct jsonget *g, const char *field,
                                                        const char *fmt, ...);
/* After all fields were asked for: records every unknown one. STATUS_OK, or STATUS_INVALID. */
enum status jsonget_finish(struct jsonget *g);

#endif
