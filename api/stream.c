/* stream: owns the bytes that wait, and the way between "nothing to send" and libmicrohttpd.
 * Invariant: suspended only when nothing waits and the body goes on; whatever ends or feeds it
 * resumes it. Its callbacks run inside server_run, everything else anywhere on the loop. */
#include "stream.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "loop.h"
#include "request.h"
#include "server.h"

enum {
    BLOCK = 16 * 1024,
    LISTENER_BLOCK = 128,
    LISTENER_SNDBUF = 32 * 1024, /* the system would let it grow to megabytes for each */
    TICK_MS = 1000,              /* stalls are looked for */
    PARTS_OVERHEAD = 64 * 2 /* a part's own memory counts, so that tiny ones are bounded, too */
};

struct stream_part {
    struct stream_part *next;
    struct body *body;
};

static size_t cost(const struct body *b)
{
    return b->len + PARTS_OVERHEAD;
}

static size_t cap_of(const struct stream *s)
{
    return s->cap ? s->cap : STREAM_CAP;
}

/* ---- what waits ---- */

static void drop_first(struct stream *s)
{
    struct stream_part *part = s->first;
    s->waiting -= cost(part->body);
    s->sent = 0;
    s->first = part->next;
    if (!s->first)
        s->end = &s->first;
    body_unref(part->body);
    free(part);
}

static void drop_all(struct stream *s)
{
    while (s->first)
        drop_first(s);
}

static size_t take(struct stream *s, char *out, size_t max)
{
    size_t n = 0;
    while (s->first && n < max) {
        const struct body *b = s->first->body;
        size_t part = b->len - s->sent < max - n ? b->len - s->sent : max - n;
        memcpy(out + n, b->data + s->sent, part);
        n += part;
        s->sent += part;
        if (s->sent == b->len)
            drop_first(s);
    }
    return n;
}

/* ---- libmicrohttpd's side ---- */

static void resume(struct stream *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    s->moved_ms = ev_now_ms(s->request->loop->ev);
    MHD_resume_connection(s->request->connection);
    server_poke(s->request->loop->server);
}

static void suspend(struct stream *s)
{
    s->suspended = true;
    MHD_suspend_connection(s->request->connection);
}

static void ask(struct stream *s)
{
    if (s->asked || s->ended || !s->more || s->waiting > cap_of(s) / 2)
        return;
    s->asked = true;
    s->more(s);
}

