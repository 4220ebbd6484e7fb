/* answer: owns the headers that every answer carries. */
#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "ev.h"
#include "log.h"
#include "loop.h"

static void release_body(void *cls)
{
    body_unref(cls);
}

static struct MHD_Response *response_of(struct request *r)
{
    struct body *body = r->reply.body;
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
                            "ETag, Idempotency-Replayed, Location, RateLimit-Limit, "
                            "RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate, "
                            "X-Request-Id");
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

static void add_headers(struct request *r, struct MHD_Response *response)
{
    if (r->reply.content_type)
        MHD_add_response_header(response, "Content-Type", r->reply.content_type);
    MHD_add_response_header(response, "X-Request-Id", r->id);
    if (*r->reply.etag) {
        MHD_add_response_header(response, "ETag", r->reply.etag);
        MHD_add_response_header(response, "Cache-Control", "no-cache");
    } else if (r->reply.secret) {
        MHD_add_response_header(response, "Cache-Control", "no-store");
    }
    if (must_close(r->loop))
        MHD_add_response_header(response, "Connection", "close");
    add_rare(r, response);
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

enum MHD_Result answer_send(struct request *r, struct MHD_Connection *connection)
{
    account(r);
    struct MHD_Response *response = response_of(r);
    if (!response)
        return MHD_NO;
    add_headers(r, response);
    enum MHD_Result queued = MHD_queue_response(connection, r->reply.http, response);
    MHD_destroy_response(response);
    return queued;
}
