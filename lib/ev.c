/* ev: owns the epoll set, the tick's timerfd and the eventfd behind ev_post. */
#include "ev.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { EV_BATCH = 64 }; /* events taken from the kernel at once */

struct ev {
    int epoll_fd;
    int64_t now_ms, now_us;
    _Atomic int64_t busy_us;
    bool ticked;
    void (*tick)(void *ctx, int64_t now_ms);
    void *tick_ctx;
    struct ev_io timer;
    struct ev_io door;
    struct epoll_event events[EV_BATCH];
    int n_events, current; /* the pass in hand */
    pthread_mutex_t mutex; /* guards the two below */
    struct ev_task *tasks;
    struct ev_task **tasks_end;
};

#define EV_OF(io, member) ((struct ev *)(void *)((char *)(io)-offsetof(struct ev, member)))

int64_t ev_clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void on_timer(struct ev_io *io, uint32_t events)
{
    (void)events;
    struct ev *ev = EV_OF(io, timer);
    uint64_t n;
    ev->ticked = read(io->fd, &n, sizeof n) == sizeof n;
}

static void run_tasks(struct ev *ev)
{
    pthread_mutex_lock(&ev->mutex);
    struct ev_task *task = ev->tasks;
    ev->tasks = NULL;
    ev->tasks_end = &ev->tasks;
    pthread_mutex_unlock(&ev->mutex);
    while (task) {
        struct ev_task *next = task->next;
        task->run(task);
        task = next;
    }
}

static void on_door(struct ev_io *io, uint32_t events)
{
    (void)events;
    uint64_t n;
    if (read(io->fd, &n, sizeof n) == sizeof n)
        run_tasks(EV_OF(io, door));
}

void ev_post(struct ev *ev, struct ev_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&ev->mutex);
    *ev->tasks_end = task;
    ev->tasks_end = &task->next;
    pthread_mutex_unlock(&ev->mutex);
    uint64_t one = 1;
    ssize_t done = write(ev->door.fd, &one, sizeof one);
    (void)done; /* a full counter means that the loop is woken already */
}

static bool start_timer(struct ev *ev)
{
    struct itimerspec every = {.it_interval = {.tv_nsec = EV_TICK_MS * 1000000L},
                               .it_value = {.tv_nsec = EV_TICK_MS * 1000000L}};
    return timerfd_settime(ev->timer.fd, 0, &every, NULL) == 0;
}

struct ev *ev_new(void (*tick)(void *ctx, int64_t now_ms), void *ctx)
{
    struct ev *ev = calloc(1, sizeof *ev);
    if (!ev)
        return NULL;
    ev->tick = tick;
    ev->tick_ctx = ctx;
    ev->tasks_end = &ev->tasks;
    ev->now_us = ev_clock_us();
    ev->now_ms = ev->now_us / 1000;
    pthread_mutex_init(&ev->mutex, NULL);
    ev->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    ev->timer = (struct ev_io){timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), EPOLLIN,
                               on_timer};
    ev->door = (struct ev_io){eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), EPOLLIN, on_door};
    if (ev->epoll_fd < 0 || !start_timer(ev) || !ev_add(ev, &ev->timer) || !ev_add(ev, &ev->door)) {
        ev_free(ev);
        return NULL;
    }
    return ev;
}

void ev_free(struct ev *ev)
{
    if (!ev)
        return;
    run_tasks(ev);
    int fds[] = {ev->timer.fd, ev->door.fd, ev->epoll_fd};
    for (unsigned i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_mutex_destroy(&ev->mutex);
    free(ev);
}

bool ev_add(struct ev *ev, struct ev_io *io)
{
    struct epoll_event e = {.events = io->events, .data.ptr = io};
    return epoll_ctl(ev->epoll_fd, EPOLL_CTL_ADD, io->fd, &e) == 0;
}

void ev_modify(struct ev *ev, struct ev_io *io, uint32_t events)
{
    if (io->events == events)
        return;
    io->events = events;
    struct epoll_event e = {.events = events, .data.ptr = io};
    epoll_ctl(ev->epoll_fd, EPOLL_CTL_MOD, io->fd, &e);
}

void ev_del(struct ev *ev, struct ev_io *io)
{
    if (io->fd < 0)
        return;
    epoll_ctl(ev->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
    io->fd = -1;
    for (int i = ev->current; i < ev->n_events; i++)
        if (ev->events[i].data.ptr == io)
            ev->events[i].data.ptr = NULL;
}

/* The time since the last wake-up was work. */
static void account(struct ev *ev)
{
    int64_t busy = atomic_load_explicit(&ev->busy_us, memory_order_relaxed);
    atomic_store_explicit(&ev->busy_us, busy + ev_clock_us() - ev->now_us, memory_order_relaxed);
}

static void hand_out(struct ev *ev, int timeout_ms)
{
    ev->n_events = epoll_wait(ev->epoll_fd, ev->events, EV_BATCH, timeout_ms);
    ev->now_us = ev_clock_us();
    ev->now_ms = ev->now_us / 1000;
    for (ev->current = 0; ev->current < ev->n_events; ev->current++) {
        struct ev_io *io = ev->events[ev->current].data.ptr;
        if (io)
            io->ready(io, ev->events[ev->current].events);
    }
    ev->n_events = 0;
    if (ev->ticked) /* last: what has just arrived is not late, however long we were not run */
        ev->tick(ev->tick_ctx, ev->now_ms);
    ev->ticked = false;
}

void ev_run_once(struct ev *ev, bool wait)
{
    account(ev);
    hand_out(ev, wait ? -1 : 0);
}

/* By ppoll, because epoll_wait counts in milliseconds and epoll_pwait2 is younger than some
 * kernels. */
void ev_run_until(struct ev *ev, int64_t until_us)
{
    account(ev);
    int64_t left = until_us - ev_clock_us();
    struct timespec most = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
    struct pollfd set = {.fd = ev->epoll_fd, .events = POLLIN};
    if (left > 0)
        ppoll(&set, 1, &most, NULL);
    hand_out(ev, 0);
}

int64_t ev_now_ms(const struct ev *ev)
{
    return ev->now_ms;
}

int64_t ev_now_us(const struct ev *ev)
{
    return ev->now_us;
}

int64_t ev_busy_us(const struct ev *ev)
{
    return atomic_load_explicit(&ev->busy_us, memory_order_relaxed);
}
