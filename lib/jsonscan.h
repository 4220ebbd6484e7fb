/* jsonscan: looks into JSON (RFC 8259) without building a tree.
 *
 * For webhook deliveries and for bodies (jsonget), where jansson will not do: it refuses what JSON
 * allows (integers past 64 bits, 1e400, U+0000), loses the digits of ids that are numbers, and
 * builds a tree where one pass over the bytes will do. A text is checked once; values are then
 * slices of it, found by skipping. Nothing is allocated but by jsonscan_canonical. Pure functions.
 */
#ifndef ALICERCE_JSONSCAN_H
#define ALICERCE_JSONSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { JSONSCAN_DEPTH = 256 }; /* deepest nesting that passes the check */

enum jsonscan_type {
    JSONSCAN_NONE, /* no such value */
    JSONSCAN_OBJECT,
    JSONSCAN_ARRAY,
    JSONSCAN_STRING,
    JSONSCAN_NUMBER,
    JSONSCAN_TRUE,
    JSONSCAN_FALSE,
    JSONSCAN_NULL
};

/* A value: its text, in the memory of the text that was checked. */
struct jsonscan {
    enum jsonscan_type type;
    const char *text;
    size_t len;
};

/* Checks the whole text: NULL and the root, or what is wrong (Portuguese, static). */
const char *jsonscan_check(const char *text, size_t len, struct jsonscan *ret_root);
/* The same, and *ret_at is the byte at which it was found wrong, at most len. */
const char *jsonscan_check_at(const char *text, size_t len, struct jsonscan *ret_root,
                              size_t *ret_at);

/* Would PostgreSQL's jsonb take it? It refuses U+0000, surrogates without their other half and
 * numbers outside of numeric (PostgreSQL 15 documentation, 8.14 "JSON Types"). Errs towards no. */
bool jsonscan_fits_jsonb(struct jsonscan v);

/* The values of n members of an object in one pass; JSONSCAN_NONE for what is not there. The last
 * of equal keys counts, as in jsonb. Anything but an object has no members. */
void jsonscan_pick(struct jsonscan object, size_t n, const char *const names[],
                   struct jsonscan ret[]);
struct jsonscan jsonscan_get(struct jsonscan object, const char *name);

/* Walks over an array's elements: start with {0}. false at the end, and for what is no array. */
struct jsonscan_walk {
    const char *at;
};
bool jsonscan_next(struct jsonscan array, struct jsonscan_walk *w, struct jsonscan *ret);

/* The same over an object's members, in the order of the text. */
bool jsonscan_next_member(struct jsonscan object, struct jsonscan_walk *w, struct jsonscan *ret_key,
                          struct jsonscan *ret_value);

/* A string's characters as UTF-8 into out[v.len]; false for another type, for U+0000 and for lone
 * surrogates. */
bool jsonscan_decode(struct jsonscan v, char *out, size_t *ret_len);
/* The same for any string: U+0000 and lone surrogates (as if they were characters) are written too,
 * and *ret_odd says so. Returns the length. */
size_t jsonscan_unescape(struct jsonscan string, char *out, bool *ret_odd);
/* Is it a string of exactly these characters? */
bool jsonscan_equals(struct jsonscan v, const char *s);
/* A whole number, or a string of one, within [min, max]. */
bool jsonscan_int(struct jsonscan v, int64_t min, int64_t max, int64_t *ret);

/* Appends the value in a form that depends on its meaning alone: no white space, members in the
 * order of their keys, one way to write a character. Numbers stay as they were written. */
void jsonscan_canonical(struct jsonscan v, struct buf *out);

#endif
