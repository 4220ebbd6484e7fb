/* steer: owns the number of loops at work. */
#include "steer.h"

#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ev.h"
#include "log.h"
#include "loop.h"
#include "server.h"

#define SATURATED  0.80 /* of the time */
#define SPARE_CORE 0.30

enum { STRAINED_STEPS = 2, CALM_STEPS = 20 };

/* Chooses among the sockets in the order in which they were made: the first, or any of `n`. */
static bool attach(int listen_fd, unsigned n)
{
    struct sock_filter code[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)},
        {BPF_ALU | BPF_MOD | BPF_K, 0, 0, n},
        {BPF_RET | BPF_A, 0, 0, 0},
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return setsockopt(listen_fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) ==
           0;
}

static void apply(struct steer *s, unsigned active)
{
    struct app *app = s->app;
    if (!attach(server_listen_fd(app->loops[0]->server), active)) {
        s->active = app->n_loops; /* the kernel's own hashing: all of them */
        return;
    }
    s->active = active;
}

/* Ends connections beyond each loop's part; those who come back are shared out anew. */
static void share_out(struct steer *s)
{
    unsigned total = 0;
    for (unsigned i = 0; i < s->active; i++)
        total += (unsigned)metric_get(&s->app->loops[i]->metrics.connections);
    for (unsigned i = 0; i < s->active; i++) {
        unsigned has = (unsigned)metric_get(&s->app->loops[i]->metrics.connections);
        unsigned part = total / s->active + 1;
        atomic_store(&s->app->loops[i]->shed, has > part ? (int)(has - part) : 0);
    }
}

/* Idle time of all cores since boot, from /proc/stat; 0 when it cannot be read. */
static int64_t idle_us(void)
{
    long long user, nice, system, idle;
    FILE *f = fopen("/proc/stat", "re");
    if (!f)
        return 0;
    int n = fscanf(f, "cpu %lld %lld %lld %lld", &user, &nice, &system, &idle);
    fclose(f);
    return n == 4 ? idle * (1000000 / sysconf(_SC_CLK_TCK)) : 0;
}

unsigned steer_decide(struct steer *s, unsigned most, double least_busy, double sum_busy,
                      double idle_cores)
{
    bool strained = least_busy > SATURATED && idle_cores > SPARE_CORE && s->active < most;
    bool calm = s->active > 1 && sum_busy < SATURATED / 2 * (s->active - 1);
    s->strained = strained ? s->strained + 1 : 0;
    s->calm = calm ? s->calm + 1 : 0;
    if (s->strained >= STRAINED_STEPS)
        return s->active + 1;
    if (s->calm >= CALM_STEPS)
        return s->active - 1;
    return s->active;
}

void steer_init(struct steer *s, struct app *app)
{
    *s = (struct steer){.app = app, .active = app->n_loops, .then_us = ev_clock_us()};
    s->idle_us = idle_us();
    if (app->n_loops > 1)
        apply(s, 1);
}

void steer_step(struct steer *s)
{
    int64_t now = ev_clock_us(), idle = idle_us();
    double took = (double)(now - s->then_us), least = 1, sum = 0;
    for (unsigned i = 0; i < s->app->n_loops; i++) {
        int64_t busy = ev_busy_us(s->app->loops[i]->ev);
        double share = (double)(busy - s->busy_us[i]) / took;
        if (i < s->active) {
            least = share < least ? share : least;
            sum += share;
        }
        s->busy_us[i] = busy;
    }
    unsigned want =
        steer_decide(s, s->app->n_loops, least, sum, (double)(idle - s->idle_us) / took);
    s->idle_us = idle;
    s->then_us = now;
    if (want == s->active)
        return;
    log_debug("steer", NULL, "%u loops take new connections", want);
    bool more = want > s->active;
    s->strained = s->calm = 0;
    apply(s, want);
    if (more)
        share_out(s);
}
