/* evento_json: an event on the wire. */
#ifndef ALICERCE_EVENTO_JSON_H
#define ALICERCE_EVENTO_JSON_H

#include <stdbool.h>

#include "buf.h"
#include "store_eventos.h"

/* {"id":1,…,"conteudo":{…},"conteudo_omitido":false}. redacted: without what names a person. */
void evento_json(struct buf *b, const struct evento *e, bool redacted);
/* {"id":1,"chave":…,"objeto":…,"campo":…,"estado":…}: within a delivery. */
void evento_json_short(struct buf *b, const struct evento *e, bool redacted);

#endif
