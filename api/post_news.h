/* post_news: tells listeners, by way of Redis, what became of posts. One of each loop.
 *
 * At most one command in NEWS_EVERY_MS, which travels with the one that removes the cached page: a
 * change costs no round trip of its own, and many of them next to nothing, since beyond
 * NEWS_POSTS_MAX only their being is told ("perdido": read the list again). */
#ifndef ALICERCE_POST_NEWS_H
#define ALICERCE_POST_NEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct loop;
struct post;

enum { NEWS_EVERY_MS = 100, NEWS_POSTS_MAX = 20 };

struct post_news {
    struct buf lines;
    unsigned n;
    bool more; /* than could be told */
    int64_t sent_ms;
};

void post_news_init(struct post_news *news);
void post_news_release(struct post_news *news);
/* acao: "criado", "mudado", "removido"; of a removed post the id alone is told. */
void post_news_add(struct post_news *news, const char *acao, const struct post *p);
/* After a commit and behind the removal of the cached page, and at every tick. */
void post_news_send(struct loop *loop);

#endif