static ssize_t on_read(void *cls, uint64_t position, char *out, size_t max)
{
    (void)position;
    struct stream *s = cls;
    ask(s);
    size_t n = s->aborted ? 0 : take(s, out, max);
    s->moved_ms = ev_now_ms(s->request->loop->ev);
    if (s->aborted)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (n > 0)
        server_go_on(s->request->loop->server);
    else if (s->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    else
        suspend(s);
    return (ssize_t)n;
}

static void unlink_stream(struct stream *s)
{
    struct loop *loop = s->request->loop;
    *(s->older ? &s->older->newer : &loop->streams) = s->newer;
    if (s->newer)
        s->newer->older = s->older;
    ev_del(loop->ev, &s->watch);
}

/* The response is done with, in whatever way. */
static void on_free(void *cls)
{
    struct stream *s = cls;
    unlink_stream(s);
    stream_drop(s);
}

/* The client has gone, or says that it will: libmicrohttpd does not look at what is suspended. */
static void on_gone(struct ev_io *io, uint32_t events)
{
    (void)events;
    struct stream *s = (struct stream *)(void *)((char *)io - offsetof(struct stream, watch));
    ev_del(s->request->loop->ev, &s->watch);
    stream_abort(s);
}

static int socket_of(const struct stream *s)
{
    return MHD_get_connection_info(s->request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

static void begin(struct stream *s)
{
    struct loop *loop = s->request->loop;
    s->started = true;
    s->moved_ms = ev_now_ms(loop->ev);
    s->newer = loop->streams;
    if (s->newer)
        s->newer->older = s;
    loop->streams = s;
    s->watch = (struct ev_io){.fd = -1, .events = EPOLLRDHUP, .ready = on_gone};
    if (!s->listens)
        return;
    s->watch.fd = socket_of(s);
    setsockopt(s->watch.fd, SOL_SOCKET, SO_SNDBUF, &(int){LISTENER_SNDBUF}, sizeof(int));
    if (!ev_add(loop->ev, &s->watch))
        s->watch.fd = -1; /* the next write will tell */
    if (atomic_load_explicit(&loop->app->stopping, memory_order_relaxed))
        stream_end(s);
}

/* libmicrohttpd asks for blocks of this size where it sends no chunks: the length is known, or the
 * client speaks HTTP/1.0. It keeps one for each stream. */
static size_t block_of(const struct stream *s)
{
    return s->listens ? LISTENER_BLOCK : BLOCK;
}

struct MHD_Response *stream_response(struct stream *s)
{
    uint64_t length = s->length == STREAM_LENGTH_UNKNOWN ? MHD_SIZE_UNKNOWN : s->length;
    struct MHD_Response *response =
        MHD_create_response_from_callback(length, block_of(s), on_read, s, on_free);
    if (response)
        begin(s);
    else
        stream_drop(s);
    return response;
}

/* ---- the owner's side ---- */

void stream_adopt(struct stream *s, struct request *r, uint64_t length)
{
    s->request = r;
    s->length = length;
    s->first = NULL;
    s->end = &s->first;
    request_ref(r);
}

void stream_drop(struct stream *s)
{
    struct request *r = s->request;
    drop_all(s);
    s->ended = s->aborted = true;
    s->closed(s); /* which frees it */
    request_unref(r);
}

static bool has_room(const struct stream *s, size_t len)
{
    return !s->ended && !s->aborted && s->waiting + len <= cap_of(s);
}

static bool append(struct stream *s, struct body *piece)
{
    struct stream_part *part = malloc(sizeof *part);
    if (!part)
        return false;
    *part = (struct stream_part){.body = piece};
    *s->end = part;
    s->end = &part->next;
    s->waiting += cost(piece);
    s->asked = false;
    resume(s);
    return true;
}

bool stream_share(struct stream *s, struct body *piece)
{
    if (!has_room(s, cost(piece)))
        return false;
    if (piece->len == 0)
        return true;
    if (!append(s, body_ref(piece))) {
        body_unref(piece);
        return false;
    }
    return true;
}

bool stream_write(struct stream *s, const void *data, size_t len)
{
    struct body *piece = has_room(s, len) ? body_new(data, len) : NULL;
    bool taken = piece && stream_share(s, piece);
    body_unref(piece);
    return taken;
}

void stream_end(struct stream *s)
{
    s->ended = true;
    resume(s);
}

/* To an unspecified address: the kernel sends RST and throws away what was not sent. A mere close
 * would look like a good end to a client without chunks. */
static void reset(int fd)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    if (connect(fd, &nowhere, sizeof nowhere) != 0)
        shutdown(fd, SHUT_RDWR);
}

void stream_abort(struct stream *s)
{
    if (s->aborted)
        return;
    s->aborted = true;
    drop_all(s);
    if (!s->started || !s->request->connection)
        return;
    reset(socket_of(s));
    resume(s);
    server_poke(s->request->loop->server);
}

/* ---- all of a loop ---- */

static bool stalled(const struct stream *s, int64_t now_ms)
{
    int64_t limit = s->stall_ms ? s->stall_ms : STREAM_STALL_MS;
    return !s->suspended && now_ms - s->moved_ms > limit;
}

void streams_tick(struct loop *loop, int64_t now_ms)
{
    if (!loop->streams || now_ms - loop->streams_ms < TICK_MS)
        return;
    loop->streams_ms = now_ms;
    for (struct stream *s = loop->streams; s; s = s->newer)
        if (stalled(s, now_ms))
            stream_abort(s);
}

void streams_stop(struct loop *loop)
{
    for (struct stream *s = loop->streams; s; s = s->newer)
        if (s->listens)
            stream_end(s);
}

void streams_abort(struct loop *loop)
{
    for (struct stream *s = loop->streams; s; s = s->newer)
        stream_abort(s);
}
