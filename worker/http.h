/* http: calls to other people's servers over HTTP, by libcurl on an ev.
 *
 * Nothing blocks the loop: sockets and libcurl's timer are the loop's, and names are resolved by
 * libcurl's own thread or by c-ares (http_new refuses a libcurl with neither). Connections are kept
 * and used again. An answer is bounded (HTTP_BODY_MAX, HTTP_HEAD_MAX), redirects are answers and
 * not followed, TLS is verified, proxies are those of the environment (libcurl's default).
 * No text that comes from here holds any part of the URL. One thread. libcurl 7.87 or newer.
 * libcurl: curl_multi_socket_action(3), libcurl-multi(3). */
#ifndef ALICERCE_HTTP_H
#define ALICERCE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct ev;
struct http;

enum {
    HTTP_BODY_MAX = 1 << 20,
    HTTP_HEAD_MAX = 64 << 10, /* all header lines of an answer; Meta's are about 2 KiB */
    HTTP_CONNECT_MS = 5000,
    HTTP_WHOLE_MS = 15000
};

/* One call; embedded in its owner, zeroed before the first use, one call at a time. */
struct http_call {
    /* Never within http_get. Another http_get of the same call may follow at once. */
    void (*done)(struct http_call *c);
    int64_t whole_ms;  /* 0: HTTP_WHOLE_MS */
    unsigned status;   /* of the answer; 0 when there was none or it broke off */
    const char *wrong; /* NULL, or why there is none: static, English */
    struct buf body;   /* until the next http_get or http_release */
    void *easy;        /* from here http's own */
    struct http *http; /* while it is under way */
    size_t head;
};

/* most: connections at once. NULL without memory, descriptors, or a resolver that does not block.
 */
struct http *http_new(struct ev *ev, unsigned most);
/* After http_release of all its calls. Closes the connections. NULL is fine. */
void http_free(struct http *h);
/* false without memory: done will not be called. `url` is copied. */
bool http_get(struct http *h, struct http_call *c, const char *url);
/* Ends it without calling done. Fine when it is not under way. */
void http_cancel(struct http_call *c);
/* In done: the last header of this name, NULL for none. Valid until done returns. */
const char *http_header(const struct http_call *c, const char *name);
/* Cancels, and frees what the call holds. */
void http_release(struct http_call *c);

#endif
