/* chores: what the worker does now and then on a connection of its own, so that no delivery waits
 * for it. Any number of workers may. */
#ifndef ALICERCE_CHORES_H
#define ALICERCE_CHORES_H

struct chores;
struct ev;
struct pg;

/* NULL without memory. */
struct chores *chores_new(struct ev *ev, struct pg *pg);
/* After pg was freed. */
void chores_free(struct chores *c);
/* Starts what is due. After every pass of the loop, before the flushes. */
void chores_pump(struct chores *c);

#endif
