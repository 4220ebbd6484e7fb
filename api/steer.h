/* steer: sends new connections to as few loops as can carry them.
 *
 * The fewer loops share the connections, the more requests share a batch: at 64 connections on two
 * busy cores one loop takes a third less CPU a request than two. So connections go to the first
 * loop while it can carry them; the next one joins when all that are at work are saturated and the
 * machine has a core to spare for it, and the connections are then shared evenly: loops that hold
 * more than their part end some with "Connection: close". Linux's SO_ATTACH_REUSEPORT_CBPF chooses
 * the loop; without it all loops share from the start. Main thread only. */
#ifndef ALICERCE_STEER_H
#define ALICERCE_STEER_H

#include <stdbool.h>
#include <stdint.h>

struct app;

enum { STEER_MAX = 64, STEER_EVERY_MS = 500 };

struct steer {
    struct app *app;
    unsigned active;         /* loops that get new connections: the first ones */
    unsigned calm, strained; /* steps in a row */
    int64_t busy_us[STEER_MAX], idle_us, then_us;
};

void steer_init(struct steer *s, struct app *app);
/* Looks at the load since the last step; every STEER_EVERY_MS. */
void steer_step(struct steer *s);

/* The decision alone, for tests: how many loops are to be active, from the share of time (0..1)
 * that the active ones were busy (the least and the sum) and the cores that stood idle. */
unsigned steer_decide(struct steer *s, unsigned most, double least_busy, double sum_busy,
                      double idle_cores);

#endif
