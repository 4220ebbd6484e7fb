/* hasher: owns the queue of passwords and the threads that work on it. */
#include "hasher.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    STACK_SIZE = 256 * 1024, /* the hash's memory is not on the stack */
    LEAST_URGENT = 19
};

_Static_assert(HASHER_HASH_SIZE == crypto_pwhash_STRBYTES,
               "the buffer holds what libsodium writes");

struct hasher {
    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t wake;
    struct hasher_job *first, **end;
    unsigned n_waiting, n_threads;
    bool stopping;
    pthread_t threads[HASHER_THREADS];
};

/* ---- one hash ---- */

bool hasher_make(const char *password, size_t len, char ret[HASHER_HASH_SIZE])
{
    return sodium_init() >= 0 &&
           crypto_pwhash_str_alg(ret, password, len, HASHER_PASSES, HASHER_MEMORY,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

/* Of 32 random bytes that nobody kept. */
static const char NOBODY[HASHER_HASH_SIZE] =
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "KMnwPkt+2hCrSLAH3qoTBw$TKDPtGgaEBOukwoImtFnICAsbUdj7S2eMob8JB2HV8s";

static enum status verify(const char *hash, const char *password, size_t len)
{
    bool known = *hash != '\0';
    int differs = crypto_pwhash_str_verify(known ? hash : NOBODY, password, len);
    return known && differs == 0 ? STATUS_OK : STATUS_UNAUTHORIZED;
}

static void work(struct hasher_job *job)
{
    if (job->task == HASHER_VERIFY)
        job->st = verify(job->hash, job->password, job->password_len);
    else
        job->st = hasher_make(job->password, job->password_len, job->hash) ? STATUS_OK
                                                                           : STATUS_OVERLOADED;
}

/* ---- the way back ---- */

static void on_loop(struct ev_task *task)
{
    struct hasher_job *job =
        (struct hasher_job *)(void *)((char *)task - offsetof(struct hasher_job, back));
    job->done(job, job->st);
}

static void hand_back(struct hasher_job *job)
{
    explicit_bzero(job->password, sizeof job->password);
    job->back.run = on_loop;
    ev_post(job->ev, &job->back);
}

/* ---- threads ---- */

static struct hasher_job *pop(struct hasher *h)
{
    struct hasher_job *job = h->first;
    h->first = job->next;
    if (!h->first)
        h->end = &h->first;
    h->n_waiting--;
    return job;
}

static void *run(void *arg)
{
    struct hasher *h = arg;
    setpriority(PRIO_PROCESS, 0, LEAST_URGENT); /* of this thread alone, on Linux */
    pthread_mutex_lock(&h->mutex);
    while (!h->stopping) {
        if (!h->first) {
            pthread_cond_wait(&h->wake, &h->mutex);
            continue;
        }
        struct hasher_job *job = pop(h);
        pthread_mutex_unlock(&h->mutex);
        work(job);
        hand_back(job);
        pthread_mutex_lock(&h->mutex);
    }
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

/* Signals are the main thread's. */
static bool start_thread(struct hasher *h)
{
    pthread_attr_t attr;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&h->threads[h->n_threads], &attr, run, h) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    h->n_threads += started;
    return started;
}

/* ---- public ---- */

struct hasher *hasher_new(void)
{
    struct hasher *h = sodium_init() >= 0 ? calloc(1, sizeof *h) : NULL;
    if (!h)
        return NULL;
    h->end = &h->first;
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->wake, NULL);
    return h;
}

void hasher_free(struct hasher *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->mutex);
    h->stopping = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->mutex);
    for (unsigned i = 0; i < h->n_threads; i++)
        pthread_join(h->threads[i], NULL);
    while (h->first) {
        struct hasher_job *job = pop(h);
        job->st = STATUS_STOPPING;
        hand_back(job);
    }
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

enum status hasher_submit(struct hasher *h, struct hasher_job *job)
{
    enum status st = STATUS_OVERLOADED;
    job->next = NULL;
    pthread_mutex_lock(&h->mutex);
    bool idle = h->n_waiting == 0 && h->n_threads > 0;
    if (h->n_threads < HASHER_THREADS && !idle)
        start_thread(h);
    if (h->n_threads > 0 && !h->stopping && h->n_waiting < HASHER_QUEUE_MAX) {
        *h->end = job;
        h->end = &job->next;
        h->n_waiting++;
        pthread_cond_signal(&h->wake);
        st = STATUS_OK;
    }
    pthread_mutex_unlock(&h->mutex);
    return st;
}
