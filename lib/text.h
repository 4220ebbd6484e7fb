/* text: checking and turning of bytes that come from outside. Pure functions. */
#ifndef ALICERCE_TEXT_H
#define ALICERCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it valid UTF-8 (RFC 3629: no surrogates, no overlong forms, <= U+10FFFF)? On success
 * *ret_chars (may be NULL) is the number of code points. U+0000 counts as valid here. */
bool text_utf8(const char *s, size_t len, size_t *ret_chars);
/* Length of the run at s that stands in a JSON string as it is: no quote, no backslash, no control
 * character (RFC 8259 section 7). 8 bytes at a time. */
size_t text_plain_run(const char *s, size_t len);
/* The one integer parser: decimal digits with an optional leading '-', the whole of `s`, within
 * [min, max]. No spaces, no '+', no leading zeros but "0" itself. */
bool text_int(const char *s, size_t len, int64_t min, int64_t max, int64_t *ret);
/* Percent-decodes `s` in place (RFC 3986 section 2.1). plus: '+' means a space (query strings).
 * false for a broken escape or U+0000; *ret_len is the new length. */
bool text_percent_decode(char *s, size_t len, bool plus, size_t *ret_len);
/* A "sane token": 1..max characters of A-Z a-z 0-9 . _ - : used for X-Request-Id. */
bool text_token(const char *s, size_t len, size_t max);
/* An RFC 9110 token (section 5.6.2), as a header's name must be. */
bool text_http_token(const char *s, size_t len);
/* Lower-case hex of `len` bytes into out[2*len] (no NUL). */
void text_hex(const uint8_t *in, size_t len, char *out);
/* The reverse, lower-case digits only, exactly 2*len of them. */
bool text_unhex(const char *s, uint8_t *out, size_t len);
/* Unpadded base64url (RFC 4648 section 5). encode: out has (len*4+2)/3 bytes, returns that;
 * decode: false unless canonical; *ret_len <= cap. */
size_t text_base64url(const uint8_t *in, size_t len, char *out);
bool text_unbase64url(const char *s, size_t len, uint8_t *out, size_t cap, size_t *ret_len);
/* Equality that takes the same time wherever the difference is. */
bool text_equal_ct(const void *a, const void *b, size_t len);

/* Microseconds since 1970 UTC as RFC 3339 "2026-11-22T02:30:00.123456Z", 27 characters into out (no
 * NUL). Years 0000 to 9999; outside of them the nearest end. */
enum { TEXT_TIME_LEN = 27 };
void text_time(int64_t unix_us, char *out);
/* The reverse, for RFC 3339 date-times with any offset and 0..9 fraction digits. */
bool text_time_parse(const char *s, size_t len, int64_t *ret_unix_us);

#endif
