/* post_news: owns the lines that wait for their turn. */
#include "post_news.h"

#include <string.h>

#include "ev.h"
#include "jsonput.h"
#include "loop.h"
#include "store_ao_vivo.h"
#include "store_posts.h"

void post_news_init(struct post_news *news)
{
    *news = (struct post_news){.lines = buf_init(AO_VIVO_ENTRY_MAX)};
}

void post_news_release(struct post_news *news)
{
    buf_release(&news->lines);
}

static void put_text(struct buf *b, const char *name, struct pg_text text)
{
    buf_printf(b, ",\"%s\":", name);
    jsonput_string(b, text.data, text.len);
}

void post_news_add(struct post_news *news, const char *acao, const struct post *p)
{
    struct buf *b = &news->lines;
    size_t before = b->len;
    if (news->n >= NEWS_POSTS_MAX) {
        news->more = true;
        return;
    }
    buf_printf(b, "%s{\"acao\":\"%s\",\"id\":%lld", news->n ? "\n" : "", acao, (long long)p->id);
    if (p->titulo.data) {
        put_text(b, "titulo", p->titulo);
        put_text(b, "autor", p->autor);
        buf_lit(b, ",\"data_criacao\":");
        jsonput_time(b, p->data_criacao_us);
    }
    buf_char(b, '}');
    if (buf_failed(b)) {
        b->failed = false;
        b->len = before;
        news->more = true;
        return;
    }
    news->n++;
}

void post_news_send(struct loop *loop)
{
    struct post_news *news = &loop->news;
    int64_t now_ms = ev_now_ms(loop->ev);
    struct ao_vivo_field fields[2];
    size_t n = 0;
    if ((news->n == 0 && !news->more) || now_ms - news->sent_ms < NEWS_EVERY_MS)
        return;
    if (news->n > 0)
        fields[n++] = (struct ao_vivo_field){"post", news->lines.data, news->lines.len};
    if (news->more)
        fields[n++] = (struct ao_vivo_field){"perdido", "{}", 2};
    store_ao_vivo_publish(loop->rds, fields, n);
    buf_reset(&news->lines);
    news->n = 0;
    news->more = false;
    news->sent_ms = now_ms;
}
