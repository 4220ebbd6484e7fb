/* answer: the way of a finished reply into libmicrohttpd: its headers, its counting. */
#ifndef ALICERCE_ANSWER_H
#define ALICERCE_ANSWER_H

#include <microhttpd.h>

#include "request.h"

/* Queues r->reply on the connection; the shared body's reference goes with it. MHD_NO: the
 * connection is to be closed. */
enum MHD_Result answer_send(struct request *r, struct MHD_Connection *connection);

#endif
