/* jsonput: writes JSON (RFC 8259) by hand into a buf. The hot answers are made with it:
 * no tree, one pass. */
#ifndef ALICERCE_JSONPUT_H
#define ALICERCE_JSONPUT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* A quoted string. `s` is valid UTF-8 (everything that reached PostgreSQL is): only '"', '\\' and
 * controls below 0x20 are escaped, U+007F and above pass as they are. */
void jsonput_string(struct buf *b, const char *s, size_t len);
/* A quoted RFC 3339 time from microseconds since 1970 UTC. */
void jsonput_time(struct buf *b, int64_t unix_us);

#endif
