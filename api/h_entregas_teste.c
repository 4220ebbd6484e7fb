/* h_entregas_teste: a delivery made here: signed with the first META_APP_SECRET and taken in like
 * Meta's. Its bytes are those of `corpo` as the client wrote them, or a lead of our own. */
#include "handlers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "audit.h"
#include "intake.h"
#include "jsonget.h"
#include "jsonput.h"
#include "loop.h"
#include "reply.h"
#include "text.h"

/* Meta's own test button sends these as ids of page, form and ad. */
#define FOURS "444444444444"

enum { LEAD_MAX = 512, ANSWER_CAP = 1024, FRESH_DIGITS = 12 };

struct trial {
    struct intake intake;
    struct auditoria_quem who;
    bool own; /* `corpo` was given */
    char signature[sizeof "sha256=" + 2 * SHA256_LEN];
};

static void note(struct request *r, const struct trial *t)
{
    char detail[64];
    snprintf(detail, sizeof detail, "{\"bytes\":%zu,\"corpo_proprio\":%s}", t->intake.corpo.len,
             t->own ? "true" : "false");
    audit_note(r, &t->who, AUDITORIA_TEST_EVENT, NULL, detail);
}

static void on_taken(struct request *r, bool waits)
{
    struct trial *t = r->data;
    struct buf b = buf_init(ANSWER_CAP);
    note(r, t);
    if (waits) {
        buf_lit(&b, "{\"request_id\":");
        jsonput_string(&b, r->id, strlen(r->id));
        buf_printf(&b, ",\"bytes\":%zu}", t->intake.corpo.len);
        reply_buf(r, STATUS_ACCEPTED, REPLY_JSON, &b);
        r->reply.secret = true;
    }
    buf_release(&b);
}

/* ---- the bytes ---- */

/* Twelve fours and twelve digits that no other has: the worker knows it for a test, and no lead of
 * Meta's has an id of so many digits. */
static enum status make_lead(struct request *r, struct slice *ret)
{
    static const char form[] =
        "{\"object\":\"page\",\"entry\":[{\"id\":\"" FOURS "\",\"time\":%lld,\"changes\":[{"
        "\"field\":\"leadgen\",\"value\":{\"leadgen_id\":\"" FOURS "%0*" PRIu64 "\",\"page_id\":"
        "\"" FOURS "\",\"form_id\":\"" FOURS "\",\"adgroup_id\":\"" FOURS "\",\"ad_id\":\"" FOURS
        "\",\"created_time\":%lld}}]}]}";
    uint64_t fresh;
    long long now = (long long)time(NULL);
    char *text = arena_alloc(&r->arena, LEAD_MAX);
    if (!text || getrandom(&fresh, sizeof fresh, 0) != sizeof fresh)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    int n = snprintf(text, LEAD_MAX, form, now, FRESH_DIGITS, fresh % 1000000000000, now);
    *ret = (struct slice){text, (size_t)n};
    return STATUS_OK;
}

static enum status read_corpo(struct request *r, struct trial *t)
{
    struct jsonget g;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st != STATUS_OK)
        return reply_jsonget(r, st, &g);
    struct jsonscan corpo = jsonget_object(&g, "corpo");
    st = jsonget_finish(&g);
    if (st != STATUS_OK)
        return reply_jsonget(r, st, &g);
    t->own = corpo.type == JSONSCAN_OBJECT;
    t->intake.corpo = (struct slice){corpo.text, corpo.len};
    return STATUS_OK;
}

static void sign(struct request *r, struct trial *t)
{
    uint8_t mac[SHA256_LEN];
    size_t n = sizeof "sha256=" - 1;
    hmac_sha256(r->loop->app->meta_secrets[0], t->intake.corpo.data, t->intake.corpo.len, mac);
    memcpy(t->signature, "sha256=", n);
    text_hex(mac, SHA256_LEN, t->signature + n);
    t->signature[n + 2 * SHA256_LEN] = 0;
}

enum status h_delivery_test(struct request *r)
{
    if (r->loop->app->n_meta_secrets == 0)
        return intake_unsigned(r);
    struct trial *t = arena_alloc(&r->arena, sizeof *t);
    if (!t)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *t = (struct trial){.intake = {.taken = on_taken, .agent = "alicerce/teste"},
                        .who = audit_who(r)};
    enum status st = r->body.len ? read_corpo(r, t) : STATUS_OK;
    if (st == STATUS_OK && !t->own)
        st = make_lead(r, &t->intake.corpo);
    if (st != STATUS_OK)
        return st;
    sign(r, t);
    t->intake.signature = t->signature;
    return intake_take(r, &t->intake);
}
