/* stream: an answer whose body is made while it is sent: live events, long lists, files.
 *
 * Its owner writes pieces as it has them; they wait, at most `cap` bytes of them, until the client
 * takes them. While there is nothing to send libmicrohttpd has the connection suspended, so that an
 * idle stream costs its loop nothing (docs/architecture.md, "Streams"). All on the loop's thread.
 *
 *     struct export { struct stream stream; … };            // calloc
 *     e->stream = (struct stream){.more = more, .closed = closed};
 *     return reply_stream(r, STATUS_OK, "text/csv", &e->stream, STREAM_LENGTH_UNKNOWN);
 *
 * Once given to reply_stream it belongs to the request, which lives as long (s->request): `closed`
 * is called exactly once, when it was sent, was cut, or never began (the token was revoked, the
 * client was gone, HEAD), and is where the owner frees it. What was asked of a server meanwhile
 * must find it gone: keep a flag or a reference of one's own. The request's deadline does not end a
 * stream; a client that takes nothing for `stall_ms` does. An owner that waits for a server has to
 * bound that wait itself, as its connections do, and then cut the stream. */
#ifndef ALICERCE_STREAM_H
#define ALICERCE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "body.h"
#include "ev.h"

struct loop;
struct request;
struct stream_part;
struct MHD_Response;

enum {
    STREAM_CAP = 256 * 1024,
    STREAM_STALL_MS = 30000 /* below libmicrohttpd's own 75 s */
};
#define STREAM_LENGTH_UNKNOWN UINT64_MAX

struct stream {
    /* The owner's. more: less than half of the cap waits: write something, now or later. Called
     * again only after something was written. May be NULL. Never called before the head goes out.
     */
    void (*more)(struct stream *s);
    void (*closed)(struct stream *s);
    size_t cap;       /* 0: STREAM_CAP */
    int64_t stall_ms; /* 0: STREAM_STALL_MS */
    bool listens;     /* has no end of its own: it ends with the client's half-close, too, and at
                         once when the process stops */

    /* stream.c's. */
    struct request *request; /* a reference */
    uint64_t length;
    struct stream_part *first, **end; /* what waits */
    size_t waiting, sent;             /* bytes; sent: of the first part */
    int64_t moved_ms;                 /* when the client last took something */
    bool started, suspended, asked, ended, aborted;
    struct ev_io watch; /* the socket, while it listens */
    struct stream *older, *newer;
};

/* A copy of the bytes (pieces of some KiB are best). false: over the cap, ended, cut, or without
 * memory; nothing was taken. */
bool stream_write(struct stream *s, const void *data, size_t len);
/* The same without a copy: for what several streams send. Takes a reference of its own. */
bool stream_share(struct stream *s, struct body *piece);
/* What waits is sent, then the body ends as it should. */
void stream_end(struct stream *s);
/* The connection is reset, so that the client sees that the body is not whole. `closed` comes
 * later. */
void stream_abort(struct stream *s);

/* For reply, answer and the server. */

/* Ties the stream to the request. */
void stream_adopt(struct stream *s, struct request *r, uint64_t length);
/* It will not begin. */
void stream_drop(struct stream *s);
/* The response to be queued, which owns the stream from here on; NULL without memory (it was
 * dropped). */
struct MHD_Response *stream_response(struct stream *s);
/* Of one loop: looks at stalls. */
void streams_tick(struct loop *loop, int64_t now_ms);
/* The process stops: those that listen end now, the others may go on until the drain ends. */
void streams_stop(struct loop *loop);
/* Cuts all, so that the daemon may be stopped. */
void streams_abort(struct loop *loop);

#endif
