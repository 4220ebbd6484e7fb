/* trial: deliveries that some worker may have died of are decoded in a child process first.
 *
 * What is taken over from a silent worker, and what is claimed from `entregas`, may be the very
 * thing that ended its last holder. A child of ours decodes it before we do; one that brings the
 * child down, or holds it up, is guilty and becomes a dead letter, and its neighbours go on. So no
 * delivery ends a worker twice. One thread; never waits. */
#ifndef ALICERCE_TRIAL_H
#define ALICERCE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store_entrega.h"

struct ev;
struct trial;

enum {
    TRIAL_MAX = 1000,
    TRIAL_BYTES = 160 << 20, /* of bodies: 50 of the largest size */
    TRIAL_HANG_MS = 3000     /* without progress; above the slowest delivery by far */
};

/* done runs once for each trial_start, never inside of it. NULL without memory. */
struct trial *trial_new(struct ev *ev, void (*done)(void *ctx), void *ctx);
/* Kills a child that is out. NULL is fine. */
void trial_free(struct trial *t);

/* Copies. false without memory or room. Not while one is under way. */
bool trial_add(struct trial *t, const struct new_entrega *d);
bool trial_has(const struct trial *t, struct event_id id);
size_t trial_count(const struct trial *t);
/* With at least one. */
void trial_start(struct trial *t);
bool trial_under_way(const struct trial *t);
/* Once a tick. */
void trial_tick(struct trial *t, int64_t now_ms);

/* When done: the i-th, `motivo` set when it is guilty; NULL from the first that was not tried,
 * which is to be left where it was. */
const struct new_entrega *trial_verdict(const struct trial *t, size_t i);
void trial_reset(struct trial *t);

#endif
