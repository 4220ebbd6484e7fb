/* answer: the way of a finished reply into libmicrohttpd: its headers, its counting.
 *
 * Making a response and its headers is half of what a small answer costs outside of the kernel. So
 * requests that get the same bytes and no header of their own share one response, but for
 * X-Request-Id and Date, whose values are written into the response anew for each. That rests on
 * libmicrohttpd making the text of the head as soon as the callback that queued the response
 * returns (connection.c, MHD_CONNECTION_START_REPLY: so from 0.9.75 to 1.0.1), and is watched by
 * tests/flow/test_http.py. */
#ifndef ALICERCE_ANSWER_H
#define ALICERCE_ANSWER_H

#include <microhttpd.h>

#include "request.h"

/* Queues r->reply on the connection; the shared body's reference goes with it. MHD_NO: the
 * connection is to be closed. */
enum MHD_Result answer_send(struct request *r, struct MHD_Connection *connection);

/* The shared responses of static bytes, one set for each loop. */
struct answer_constants *answer_constants_new(void);
void answer_constants_free(struct answer_constants *c); /* NULL is fine */

#endif
