/* post_json: owns the form of a post and of a cursor: base64url of "p1.<id>", where p1 is the order
 * (newest first by id), so that another order can come later without confusion. */
#include "post_json.h"

#include <stdio.h>
#include <string.h>

#include "jsonput.h"
#include "text.h"

#define CURSOR_ORDER "p1."

static void member(struct buf *b, const char *name, size_t len, struct pg_text value)
{
    buf_add(b, name, len);
    jsonput_string(b, value.data, value.len);
}

#define MEMBER(b, name, value) member((b), ",\"" name "\":", sizeof name + 3, (value))

/* What a post takes when nothing needs escaping: one growth of the buffer instead of many. */
static size_t expected(const struct post *p)
{
    enum { FRAME = 144 }; /* names, id, time, commas */
    return FRAME + p->titulo.len + p->conteudo.len + p->autor.len;
}

void post_json(struct buf *b, const struct post *p)
{
    buf_reserve(b, expected(p));
    buf_lit(b, "{\"id\":");
    buf_int(b, p->id);
    MEMBER(b, "titulo", p->titulo);
    MEMBER(b, "conteudo", p->conteudo);
    MEMBER(b, "autor", p->autor);
    buf_lit(b, ",\"data_criacao\":");
    jsonput_time(b, p->data_criacao_us);
    buf_char(b, '}');
}

static void put_cursor(struct buf *b, int64_t id)
{
    char plain[CURSOR_MAX], coded[CURSOR_MAX * 2];
    int n = snprintf(plain, sizeof plain, CURSOR_ORDER "%lld", (long long)id);
    size_t len = text_base64url((const uint8_t *)plain, (size_t)n, coded);
    jsonput_string(b, coded, len);
}

bool post_cursor_decode(const char *s, size_t len, int64_t *ret_before)
{
    uint8_t plain[CURSOR_MAX];
    size_t n, order = sizeof CURSOR_ORDER - 1;
    return text_unbase64url(s, len, plain, sizeof plain, &n) && n > order &&
           memcmp(plain, CURSOR_ORDER, order) == 0 &&
           text_int((const char *)plain + order, n - order, 1, INT64_MAX, ret_before);
}

#define PAGE_BEGINS  "{\"fonte\":\""
#define PAGE_GOES_ON "\",\"posts\":["

static bool takes(const char **at, const char *end, const char *word, size_t len)
{
    bool same = (size_t)(end - *at) >= len && memcmp(*at, word, len) == 0;
    *at += same ? len : 0;
    return same;
}

bool post_json_is_page(const char *source, const char *text, size_t len)
{
    const char *end = text + len;
    return takes(&text, end, PAGE_BEGINS, sizeof PAGE_BEGINS - 1) &&
           takes(&text, end, source, strlen(source)) &&
           takes(&text, end, PAGE_GOES_ON, sizeof PAGE_GOES_ON - 1) && end[-1] == '}';
}

void post_json_page(struct buf *b, const char *source, const struct post *rows, size_t n,
                    size_t limit)
{
    size_t shown = n < limit ? n : limit, room = 128;
    for (size_t i = 0; i < shown; i++)
        room += expected(&rows[i]);
    buf_reserve(b, room);
    buf_lit(b, PAGE_BEGINS);
    buf_str(b, source);
    buf_lit(b, PAGE_GOES_ON);
    for (size_t i = 0; i < shown; i++) {
        if (i)
            buf_char(b, ',');
        post_json(b, &rows[i]);
    }
    buf_lit(b, "],\"proximo\":");
    if (n > limit)
        put_cursor(b, rows[limit - 1].id);
    else
        buf_lit(b, "null");
    buf_char(b, '}');
}
