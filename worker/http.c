/* http: owns libcurl's multi handle, the loop's watch over its sockets, and a timerfd for the time
 * that it asks for: the loop's tick is too coarse for libcurl's steps.
 *
 * libcurl calls on_interest and on_timer_wish from inside of itself, where it may not be called
 * again: they only note things with the loop. done is called by finish(), outside of libcurl. */
#include "http.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "ev.h"
#include "log.h"

struct http {
    struct ev *ev;
    CURLM *multi;
    struct ev_io timer;
};

/* A socket of libcurl's. */
struct watch {
    struct ev_io io;
    struct http *http;
};

/* ---- answers ---- */

static void set_outcome(struct http_call *c, CURLcode code)
{
    long status = 0;
    if (code == CURLE_OK)
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->status = (unsigned)status;
    if (buf_failed(&c->body) || c->head > HTTP_HEAD_MAX)
        c->wrong = "the answer is too large";
    else if (code != CURLE_OK)
        c->wrong = curl_easy_strerror(code);
}

/* A done may start and cancel others: each message is taken anew. */
static void finish(struct http *h)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left)) != NULL;) {
        struct http_call *c = NULL;
        CURLcode code = m->data.result; /* m lives until the handle is removed */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        curl_multi_remove_handle(h->multi, c->easy);
        c->http = NULL;
        set_outcome(c, code);
        c->done(c);
    }
}

/* ---- libcurl's sockets and its timer ---- */

static void act(struct http *h, curl_socket_t fd, int what)
{
    int running;
    curl_multi_socket_action(h->multi, fd, what, &running);
    finish(h);
}

static void on_ready(struct ev_io *io, uint32_t events)
{
    struct watch *w = (struct watch *)(void *)io; /* act may end it */
    int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(w->http, w->io.fd, what);
}

static void on_timer(struct ev_io *io, uint32_t events)
{
    (void)events;
    struct http *h = (struct http *)(void *)((char *)io - offsetof(struct http, timer));
    uint64_t n;
    if (read(io->fd, &n, sizeof n) == sizeof n)
        act(h, CURL_SOCKET_TIMEOUT, 0);
}

/* -1: no timer; 0: soon, but not from in here. */
static int on_timer_wish(CURLM *multi, long ms, void *ctx)
{
    (void)multi;
    struct http *h = ctx;
    struct itimerspec at = {.it_value = {.tv_sec = ms > 0 ? ms / 1000 : 0,
                                         .tv_nsec = ms > 0    ? ms % 1000 * 1000000
                                                    : ms == 0 ? 1
                                                              : 0}};
    return timerfd_settime(h->timer.fd, 0, &at, NULL) == 0 ? 0 : -1;
}

static void end_watch(struct http *h, struct watch *w)
{
    if (!w)
        return;
    ev_del(h->ev, &w->io);
    free(w);
}

static int begin_watch(struct http *h, curl_socket_t fd, uint32_t events)
{
    struct watch *w = malloc(sizeof *w);
    if (!w)
        return -1;
    *w = (struct watch){.io = {.fd = fd, .events = events, .ready = on_ready}, .http = h};
    if (!ev_add(h->ev, &w->io)) {
        free(w);
        return -1;
    }
    curl_multi_assign(h->multi, fd, w);
    return 0;
}

static int on_interest(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    (void)easy;
    struct http *h = ctx;
    struct watch *w = socket_ctx;
    uint32_t events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0u) |
                      (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE)
        end_watch(h, w);
    else if (w)
        ev_modify(h->ev, &w->io, events);
    else
        return begin_watch(h, fd, events);
    return 0;
}

/* ---- calls ---- */

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    buf_add(&c->body, data, size * n);
    return buf_failed(&c->body) ? 0 : size * n; /* anything but all of it ends the transfer */
}

static size_t on_head(char *data, size_t size, size_t n, void *ctx)
{
    (void)data;
    struct http_call *c = ctx;
    c->head += size * n;
    return c->head > HTTP_HEAD_MAX ? 0 : size * n;
}

/* CURLOPT_QUICK_EXIT: giving up on a name that does not resolve would else wait for the thread that
 * resolves it, and the loop with it. */
static bool set_options(CURL *e, struct http_call *c, const char *url)
{
    long whole = (long)(c->whole_ms > 0 ? c->whole_ms : HTTP_WHOLE_MS);
    return curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, whole) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USERAGENT, "alicerce/" ALICERCE_VERSION) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERDATA, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PRIVATE, c) == CURLE_OK;
}

bool http_get(struct http *h, struct http_call *c, const char *url)
{
    if (!c->easy)
        c->easy = curl_easy_init();
    if (!c->easy)
        return false;
    if (c->body.cap == 0)
        c->body = buf_init(HTTP_BODY_MAX);
    buf_reset(&c->body);
    curl_easy_reset(c->easy);
    c->status = 0;
    c->wrong = NULL;
    c->head = 0;
    if (!set_options(c->easy, c, url) || curl_multi_add_handle(h->multi, c->easy) != CURLM_OK)
        return false;
    c->http = h;
    return true;
}

void http_cancel(struct http_call *c)
{
    if (!c->http)
        return;
    curl_multi_remove_handle(c->http->multi, c->easy);
    c->http = NULL;
}

void http_release(struct http_call *c)
{
    http_cancel(c);
    curl_easy_cleanup(c->easy);
    c->easy = NULL;
    buf_release(&c->body);
}

const char *http_header(const struct http_call *c, const char *name)
{
    struct curl_header *found;
    if (curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return NULL;
    if (found->amount > 1 &&
        curl_easy_header(c->easy, name, found->amount - 1, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return NULL;
    return found->value;
}

/* ---- life ---- */

/* Without either, libcurl resolves names within curl_multi_socket_action. */
static bool resolver_blocks(void)
{
    bool blocks = !(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS);
    if (blocks)
        log_error("http_resolver", NULL,
                  "this libcurl resolves names without a thread or c-ares: it would hold up all "
                  "else; use one that was built with either");
    return blocks;
}

struct http *http_new(struct ev *ev, unsigned most)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    struct http *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->ev = ev;
    h->timer = (struct ev_io){.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
                              .events = EPOLLIN,
                              .ready = on_timer};
    h->multi = curl_multi_init();
    if (resolver_blocks() || !h->multi || h->timer.fd < 0 || !ev_add(ev, &h->timer) ||
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_interest) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)most) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)most) != CURLM_OK) {
        http_free(h);
        return NULL;
    }
    return h;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    curl_multi_cleanup(h->multi); /* closes the connections: on_interest is called for each */
    if (h->timer.fd >= 0) {
        int fd = h->timer.fd;
        ev_del(h->ev, &h->timer);
        close(fd);
    }
    free(h);
}
