/* What the fuzz targets share: an oracle that stops the run, and a request without a connection. */
#ifndef ALICERCE_FUZZ_H
#define ALICERCE_FUZZ_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/body.h"
#include "api/loop.h"
#include "api/request.h"
#include "api/token.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* An answer is a refusal of the client's doing, with a problem document that is JSON. */
static inline void fuzz_must_be_problem(const struct request *r)
{
    json_error_t error;
    MUST(r->reply.http >= 400 && r->reply.http < 500);
    MUST(r->reply.body != NULL);
    json_t *root = json_loadb(r->reply.body->data, r->reply.body->len, 0, &error);
    MUST(json_integer_value(json_object_get(root, "status")) == r->reply.http);
    json_decref(root);
}

/* Of a process that has a JWT_SECRET, so that routes which want a token say 401. */
static inline struct loop *fuzz_loop(void)
{
    static struct config config;
    static struct app app = {.config = &config};
    static struct loop loop = {.app = &app, .config = &config};
    if (!app.tokens)
        app.tokens = token_keys_new("0123456789abcdef0123456789abcdef");
    MUST(app.tokens);
    return &loop;
}

static inline void fuzz_request_begin(struct request *r)
{
    *r = (struct request){.loop = fuzz_loop(), .path = "/", .path_len = 1};
    arena_init(&r->arena, REQUEST_ARENA_CAP);
}

static inline void fuzz_request_end(struct request *r)
{
    body_unref(r->reply.body);
    arena_reset(&r->arena, REQUEST_ARENA_CAP);
}

#endif
