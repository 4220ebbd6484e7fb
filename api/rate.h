/* rate: how many requests a client may still make, when RATE_LIMIT is set.
 *
 * A bucket for each client holds RATE_LIMIT requests and fills up again within a minute (GCRA: one
 * time for each bucket). One table for the process, of a fixed size: 4,096 clients in sets of four;
 * where a set is full the one whose bucket is fullest is forgotten, which forgives least. Replicas
 * count each for itself. Any thread. */
#ifndef ALICERCE_RATE_H
#define ALICERCE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cidr.h"

struct rate;

struct rate_answer {
    bool passes;
    uint32_t limit, remaining;
    uint32_t reset_s; /* until the bucket is full again; when it does not pass: until one may */
};

/* per_minute >= 1. NULL without memory. */
struct rate *rate_new(int64_t per_minute);
void rate_free(struct rate *r); /* NULL is fine */
/* Takes one request out of the client's bucket, if there is one. */
struct rate_answer rate_take(struct rate *r, const struct cidr_address *client, int64_t now_us);

#endif
