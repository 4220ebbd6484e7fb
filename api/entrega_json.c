/* entrega_json: owns the order of a delivery's members. */
#include "entrega_json.h"

#include "archive.h"

void entrega_json(struct buf *b, const struct entrega *e, bool redacted)
{
    buf_printf(b, "{\"id\":%lld", (long long)e->id);
    archive_put_text(b, "via", e->via);
    archive_put_text(b, "estado", e->estado);
    archive_put_reason(b, "motivo", e->motivo, redacted);
    archive_put_int(b, "tentativas", e->tentativas);
    archive_put_int(b, "bytes", e->bytes);
    archive_put_time(b, "recebida_em", e->recebida_us);
    archive_put_time(b, "processada_em", e->processada_us);
    archive_put_time(b, "proxima_em", e->proxima_us);
    archive_put_text(b, "request_id", e->request_id);
    archive_put_text(b, "fila_id", e->fila_id);
}
