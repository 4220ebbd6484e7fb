/* steer: carries out what steer_rule decides, by the kernel's choice among the listening sockets.
 */
#include "steer.h"

#include <linux/filter.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ev.h"
#include "log.h"
#include "loop.h"
#include "server.h"

/* Chooses any of the first `n` sockets, in the order in which they were made (socket(7),
 * SO_ATTACH_REUSEPORT_CBPF). */
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

static void apply(struct steer *s)
{
    int first = server_listen_fd(s->app->loops[0]->server);
    if (!attach(first, s->rule.active)) /* the kernel's own hashing: all of them */
        s->rule.active = s->rule.most;
}

/* Ends connections beyond each loop's part; those who come back are shared out anew. */
static void share_out(struct steer *s)
{
    struct loop **loops = s->app->loops;
    unsigned total = 0, n = s->rule.active > 1 ? s->rule.active : 1;
    for (unsigned i = 0; i < s->rule.active; i++)
        total += (unsigned)metric_get(&loops[i]->metrics.connections);
    unsigned part = total / n + 1;
    for (unsigned i = 0; i < s->rule.active; i++) {
        unsigned has = (unsigned)metric_get(&loops[i]->metrics.connections);
        atomic_store(&loops[i]->shed, has > part ? (int)(has - part) : 0);
    }
}

/* Idle time of all cores since boot, from /proc/stat; 0 when it cannot be read: no loop will join.
 */
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

void steer_init(struct steer *s, struct app *app)
{
    *s = (struct steer){.app = app,
                        .rule = {.active = 1, .most = app->n_loops},
                        .idle_us = idle_us(),
                        .then_us = ev_clock_us()};
    if (app->n_loops > 1)
        apply(s);
}

void steer_step(struct steer *s)
{
    int64_t now = ev_clock_us(), idle = idle_us();
    double took = (double)(now - s->then_us + 1), least = 1, sum = 0;
    for (unsigned i = 0; i < s->app->n_loops; i++) {
        int64_t busy = ev_busy_us(s->app->loops[i]->ev);
        double share = (double)(busy - s->busy_us[i]) / took;
        if (i < s->rule.active) {
            least = share < least ? share : least;
            sum += share;
        }
        s->busy_us[i] = busy;
    }
    double idle_cores = (double)(idle - s->idle_us) / took;
    unsigned before = s->rule.active;
    s->idle_us = idle;
    s->then_us = now;
    if (!steer_rule_step(&s->rule, least, sum, idle_cores))
        return;
    log_debug("steer", NULL, "%u loops take new connections", s->rule.active);
    apply(s);
    if (s->rule.active > before)
        share_out(s);
}
