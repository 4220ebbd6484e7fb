/* redact: owns the list of keys that name no person.
 *
 * What is not in it: every bare "id" (of a sender as of a page), ids of messages (a wamid has the
 * telephone in it), of posts and comments (a post's begins with the id of whoever wrote it), names,
 * texts, links, and the account's own telephone. */
#include "redact.h"

#include <string.h>

#include "buf.h"
#include "jsonscan.h"
#include "text.h"

enum { NAME_MAX = 64, VALUE_MAX = 64 };

/* ---- what may be shown ---- */

static const char *const harmless[] = {
    /* the envelope */
    "object", "field", "time", "changed_fields",
    /* lead ads: the form, never the answers */
    "leadgen_id", "page_id", "form_id", "ad_id", "adset_id", "adgroup_id", "campaign_id",
    /* what happened, and when */
    "verb", "item", "event", "action", "status", "status_type", "type", "reason", "reaction_type",
    "recommendation_type", "recipient_type", "created_time", "timestamp", "watermark", "published",
    "num_edit", "seq", "phase", "chunk_order", "progress",
    /* the account's own things */
    "messaging_product", "media_product_type", "phone_number_id", "message_template_id",
    "message_template_language", "current_limit", "app_id"};

static bool equals(const char *s, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(s, name, len) == 0;
}

bool redact_key(const char *key, size_t len)
{
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (equals(key, len, harmless[i]))
            return true;
    return false;
}

static bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* Names of members are lower case and underscores with Meta; anything else may be somebody's. */
static bool is_name(const char *s, size_t len)
{
    if (len == 0 || len > NAME_MAX || (s[0] >= '0' && s[0] <= '9'))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_word_char(s[i]))
            return false;
    return true;
}

/* An id, a word, a time: no sentence, no address. */
static bool is_plain(const char *s, size_t len)
{
    if (len > VALUE_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_word_char(s[i]) && !strchr(".:+-", s[i]))
            return false;
    return true;
}

/* ---- the pass ---- */

struct level {
    bool object;
    bool shows; /* scalars here: by the last key, or by the one that this array stands under */
};

struct pass {
    const char *p, *end;
    struct buf *out;
    unsigned depth;
    bool wants_key;
    unsigned n_hidden; /* keys */
    struct level levels[JSONSCAN_DEPTH + 1];
};

static void put_scalar(struct pass *x, const char *raw, size_t len, const char *s, size_t n)
{
    if (x->levels[x->depth].shows && is_plain(s, n))
        buf_add(x->out, raw, len);
    else
        buf_lit(x->out, "\"" REDACT_MARK "\"");
}

/* Members must not share a name: readers keep the last of them. */
static void put_key(struct pass *x, const char *s, size_t n)
{
    x->levels[x->depth].shows = redact_key(s, n);
    if (is_name(s, n)) {
        buf_add(x->out, s - 1, n + 2);
        return;
    }
    if (x->n_hidden++ == 0)
        buf_lit(x->out, "\"" REDACT_MARK "\"");
    else
        buf_printf(x->out, "\"[oculto %u]\"", x->n_hidden);
}

/* In checked text, as all here: there is a closing quote. */
static void take_string(struct pass *x)
{
    const char *start = x->p++;
    while (*(x->p += text_plain_run(x->p, (size_t)(x->end - x->p))) != '"')
        x->p += 2; /* a backslash and what it escapes */
    size_t n = (size_t)(x->p - start) - 1;
    x->p++;
    if (x->wants_key)
        put_key(x, start + 1, n);
    else
        put_scalar(x, start, n + 2, start + 1, n);
}

/* A number, or one of the three words, which say nothing of anybody. */
static void take_bare(struct pass *x)
{
    const char *start = x->p;
    while (x->p < x->end && !strchr(" \t\r\n,]}", *x->p))
        x->p++;
    size_t n = (size_t)(x->p - start);
    if (*start == 't' || *start == 'f' || *start == 'n')
        buf_add(x->out, start, n);
    else
        put_scalar(x, start, n, start, n);
}

static void open_level(struct pass *x)
{
    bool object = *x->p == '{';
    bool shows = !object && x->levels[x->depth].shows;
    x->levels[++x->depth] = (struct level){object, shows};
    x->wants_key = object;
}

static void take_mark(struct pass *x)
{
    char c = *x->p;
    if (c == '{' || c == '[')
        open_level(x);
    else if (c == '}' || c == ']')
        x->depth--;
    else
        x->wants_key = c == ',' && x->levels[x->depth].object;
    buf_char(x->out, c);
    x->p++;
}

bool redact_json(struct buf *out, const char *text, size_t len)
{
    struct jsonscan root;
    if (jsonscan_check(text, len, &root))
        return false;
    struct pass x = {.p = root.text, .end = root.text + root.len, .out = out};
    while (x.p < x.end && !buf_failed(out)) {
        if (strchr("{}[],:", *x.p))
            take_mark(&x);
        else if (*x.p == '"')
            take_string(&x);
        else if (strchr(" \t\r\n", *x.p))
            x.p++;
        else
            take_bare(&x);
    }
    return true;
}
