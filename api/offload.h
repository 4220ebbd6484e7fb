/* offload: work that may block (files) is done here, on a few threads of its own and never on an
 * event loop.
 *
 * Who wants to use it takes a seat first, or is told that there is none; who has one has at most
 * one job under way. So the queue is never longer than there are seats, and no job is ever refused
 * half-way. */
#ifndef ALICERCE_OFFLOAD_H
#define ALICERCE_OFFLOAD_H

#include <stdbool.h>

#include "ev.h"

enum { OFFLOAD_THREADS = 4, OFFLOAD_THREADS_MAX = 8, OFFLOAD_SEATS = 128 };

struct offload;

/* Embedded in its owner, who keeps it until done ran. */
struct offload_job {
    struct ev *ev;
    void (*work)(struct offload_job *job); /* on a thread of the pool */
    void (*done)(struct offload_job *job); /* on the loop of ev, where the next may be submitted */
    struct offload_job *next;              /* from here the pool's own */
    struct ev_task back;
};

/* At most so many threads; they start with the jobs. NULL without memory. */
struct offload *offload_new(unsigned threads);
/* Waits until all that was submitted is done. What is submitted later is done at once, by the
 * caller: for the end of the loops. */
void offload_stop(struct offload *o);
void offload_free(struct offload *o);

/* From any thread. */
bool offload_enter(struct offload *o);
void offload_leave(struct offload *o);
void offload_submit(struct offload *o, struct offload_job *job);

#endif
