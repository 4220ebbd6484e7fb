/* post_json: posts as they go over the wire. */
#ifndef ALICERCE_POST_JSON_H
#define ALICERCE_POST_JSON_H

#include <stdbool.h>

#include "buf.h"
#include "store_posts.h"

enum { POST_TITLE_MAX = 200, POST_CONTENT_MAX = 100000, POST_AUTHOR_MAX = 100 }; /* characters */
#define POST_NOBODY "Anônimo" /* who wrote what nobody signed */

/* {"id":1,"titulo":…,"conteudo":…,"autor":…,"data_criacao":…} */
void post_json(struct buf *b, const struct post *p);
/* {"fonte":…,"posts":[…],"proximo":…}: of n rows, asked for with limit + 1, the first `limit`. */
void post_json_page(struct buf *b, const char *source, const struct post *rows, size_t n,
                    size_t limit);
/* Does it look like a page of this source, as post_json_page makes it? By its two ends: enough to
 * tell it from what another program left under the same key. */
bool post_json_is_page(const char *source, const char *text, size_t len);
/* The cursor behind a post, opaque to clients, and back. */
enum { CURSOR_MAX = 32 };
bool post_cursor_decode(const char *s, size_t len, int64_t *ret_before);

#endif
