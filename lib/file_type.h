/* file_type: what a file is, told by its first bytes and by nothing else.
 *
 * One table of what may be kept; whatever is not in it is refused. Text has no first bytes: it is
 * what is valid UTF-8 without control characters from beginning to end, so it is looked at whole.
 * Nothing here ever is HTML, SVG or a script: such bytes are plain text, or nothing. */
#ifndef ALICERCE_FILE_TYPE_H
#define ALICERCE_FILE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum { FILE_TYPE_HEAD = 64 * 1024 }; /* so many first bytes tell it, or all that there are */

/* What the client said, each possibly absent (NULL): it chooses between types that bytes cannot
 * tell apart (CSV is text), and is refused when it names another one. */
struct file_claim {
    const char *type; /* of Content-Type, with its parameters */
    size_t type_len;
    const char *name; /* for its extension */
};

struct file_verdict {
    const char *type; /* as it is stored and served; static */
    bool text;        /* goes on to be text: file_text over all of it */
};

/* STATUS_OK, or STATUS_UNSUPPORTED_MEDIA with *ret_why (static, Portuguese). */
enum status file_type(const void *head, size_t len, struct file_claim claim,
                      struct file_verdict *ret, const char **ret_why);

/* Text piece by piece: UTF-8 (RFC 3629) and of the control characters only tab, line feed, form
 * feed and carriage return. */
struct file_text {
    uint8_t pending;   /* bytes of a character that are still to come */
    uint8_t low, high; /* what the next of them may be */
    bool bad;
};
void file_text_add(struct file_text *t, const void *data, size_t len);
/* Was it text, to its end? */
bool file_text_good(const struct file_text *t);

/* Is this the type of a multipart/form-data body? */
bool file_type_is(const char *type, size_t len, const char *wanted);

#endif
