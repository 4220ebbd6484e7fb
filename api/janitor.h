/* janitor: removes bytes that are no file: what a removal, a refusal or a death left behind, by the
 * table arquivos_restos, and what dead writers have begun. One step a minute, of a bounded size, by
 * every replica; on the first loop. */
#ifndef ALICERCE_JANITOR_H
#define ALICERCE_JANITOR_H

#include <stdint.h>

struct janitor;
struct loop;

struct janitor *janitor_new(struct loop *loop); /* NULL without memory */
void janitor_free(struct janitor *j);           /* NULL is fine */
void janitor_tick(struct janitor *j, int64_t now_ms);

#endif
