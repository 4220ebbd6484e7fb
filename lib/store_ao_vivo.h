/* store_ao_vivo: the stream of live events in Redis, and the hour of samples.
 *
 *   ao_vivo             stream; an entry's fields are kinds of events ("post", "entrega", …), each
 *                       with one JSON object a line; its id is the events' id. Capped.
 *   amostras            stream of samples, an hour of them
 *   amostras:instancias hash: what each API process counted of late
 *   amostras:vez        when a sample was last made
 *
 * All of it may be lost without harm. No personal data goes in. */
#ifndef ALICERCE_STORE_AO_VIVO_H
#define ALICERCE_STORE_AO_VIVO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "status.h"

struct rds;

enum {
    AO_VIVO_KEPT = 2000,      /* entries, about: what a listener that comes back can be told */
    AO_VIVO_ENTRY_MAX = 8192, /* bytes of text in one */
    AMOSTRAS_KEPT = 720,      /* an hour of them */
    AMOSTRAS_EVERY_MS = 5000,
    AMOSTRA_INSTANCES_MAX = 256
};

struct ao_vivo_field {
    const char *kind; /* NUL-terminated when read */
    const char *text; /* one JSON object a line */
    size_t len;
};

/* Best effort: nobody is told what became of it. n <= 4. */
void store_ao_vivo_publish(struct rds *r, const struct ao_vivo_field *fields, size_t n);

struct ao_vivo_read {
    /* For each entry, oldest first; it lives during the call. */
    void (*entry)(struct ao_vivo_read *t, struct event_id id, const struct ao_vivo_field *fields,
                  size_t n);
    /* STATUS_OK: n entries were told; else STATUS_CACHE_AWAY. */
    void (*done)(struct ao_vivo_read *t, enum status st, size_t n);
};
/* Up to `count` entries behind `after`; waits for the first one for block_ms. */
enum status store_ao_vivo_wait(struct rds *r, struct event_id after, unsigned count,
                               int64_t block_ms, struct ao_vivo_read *t);
/* The same at once. */
enum status store_ao_vivo_range(struct rds *r, struct event_id after, unsigned count,
                                struct ao_vivo_read *t);

struct ao_vivo_state {
    void (*done)(struct ao_vivo_state *t, enum status st);
    struct event_id first, last; /* 0-0 while there is none; last: ever given out */
    bool trimmed;                /* older ones than the first were there */
};
enum status store_ao_vivo_state(struct rds *r, struct ao_vivo_state *t);

/* ---- samples ---- */

struct amostra_report {
    /* n > 0: it is for the caller to make a sample of what these instances reported; n 0: somebody
     * else does or did. The texts live during the call. */
    void (*done)(struct amostra_report *t, enum status st, const char *const *texts,
                 const size_t *lens, size_t n);
};
/* Says what this instance counted, in a text of its own choosing. One of all instances is asked to
 * make the sample, about every AMOSTRAS_EVERY_MS. */
enum status store_amostra_report(struct rds *r, const char *instance, const char *text, size_t len,
                                 struct amostra_report *t);
/* A JSON object, kept for an hour and told to the listeners. Best effort. */
void store_amostra_add(struct rds *r, const char *json, size_t len);

struct amostra_read {
    void (*sample)(struct amostra_read *t, const char *json, size_t len); /* oldest first */
    void (*done)(struct amostra_read *t, enum status st);
};
/* The last hour's. */
enum status store_amostra_read(struct rds *r, struct amostra_read *t);

#endif
