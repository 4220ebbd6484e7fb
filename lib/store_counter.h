/* store_counter: the counters in Redis. `contador_requisicoes` and `contador:{nome}`. */
#ifndef ALICERCE_STORE_COUNTER_H
#define ALICERCE_STORE_COUNTER_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct rds;

struct counter_ticket {
    /* STATUS_CONFLICT: the key holds no integer, or the sum would leave the 64 bits. */
    void (*done)(struct counter_ticket *t, enum status st, int64_t value);
};

/* contador_requisicoes: adds n, so that the n numbers up to the new value are the caller's to hand
 * out · reads (0 when unset). */
enum status store_counter_visits_add(struct rds *r, unsigned n, struct counter_ticket *t);
enum status store_counter_visits(struct rds *r, struct counter_ticket *t);
/* contador:{name}; name is checked by the caller, at most 64 characters. */
enum status store_counter_read(struct rds *r, const char *name, struct counter_ticket *t);
enum status store_counter_add(struct rds *r, const char *name, int64_t n, struct counter_ticket *t);

#endif
