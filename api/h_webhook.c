/* h_webhook: Meta's handshake and Meta's deliveries. The signature is checked over the bytes as
 * they came (Meta: "Validating Payloads"). */
#include "handlers.h"

#include <string.h>

#include "intake.h"
#include "loop.h"
#include "reply.h"
#include "text.h"

/* ---- GET: hub.mode, hub.verify_token, hub.challenge ---- */

enum status h_webhook_verify(struct request *r)
{
    const char *token = r->loop->config->meta_verify_token;
    struct slice mode = request_param(r, "hub.mode"), given = request_param(r, "hub.verify_token"),
                 challenge = request_param(r, "hub.challenge");
    bool ok = token && mode.data && strcmp(mode.data, "subscribe") == 0 && given.data &&
              given.len == strlen(token) && text_equal_ct(given.data, token, given.len) &&
              challenge.data;
    if (!ok)
        return reply_problem(r, STATUS_FORBIDDEN,
                             "hub.mode, hub.verify_token ou hub.challenge não confere.");
    r->reply.echoes = true;
    return reply_bytes(r, STATUS_OK, REPLY_TEXT, challenge.data, challenge.len);
}

/* ---- POST ---- */

/* Any of the secrets that are valid while one is rotated. Every one is tried: constant time. */
static bool signed_by_meta(const struct request *r)
{
    static const char scheme[] = "sha256=";
    struct slice given = r->headers[HEADER_SIGNATURE];
    uint8_t want[SHA256_LEN], got[SHA256_LEN];
    bool match = false;
    if (!given.data || given.len != sizeof scheme - 1 + 2 * SHA256_LEN ||
        memcmp(given.data, scheme, sizeof scheme - 1) != 0 ||
        !text_unhex(given.data + sizeof scheme - 1, got, SHA256_LEN))
        return false;
    for (unsigned i = 0; i < r->loop->app->n_meta_secrets; i++) {
        hmac_sha256(r->loop->app->meta_secrets[i], r->body.data, r->body.len, want);
        match |= text_equal_ct(want, got, SHA256_LEN);
    }
    return match;
}

/* It was checked, so its characters are good. */
static const char *signature(struct request *r)
{
    struct slice given = r->headers[HEADER_SIGNATURE];
    const char *copy = arena_copy(&r->arena, given.data, given.len);
    return copy ? copy : "";
}

static void on_taken(struct request *r, bool waits)
{
    static const char body[] = "EVENT_RECEIVED";
    if (waits)
        reply_constant(r, STATUS_OK, REPLY_TEXT, body, sizeof body - 1);
}

enum status h_webhook(struct request *r)
{
    if (r->loop->app->n_meta_secrets == 0)
        return intake_unsigned(r);
    if (!signed_by_meta(r)) {
        metric_add(&r->loop->metrics.bad_signatures, 1);
        return reply_problem(r, STATUS_UNAUTHORIZED,
                             "X-Hub-Signature-256 ausente ou não confere com o corpo.");
    }
    struct intake *in = arena_alloc(&r->arena, sizeof *in);
    if (!in)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *in = (struct intake){.taken = on_taken,
                          .corpo = {r->body.data, r->body.len},
                          .signature = signature(r),
                          .agent = intake_header(r, HEADER_USER_AGENT)};
    return intake_take(r, in);
}
