/* rest: whether the queue is paused (fila_controle), asked several times a second on the chores'
 * connection. One thread. */
#ifndef ALICERCE_REST_H
#define ALICERCE_REST_H

#include <stdbool.h>

struct ev;
struct pg;
struct rest;

/* NULL without memory. */
struct rest *rest_new(struct ev *ev, struct pg *pg);
/* After pg was freed. */
void rest_free(struct rest *r);
/* Asks when it is time. After every pass of the loop, before the flushes. */
void rest_pump(struct rest *r);
/* Is nothing to be claimed? True also until the first answer: a worker that starts in a pause must
 * not work before it knows. Afterwards the last answer holds while PostgreSQL is away. */
bool rest_wanted(const struct rest *r);

#endif
