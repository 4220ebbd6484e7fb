/* answer: owns the headers that every answer carries, and the responses that many share. */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ev.h"
#include "log.h"
#include "loop.h"
#include "stream.h"

#define REQUEST_ID "X-Request-Id"

enum {
    ID_LEN = 32,   /* of the ids that are made here */
    DATE_LEN = 29, /* "Mon, 30 Nov 2026 04:00:00 GMT" */
    CONSTANTS = 4  /* static bytes that are worth a response of their own: health, the intake's */
};

static void release_body(void *cls)
{
    body_unref(cls);
}

static struct MHD_Response *response_of(struct request *r)
{
    struct body *body = r->reply.body;
    struct stream *stream = r->reply.stream;
    if (stream) {
        r->reply.stream = NULL; /* the response's, from here on */
        return stream_response(stream);
    }
    if (body) {
        r->reply.body = NULL; /* the reference goes with the response */
        struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
            body->len, body->data, release_body, body);
        if (!response)
            body_unref(body);
        return response;
    }
    return MHD_create_response_from_buffer(
        r->reply.constant.len, (void *)(uintptr_t)r->reply.constant.data, MHD_RESPMEM_PERSISTENT);
}

static void add_cors(struct request *r, struct MHD_Response *response)
{
    MHD_add_response_header(response, "Access-Control-Allow-Origin", r->loop->config->frontend_url);
    MHD_add_response_header(response, "Vary", "Origin");
    MHD_add_response_header(response, "Access-Control-Expose-Headers",
                            "Content-Disposition, ETag, Idempotency-Replayed, Location, "
                            "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
                            "WWW-Authenticate, X-Request-Id, X-Total-Estimado");
    if (r->reply.allow && r->reply.http == 204) { /* the preflight */
        MHD_add_response_header(response, "Access-Control-Allow-Methods", r->reply.allow);
        MHD_add_response_header(response, "Access-Control-Allow-Headers",
                                "Authorization, Content-Type, Idempotency-Key, If-Match, "
                                "If-None-Match, Last-Event-ID, X-Request-Id");
        MHD_add_response_header(response, "Access-Control-Max-Age", "600");
    }
}

static void add_number(struct MHD_Response *response, const char *name, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    MHD_add_response_header(response, name, text);
}

static void add_rare(struct request *r, struct MHD_Response *response)
{
    const struct reply *reply = &r->reply;
    for (const struct reply_header *h = reply->more; h; h = h->next)
        MHD_add_response_header(response, h->name, h->value);
    if (*reply->location)
        MHD_add_response_header(response, "Location", reply->location);
    if (reply->allow)
        MHD_add_response_header(response, "Allow", reply->allow);
    if (reply->echoes)
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (reply->replayed)
        MHD_add_response_header(response, "Idempotency-Replayed", "true");
    if (reply->retry_after)
        add_number(response, "Retry-After", reply->retry_after);
    if (reply->authenticate)
        MHD_add_response_header(response, "WWW-Authenticate", reply->authenticate);
    if (reply->rate_limit) {
        add_number(response, "RateLimit-Limit", reply->rate_limit);
        add_number(response, "RateLimit-Remaining", reply->rate_remaining);
        add_number(response, "RateLimit-Reset", reply->rate_reset_s);
    }
    if (r->headers[HEADER_ORIGIN].data)
        add_cors(r, response);
}

/* The process stops, or this loop has more than its part of the connections. */
static bool must_close(struct loop *loop)
{
    if (atomic_load_explicit(&loop->shed, memory_order_relaxed) > 0) {
        atomic_fetch_sub_explicit(&loop->shed, 1, memory_order_relaxed);
        return true;
    }
    return atomic_load_explicit(&loop->app->stopping, memory_order_relaxed);
}

/* Nobody on the way is to keep it. */
static bool is_secret(const struct request *r)
{
    return r->reply.secret || (r->reply.http >= 400 && auth_guards(r));
}

static void add_usual(struct request *r, struct MHD_Response *response)
{
    if (r->reply.content_type)
        MHD_add_response_header(response, "Content-Type", r->reply.content_type);
    MHD_add_response_header(response, REQUEST_ID, r->id);
    if (*r->reply.etag)
        MHD_add_response_header(response, "ETag", r->reply.etag);
    if (is_secret(r))
        MHD_add_response_header(response, "Cache-Control", "no-store");
    else if (*r->reply.etag)
        MHD_add_response_header(response, "Cache-Control", "no-cache");
}

/* ---- shared responses ---- */

struct answer_constants {
    struct {
        const char *data;
        struct body_response shared;
    } slot[CONSTANTS];
    time_t now; /* of the text below */
    char date[DATE_LEN + 1];
};

