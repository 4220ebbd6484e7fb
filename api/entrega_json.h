/* entrega_json: a delivery on the wire. */
#ifndef ALICERCE_ENTREGA_JSON_H
#define ALICERCE_ENTREGA_JSON_H

#include <stdbool.h>

#include "buf.h"
#include "store_entregas.h"

/* {"id":1,…,"fila_id":…, without the closing brace: one that is shown whole has more members.
 * redacted: without what a reason may quote. */
void entrega_json(struct buf *b, const struct entrega *e, bool redacted);

#endif
