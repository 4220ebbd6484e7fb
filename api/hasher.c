/* hasher: owns the queue of passwords and the threads that work on it. */
#include "hasher.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
    STACK_SIZE = 256 * 1024, /* the hash's memory is not on the stack */
    CALM_NICE = 5,           /* a third of what a loop gets of a core that is wanted by all */
    FLOOD_NICE = 19
};

_Static_assert(HASHER_HASH_SIZE == crypto_pwhash_STRBYTES,
               "the buffer holds what libsodium writes");

/* A thread cannot take its priority back, so there are two sets of them, of which one works. */
struct worker {
    struct hasher *hasher;
    bool calm;
    pthread_t thread;
};

struct hasher {
    pthread_mutex_t mutex; /* guards all but the atomics */
    pthread_cond_t wake;
    struct hasher_job *first, **end;
    /* Read without the mutex: a thread of the lowest priority may lose its core while it holds it,
     * and a loop would wait until it has one again. */
    atomic_uint n_waiting; /* changed under it */
    atomic_uint n_coming;  /* between enter and leave */
    unsigned n_threads;
    unsigned most; /* hashes at once */
    unsigned n_working;
    bool stopping;
    struct worker workers[2 * HASHER_THREADS];
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

/* As libsodium takes what it needs for a hash. */
static bool has_memory(void)
{
    void *some =
        mmap(NULL, HASHER_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return some != MAP_FAILED && munmap(some, HASHER_MEMORY) == 0;
}

/* libsodium says of a hash that it had no memory for that it differs (argon2_verify). Taken for a
 * guess, it would keep out who knows the password. */
static enum status verify(const char *hash, const char *password, size_t len)
{
    bool known = *hash != '\0';
    int differs = crypto_pwhash_str_verify(known ? hash : NOBODY, password, len);
    if (differs != 0 && !has_memory())
        return STATUS_OVERLOADED;
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

static bool has_turn(const struct worker *w)
{
    const struct hasher *h = w->hasher;
    return h->first && h->n_working < h->most && w->calm == (h->n_waiting <= HASHER_CALM);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct hasher *h = w->hasher;
    setpriority(PRIO_PROCESS, 0, w->calm ? CALM_NICE : FLOOD_NICE); /* this thread's, on Linux */
    pthread_mutex_lock(&h->mutex);
    while (!h->stopping) {
        if (!has_turn(w)) {
            pthread_cond_wait(&h->wake, &h->mutex);
            continue;
        }
        struct hasher_job *job = pop(h);
        h->n_working++;
        if (h->n_working < h->most)
            pthread_cond_broadcast(&h->wake); /* fewer wait: it may be the others' turn */
        pthread_mutex_unlock(&h->mutex);
        work(job);
        hand_back(job);
        pthread_mutex_lock(&h->mutex);
        h->n_working--;
        pthread_cond_broadcast(&h->wake); /* the next one may be the others' */
    }
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

/* Signals are the main thread's. */
static bool start_thread(struct hasher *h)
{
    struct worker *w = &h->workers[h->n_threads];
    pthread_attr_t attr;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *w = (struct worker){.hasher = h, .calm = h->n_threads % 2 == 0};
    bool started = pthread_create(&w->thread, &attr, run, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    h->n_threads += started;
    return started;
}

/* ---- public ---- */

/* That this process may use. */
static int cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* At least one core stays without: in a flood the kernel takes a core from a hash at the end of its
 * slice, even at the lowest priority, and whoever wakes up has to find another one. */
static unsigned threads_of(int n_cores)
{
    return n_cores > HASHER_THREADS ? HASHER_THREADS : 1;
}

struct hasher *hasher_new(void)
{
    struct hasher *h = sodium_init() >= 0 ? calloc(1, sizeof *h) : NULL;
    if (!h)
        return NULL;
    h->end = &h->first;
    h->most = threads_of(cores());
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->wake, NULL);
    return h;
}

void hasher_stop(struct hasher *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->mutex);
    h->stopping = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->mutex);
    for (; h->n_threads > 0; h->n_threads--)
        pthread_join(h->workers[h->n_threads - 1].thread, NULL);
    while (h->first) {
        struct hasher_job *job = pop(h);
        job->st = STATUS_STOPPING;
        hand_back(job);
    }
}

void hasher_free(struct hasher *h)
{
    hasher_stop(h);
    if (!h)
        return;
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

bool hasher_enter(struct hasher *h)
{
    unsigned places = HASHER_QUEUE_MAX - atomic_load(&h->n_waiting);
    bool enters = atomic_fetch_add(&h->n_coming, 1) < HASHER_WAY * places;
    if (!enters)
        hasher_leave(h);
    return enters;
}

void hasher_leave(struct hasher *h)
{
    atomic_fetch_sub(&h->n_coming, 1);
}

bool hasher_full(struct hasher *h)
{
    return atomic_load(&h->n_waiting) >= HASHER_QUEUE_MAX;
}

enum status hasher_submit(struct hasher *h, struct hasher_job *job)
{
    enum status st = STATUS_OVERLOADED;
    if (hasher_full(h))
        return st;
    job->next = NULL;
    pthread_mutex_lock(&h->mutex);
    while (h->n_threads < 2 * h->most && !h->stopping && start_thread(h))
        ;
    /* Both kinds, or what waits may have nobody whose turn it is. */
    if (h->n_threads > 1 && !h->stopping && h->n_waiting < HASHER_QUEUE_MAX) {
        *h->end = job;
        h->end = &job->next;
        h->n_waiting++;
        pthread_cond_broadcast(&h->wake);
        st = STATUS_OK;
    }
    pthread_mutex_unlock(&h->mutex);
    return st;
}
