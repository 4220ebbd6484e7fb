/* headers: reads a request's headers once and refuses what libmicrohttpd lets through (engine trap
 * 7): two lengths or hosts, a length beside a transfer coding, names that are no tokens, NUL, bare
 * LF and folded lines. RFC 9112 sections 2.2, 5, 6.1, 6.3; RFC 9110 section 7.2. */
#ifndef ALICERCE_HEADERS_H
#define ALICERCE_HEADERS_H

#include "request.h"

/* Fills r->headers. STATUS_OK, or why the connection cannot be trusted any further: answer with
 * that and close. ret_why is static. ret_size: bytes of the connection's pool that the head takes,
 * by a careful estimate. */
enum status headers_read(struct request *r, const char *method, const char *version,
                         const char **ret_why, size_t *ret_size);

#endif
