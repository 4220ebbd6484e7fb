/* offload: owns the queue of jobs, the threads that take them from it, and the seats. */
#include "offload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

enum { STACK_SIZE = 256 * 1024 };

struct offload {
    atomic_uint seats;     /* taken */
    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t wake;
    struct offload_job *first, **end;
    unsigned n_waiting, n_idle, n_threads;
    unsigned most; /* threads */
    bool stopping;
    pthread_t threads[OFFLOAD_THREADS_MAX];
};

static void on_loop(struct ev_task *task)
{
    struct offload_job *job =
        (struct offload_job *)(void *)((char *)task - offsetof(struct offload_job, back));
    job->done(job);
}

static void *run(void *arg)
{
    struct offload *o = arg;
    pthread_mutex_lock(&o->mutex);
    while (o->first || !o->stopping) {
        if (!o->first) {
            o->n_idle++;
            pthread_cond_wait(&o->wake, &o->mutex);
            o->n_idle--;
            continue;
        }
        struct offload_job *job = o->first;
        o->first = job->next;
        if (!o->first)
            o->end = &o->first;
        o->n_waiting--;
        pthread_mutex_unlock(&o->mutex);
        job->work(job);
        job->back.run = on_loop;
        ev_post(job->ev, &job->back);
        pthread_mutex_lock(&o->mutex);
    }
    pthread_mutex_unlock(&o->mutex);
    return NULL;
}

/* Signals are the main thread's. */
static void start_thread(struct offload *o)
{
    pthread_attr_t attr;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    o->n_threads += pthread_create(&o->threads[o->n_threads], &attr, run, o) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
}

struct offload *offload_new(unsigned threads)
{
    struct offload *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->most = threads < OFFLOAD_THREADS_MAX ? threads : OFFLOAD_THREADS_MAX;
    o->end = &o->first;
    pthread_mutex_init(&o->mutex, NULL);
    pthread_cond_init(&o->wake, NULL);
    return o;
}

void offload_stop(struct offload *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->mutex);
    o->stopping = true;
    pthread_cond_broadcast(&o->wake);
    pthread_mutex_unlock(&o->mutex);
    for (unsigned i = 0; i < o->n_threads; i++)
        pthread_join(o->threads[i], NULL);
    o->n_threads = 0;
}

void offload_free(struct offload *o)
{
    if (!o)
        return;
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->mutex);
    free(o);
}

bool offload_enter(struct offload *o)
{
    if (atomic_fetch_add(&o->seats, 1) < OFFLOAD_SEATS)
        return true;
    atomic_fetch_sub(&o->seats, 1);
    return false;
}

void offload_leave(struct offload *o)
{
    atomic_fetch_sub(&o->seats, 1);
}

void offload_submit(struct offload *o, struct offload_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&o->mutex);
    if (!o->stopping && o->n_threads < o->most && o->n_idle <= o->n_waiting)
        start_thread(o);
    bool here = o->stopping || o->n_threads == 0;
    if (!here) {
        *o->end = job;
        o->end = &job->next;
        o->n_waiting++;
        pthread_cond_signal(&o->wake);
    }
    pthread_mutex_unlock(&o->mutex);
    if (!here)
        return;
    job->work(job); /* no thread to be had, or the end of the process */
    job->done(job);
}
