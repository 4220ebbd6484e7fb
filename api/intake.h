/* intake: the one way in for a delivery, Meta's or a test of ours, once its signature is known.
 *
 * It is answered when it is durable: in the stream, or, when Redis cannot take it, in `entregas`.
 */
#ifndef ALICERCE_INTAKE_H
#define ALICERCE_INTAKE_H

#include "queue.h"
#include "request.h"

/* Of one request, in its arena, with what it points to. */
struct intake {
    /* It is durable. waits: fills in the reply; else the request was answered before (its deadline
     * has passed). */
    void (*taken)(struct request *r, bool waits);
    struct slice corpo;
    const char *signature, *agent; /* as archived; "" for none */
    struct queue_message message;  /* intake's own */
};

/* The status that the handler returns. */
enum status intake_take(struct request *r, struct intake *in);
/* The refusal of whoever has no META_APP_SECRET. */
enum status intake_unsigned(struct request *r);
/* A header in the arena, "" when it is missing, too long or of odd bytes: no delivery is refused
 * for it. */
const char *intake_header(struct request *r, enum header h);

#endif
