/* wire: what stands between libmicrohttpd and the kernel: this program's own send and sendmsg,
 * which the library finds before libc's. It gains two things that the library has no option for:
 *
 * - Head and body of a small answer leave as one piece. sendmsg with two pieces costs half a
 *   microsecond more than send with one: 6 % of all that a small answer costs.
 * - A refusal that libmicrohttpd makes by itself (an HTML page, or 505 for HTTP/2.0, made before
 * any code of ours was called) is replaced by one of ours, whichever connection it is for.
 *
 * All else passes unchanged, libpq's sends among them. Any thread. */
#ifndef ALICERCE_WIRE_H
#define ALICERCE_WIRE_H

/* libmicrohttpd says on this thread that it is about to refuse a request: the next answer without
 * an X-Request-Id is replaced. */
void wire_expect_refusal(void);

#endif
