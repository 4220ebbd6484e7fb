/* ev: one epoll loop of one thread, with one timer and a door for other threads.
 *
 * File descriptors are level-triggered. Everything but ev_post belongs to the loop's thread. */
#ifndef ALICERCE_EV_H
#define ALICERCE_EV_H

#include <stdbool.h>
#include <stdint.h>

struct ev;

/* A watched descriptor, embedded in its owner. */
struct ev_io {
    int fd;          /* -1 while not watched */
    uint32_t events; /* EPOLLIN, EPOLLOUT */
    void (*ready)(struct ev_io *io, uint32_t events);
};

/* Something another thread wants done on this loop; embedded in its owner, posted once at a time.
 */
struct ev_task {
    void (*run)(struct ev_task *task);
    struct ev_task *next;
};

enum { EV_TICK_MS = 100 }; /* the grain of every deadline */

/* tick(ctx, now_ms) is called every EV_TICK_MS. NULL when the system has no descriptors left. */
struct ev *ev_new(void (*tick)(void *ctx, int64_t now_ms), void *ctx);
/* Runs what is still posted, then frees. */
void ev_free(struct ev *ev);

/* Watches io->fd for io->events. The descriptor is not owned. */
bool ev_add(struct ev *ev, struct ev_io *io);
void ev_modify(struct ev *ev, struct ev_io *io, uint32_t events);
/* Stops watching; no event of the pass in hand reaches it any more. Call before closing the fd. */
void ev_del(struct ev *ev, struct ev_io *io);

/* Hands out what happened: the tick, tasks and descriptors. wait: until something does. */
void ev_run_once(struct ev *ev, bool wait);
/* As ev_run_once, but waits until then (of ev_clock_us) at the longest. */
void ev_run_until(struct ev *ev, int64_t until_us);
/* Monotonic milliseconds and microseconds, as of the last wake-up. */
int64_t ev_now_ms(const struct ev *ev);
int64_t ev_now_us(const struct ev *ev);
/* Microseconds that the loop has spent not waiting, since it was made. From any thread. */
int64_t ev_busy_us(const struct ev *ev);

/* From any thread: runs `task` on the loop soon. */
void ev_post(struct ev *ev, struct ev_task *task);

/* Monotonic clock, read now. */
int64_t ev_clock_us(void);

#endif
