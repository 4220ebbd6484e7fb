/* jsonscan_canonical: owns the form that digests of updates are taken of. It must not change: a
 * digest that was stored is compared with those of deliveries that come again years later.
 *
 * Recursive, at most JSONSCAN_DEPTH deep. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jsonscan.h"

struct member {
    const struct buf *keys; /* the canonical keys of one object */
    size_t key, key_len;    /* where in it */
    size_t ordinal;
    struct jsonscan value;
};

/* Between quotes; of what JSON lets escape, only the two characters that must be. */
static void put_string(struct jsonscan v, struct buf *out)
{
    bool odd;
    struct buf text = buf_init(v.len);
    char *to = buf_reserve(&text, v.len);
    if (!to) {
        out->failed = true;
        return;
    }
    size_t n = jsonscan_unescape(v, to, &odd);
    buf_char(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (to[i] == '"' || to[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, to[i]);
    }
    buf_char(out, '"');
    buf_release(&text);
}

/* By key; equal keys stay in the order of the text. */
static int compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = memcmp(x->keys->data + x->key, y->keys->data + y->key, n);
    if (order != 0)
        return order;
    if (x->key_len != y->key_len)
        return x->key_len < y->key_len ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : 1;
}

static size_t count_members(struct jsonscan object)
{
    struct jsonscan_walk w = {NULL};
    struct jsonscan key, value;
    size_t n = 0;
    while (jsonscan_next_member(object, &w, &key, &value))
        n++;
    return n;
}

static void collect(struct jsonscan object, struct member *members, struct buf *keys)
{
    struct jsonscan_walk w = {NULL};
    struct jsonscan key, value;
    for (size_t i = 0; jsonscan_next_member(object, &w, &key, &value); i++) {
        size_t at = keys->len;
        put_string(key, keys);
        members[i] = (struct member){
            .keys = keys, .key = at, .key_len = keys->len - at, .ordinal = i, .value = value};
    }
}

static void put_members(const struct member *members, size_t n, const struct buf *keys,
                        struct buf *out)
{
    buf_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_char(out, ',');
        buf_add(out, keys->data + members[i].key, members[i].key_len);
        buf_char(out, ':');
        jsonscan_canonical(members[i].value, out);
    }
    buf_char(out, '}');
}

static void put_object(struct jsonscan v, struct buf *out)
{
    size_t n = count_members(v);
    struct buf keys = buf_init(2 * v.len + 2 * n);
    struct member *members = calloc(n > 0 ? n : 1, sizeof *members);
    if (members)
        collect(v, members, &keys);
    if (!members || buf_failed(&keys)) {
        out->failed = true;
    } else {
        if (n > 1)
            qsort(members, n, sizeof *members, compare);
        put_members(members, n, &keys, out);
    }
    free(members);
    buf_release(&keys);
}

static void put_array(struct jsonscan v, struct buf *out)
{
    struct jsonscan_walk w = {NULL};
    struct jsonscan element;
    buf_char(out, '[');
    for (size_t i = 0; jsonscan_next(v, &w, &element); i++) {
        if (i > 0)
            buf_char(out, ',');
        jsonscan_canonical(element, out);
    }
    buf_char(out, ']');
}

void jsonscan_canonical(struct jsonscan v, struct buf *out)
{
    if (v.type == JSONSCAN_OBJECT)
        put_object(v, out);
    else if (v.type == JSONSCAN_ARRAY)
        put_array(v, out);
    else if (v.type == JSONSCAN_STRING)
        put_string(v, out);
    else
        buf_add(out, v.text, v.len);
}
