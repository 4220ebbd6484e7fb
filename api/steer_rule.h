/* steer_rule: how many loops are to take new connections. The decision alone; steer carries it out.
 *
 * One more when every loop at work is saturated and the machine has a core to spare for it, twice
 * in a row; one less when what they do would fit into half of the others for ten seconds. */
#ifndef ALICERCE_STEER_RULE_H
#define ALICERCE_STEER_RULE_H

#include <stdbool.h>

enum { STEER_EVERY_MS = 500, STEER_STRAINED_STEPS = 2, STEER_CALM_STEPS = 20 };

#define STEER_SATURATED  0.80 /* of a loop's time */
#define STEER_SPARE_CORE 0.30 /* of a core that stands idle */

struct steer_rule {
    unsigned active; /* loops that take new connections: the first ones; at least 1 */
    unsigned most;
    unsigned calm, strained; /* steps in a row */
};

/* One step. least_busy and sum_busy: share of time (0..1) that the active loops were busy, the
 * least of them and all together; idle_cores: cores' worth of idle time on the machine. Says
 * whether active has changed. */
static inline bool steer_rule_step(struct steer_rule *s, double least_busy, double sum_busy,
                                   double idle_cores)
{
    bool strained = least_busy > STEER_SATURATED && idle_cores > STEER_SPARE_CORE;
    bool calm = sum_busy < STEER_SATURATED / 2 * (s->active - 1);
    s->strained = strained && s->active < s->most ? s->strained + 1 : 0;
    s->calm = calm ? s->calm + 1 : 0;
    if (s->strained < STEER_STRAINED_STEPS && s->calm < STEER_CALM_STEPS)
        return false;
    s->active += s->strained ? 1U : -1U;
    s->strained = s->calm = 0;
    return true;
}

#endif
