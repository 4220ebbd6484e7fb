/* bucket_text: the texts of an S3-compatible store's answers. Pure functions. */
#ifndef ALICERCE_BUCKET_TEXT_H
#define ALICERCE_BUCKET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUCKET_CODE = 48 };

/* <Code> of an error's body ("NoSuchKey"), letters and digits alone; "" for none. */
void bucket_code(const char *body, size_t len, char ret[static BUCKET_CODE]);
/* Is it Content-Range "bytes FIRST-LAST/SIZE" with exactly these? header NULL: no. */
bool bucket_range_is(const char *header, int64_t first, int64_t last, int64_t size);

#endif
