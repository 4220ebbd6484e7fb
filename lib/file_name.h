/* file_name: the name that a client gave a file. It is shown to people and told to browsers, and
 * never is a path here. */
#ifndef ALICERCE_FILE_NAME_H
#define ALICERCE_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum { FILE_NAME_MAX = 200 }; /* characters */

/* The last part of what may be a path of any system ("../../a.txt", "C:\\fakepath\\a.txt"), without
 * blanks around it. In place: returns where it begins, *ret_len is its length. NULL when there is
 * none: it is empty, "." or "..", too long, no UTF-8, or holds control characters or those that
 * turn the direction of writing and so hide an extension (Unicode TR 36). */
const char *file_name_clean(const char *s, size_t len, size_t *ret_len);

/* attachment; filename="…"; filename*=UTF-8''… (RFC 6266, RFC 8187) of a clean name. */
void file_name_disposition(struct buf *b, const char *name, size_t len);

#endif
