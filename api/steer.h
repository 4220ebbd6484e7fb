/* steer: sends new connections to as few loops as can carry them.
 *
 * The fewer loops share the connections, the more requests share a batch. Measured once, at 64
 * connections on two busy cores: a counter took 16 us of CPU with one loop and 21 with two. So
 * connections go to the first loop while it can carry them; the next one joins when all that are at
 * work are saturated and the machine has a core to spare for it, and the connections are then
 * shared evenly: loops that hold more than their part end some with "Connection: close". Linux's
 * SO_ATTACH_REUSEPORT_CBPF chooses the loop; without it all loops share from the start. Main thread
 * only. */
#ifndef ALICERCE_STEER_H
#define ALICERCE_STEER_H

#include <stdint.h>

#include "steer_rule.h"

struct app;

enum { STEER_MAX = 64 }; /* loops */

struct steer {
    struct app *app;
    struct steer_rule rule;
    int64_t busy_us[STEER_MAX], idle_us, then_us; /* at the last step */
};

void steer_init(struct steer *s, struct app *app);
/* Looks at the load since the last step; every STEER_EVERY_MS. */
void steer_step(struct steer *s);

#endif