/* IMF-fixdate (RFC 9110, 5.6.7), made once a second and not for each answer. */
static const char *date_now(struct answer_constants *c)
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm t;
    if (now == c->now || !gmtime_r(&now, &t))
        return c->date;
    c->now = now;
    char text[96]; /* room for any int, as the compiler wants it */
    snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * t.tm_wday,
             t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    memcpy(c->date, text, DATE_LEN);
    return c->date;
}

struct answer_constants *answer_constants_new(void)
{
    return calloc(1, sizeof(struct answer_constants));
}

void answer_constants_free(struct answer_constants *c)
{
    for (int i = 0; c && i < CONSTANTS && c->slot[i].shared.response; i++)
        MHD_destroy_response(c->slot[i].shared.response);
    free(c);
}

/* Has no header but the usual ones, and an id that fits into another's place. */
static bool is_plain(const struct request *r)
{
    const struct reply *reply = &r->reply;
    return !reply->stream && !reply->more && !*reply->location && !reply->allow && !reply->echoes &&
           !reply->replayed && !reply->retry_after && !reply->authenticate && !reply->rate_limit &&
           !r->headers[HEADER_ORIGIN].data && strlen(r->id) == ID_LEN;
}

/* Where the response for these bytes is, or is to be; NULL when nobody shares them. */
static struct body_response *place_of(struct request *r)
{
    struct body *body = r->reply.body;
    if (body)
        return body->refs > 1 || body->shared.response ? &body->shared : NULL;
    if (!r->reply.is_static || *r->reply.etag)
        return NULL;
    for (int i = 0; i < CONSTANTS; i++) {
        const char **data = &r->loop->constants->slot[i].data;
        if (!*data)
            *data = r->reply.constant.data;
        if (*data == r->reply.constant.data)
            return &r->loop->constants->slot[i].shared;
    }
    return NULL;
}

/* Where the response keeps its value, to be written over; NULL without the header. */
static char *header_of(struct MHD_Response *response, const char *name)
{
    return (char *)(uintptr_t)MHD_get_response_header(response, name);
}

static struct MHD_Response *make_shared(struct request *r, struct body_response *s)
{
    struct body *body = r->reply.body;
    struct slice c = r->reply.constant;
    struct MHD_Response *response =
        body ? MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->data,
                                                                      body_free, body)
             : MHD_create_response_from_buffer(c.len, (void *)(uintptr_t)c.data,
                                               MHD_RESPMEM_PERSISTENT);
    if (!response)
        return NULL;
    add_usual(r, response);
    MHD_add_response_header(response, "Date", date_now(r->loop->constants));
    *s = (struct body_response){response,
                                header_of(response, REQUEST_ID),
                                header_of(response, "Date"),
                                r->reply.content_type,
                                *r->reply.etag != 0,
                                is_secret(r)};
    return response;
}

/* NULL when this request needs a response of its own. */
static struct MHD_Response *shared_response(struct request *r)
{
    struct body_response *s = is_plain(r) ? place_of(r) : NULL;
    if (!s)
        return NULL;
    if (!s->response)
        return make_shared(r, s);
    if (!s->id || !s->date || s->content_type != r->reply.content_type ||
        s->tagged != (*r->reply.etag != 0) || s->secret != is_secret(r))
        return NULL;
    memcpy(s->id, r->id, ID_LEN);
    memcpy(s->date, date_now(r->loop->constants), DATE_LEN);
    return s->response;
}

static void account(struct request *r)
{
    struct loop_metrics *m = &r->loop->metrics;
    unsigned class = r->reply.http / 100;
    int64_t took = ev_now_us(r->loop->ev) - r->born_us;
    metric_add(&m->requests[class < 6 ? class : 5], 1);
    metric_observe_us(&m->latency, (uint64_t)(took > 0 ? took : 0));
    if (r->reply.http >= 500)
        log_debug("request_failed", r->id, "%u %.*s", r->reply.http, (int)r->path_len,
                  r->path ? r->path : ""); /* the query may hold what nobody should log */
}

static enum MHD_Result send_own(struct request *r, struct MHD_Connection *connection, bool closes)
{
    struct MHD_Response *response = response_of(r);
    if (!response)
        return MHD_NO;
    add_usual(r, response);
    if (closes)
        MHD_add_response_header(response, "Connection", "close");
    add_rare(r, response);
    enum MHD_Result queued = MHD_queue_response(connection, r->reply.http, response);
    MHD_destroy_response(response);
    return queued;
}

enum MHD_Result answer_send(struct request *r, struct MHD_Connection *connection)
{
    account(r);
    bool closes = must_close(r->loop);
    struct MHD_Response *shared = closes ? NULL : shared_response(r);
    return shared ? MHD_queue_response(connection, r->reply.http, shared)
                  : send_own(r, connection, closes);
}
