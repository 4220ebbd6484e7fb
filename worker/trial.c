/* trial: owns the copies, the child, and a page that both see: the child writes there which one it
 * is at. The end of the child shows as the end of a pipe whose other side only it holds. */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "ev.h"
#include "jobs.h"
#include "log.h"

enum {
    SCRATCH = 400 << 20, /* as a batch has: what one may use, none is refused here for */
    STILL_MS = 1000      /* between two ticks: we stood still, and perhaps the child, too */
};

struct trial {
    struct ev_io end; /* of the child's pipe; fd -1: none is out */
    struct ev *ev;
    void (*done)(void *ctx);
    void *ctx;
    struct arena arena;
    struct new_entrega *entregas;
    size_t n, tried;
    bool under_way;
    pid_t child;
    volatile size_t *at; /* shared: the one that the child is at; n at its end */
    size_t seen;         /* of it, at the last tick */
    int64_t seen_ms;     /* since when */
    int64_t tick_ms;     /* the last one */
    bool hung;
};

static void on_end(struct ev_io *io, uint32_t events);

struct trial *trial_new(struct ev *ev, void (*done)(void *ctx), void *ctx)
{
    struct trial *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (struct trial){.end = {.fd = -1, .ready = on_end}, .ev = ev, .done = done, .ctx = ctx};
    arena_init(&t->arena, TRIAL_BYTES);
    t->entregas = calloc(TRIAL_MAX, sizeof *t->entregas);
    void *page =
        mmap(NULL, sizeof *t->at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    t->at = page == MAP_FAILED ? NULL : page;
    if (t->entregas && t->at)
        return t;
    trial_free(t);
    return NULL;
}

static void reap(struct trial *t, int *ret_status)
{
    while (waitpid(t->child, ret_status, 0) < 0 && errno == EINTR)
        continue; /* it is dead or dying: this does not take long */
    int fd = t->end.fd;
    ev_del(t->ev, &t->end);
    close(fd);
    t->end.fd = -1;
}

void trial_free(struct trial *t)
{
    int status;
    if (!t)
        return;
    if (t->end.fd >= 0) {
        kill(t->child, SIGKILL);
        reap(t, &status);
    }
    if (t->at)
        munmap((void *)(uintptr_t)t->at, sizeof *t->at);
    arena_reset(&t->arena, 0);
    free(t->entregas);
    free(t);
}

/* ---- what is tried ---- */

static bool copy(struct trial *t, struct event_text *text)
{
    if (!text->data)
        return true;
    text->data = arena_copy(&t->arena, text->data, text->len);
    return text->data != NULL;
}

bool trial_add(struct trial *t, const struct new_entrega *d)
{
    if (t->n == TRIAL_MAX)
        return false;
    struct new_entrega mine = *d;
    bool copied = copy(t, &mine.event.corpo);
    for (unsigned i = 0; i < EVENT_TEXTS; i++)
        copied = copied && copy(t, &mine.event.text[i]);
    if (copied)
        t->entregas[t->n++] = mine;
    return copied;
}

bool trial_has(const struct trial *t, struct event_id id)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->entregas[i].event.id.ms == id.ms && t->entregas[i].event.id.seq == id.seq)
            return true;
    return false;
}

size_t trial_count(const struct trial *t)
{
    return t->n;
}

bool trial_under_way(const struct trial *t)
{
    return t->under_way;
}

const struct new_entrega *trial_verdict(const struct trial *t, size_t i)
{
    return i < t->tried ? &t->entregas[i] : NULL;
}

void trial_reset(struct trial *t)
{
    arena_reset(&t->arena, TRIAL_BYTES);
    t->n = t->tried = 0;
}

/* ---- the child ---- */

/* What counts is that it comes back. */
static void try_one(const struct event_text *corpo)
{
    const char *motivo;
    struct arena arena;
    arena_init(&arena, SCRATCH);
    struct job_rows rows = {.arena = &arena};
    jobs_run(corpo->data, corpo->len, &rows, &motivo);
    job_rows_release(&rows);
    arena_reset(&arena, 0);
}

__attribute__((noreturn)) static void be_the_child(struct trial *t)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = t->tried; i < t->n; i++) {
        *t->at = i;
        try_one(&t->entregas[i].event.corpo);
    }
    *t->at = t->n;
    _exit(0);
}

static bool send_child(struct trial *t)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    *t->at = t->seen = t->tried;
    t->seen_ms = ev_now_ms(t->ev);
    t->hung = false;
    t->child = fork();
    if (t->child == 0)
        be_the_child(t);
    close(ends[1]);
    t->end.fd = ends[0];
    t->end.events = EPOLLIN;
    if (t->child > 0 && ev_add(t->ev, &t->end))
        return true;
    if (t->child > 0) {
        kill(t->child, SIGKILL);
        waitpid(t->child, NULL, 0);
    }
    close(ends[0]);
    t->end.fd = -1;
    return false;
}

/* ---- its course ---- */

static void finish(struct trial *t)
{
    t->under_way = false;
    t->done(t->ctx);
}

static void condemn(struct trial *t, size_t i, const char *motivo)
{
    char id[EVENT_ID_MAX + 1];
    id[event_id_format(t->entregas[i].event.id, id)] = '\0';
    log_error("delivery_guilty", id, "row %lld of entregas (0: of the stream): %s",
              (long long)t->entregas[i].id, motivo);
    t->entregas[i].motivo = motivo;
}

/* The rest of one that hangs is left for the next time: what holds them must not wait too long. */
static void on_end(struct ev_io *io, uint32_t events)
{
    struct trial *t = (struct trial *)(void *)io;
    int status = 0;
    (void)events;
    reap(t, &status);
    size_t at = *t->at;
    t->tried = at < t->n ? at : t->n;
    if (t->tried == t->n || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !t->hung)) {
        finish(t); /* through; or killed by someone else, which proves nothing */
        return;
    }
    condemn(t, t->tried++,
            t->hung ? "prendeu o processo que a decodificava"
                    : "derrubou o processo que a decodificava");
    if (t->hung || t->tried == t->n || !send_child(t))
        finish(t);
}

void trial_start(struct trial *t)
{
    t->under_way = true;
    t->tried = 0;
    if (!send_child(t))
        t->seen_ms = 0; /* nothing is tried: the next tick says so */
}

/* Time in which we were frozen, or the machine was, says nothing about the child. */
void trial_tick(struct trial *t, int64_t now_ms)
{
    bool still = now_ms - t->tick_ms > STILL_MS;
    t->tick_ms = now_ms;
    if (!t->under_way)
        return;
    if (t->end.fd < 0) {
        finish(t);
        return;
    }
    if (still || *t->at != t->seen) {
        t->seen = *t->at;
        t->seen_ms = now_ms;
    } else if (now_ms - t->seen_ms > TRIAL_HANG_MS && !t->hung) {
        t->hung = true;
        kill(t->child, SIGKILL);
    }
}
