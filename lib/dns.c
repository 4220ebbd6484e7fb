/* dns: owns the resolver thread (started with the first query, never joined: getaddrinfo cannot be
 * interrupted) and the queue to it. A query has two owners, the asker and the thread or the posted
 * task; whoever comes last frees it. */
#include "dns.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ev.h"

struct dns_query {
    struct ev_task task; /* first: the task is the query */
    struct dns_query *next;
    struct ev *ev;
    void (*done)(void *ctx, const struct dns_answer *answer);
    void *ctx;
    bool cancelled; /* guarded by mutex until posted, then the loop's alone */
    bool posted;
    struct dns_answer answer;
    char host[256];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wanted = PTHREAD_COND_INITIALIZER;
static struct dns_query *queue;
static bool running;

bool dns_literal(const char *host)
{
    unsigned char raw[16];
    return !*host || *host == '/' || *host == '@' || inet_pton(AF_INET, host, raw) == 1 ||
           inet_pton(AF_INET6, host, raw) == 1;
}

static void look_up(struct dns_query *q)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(q->host, NULL, &hints, &found);
    q->answer.error = error ? gai_strerror(error) : NULL;
    for (struct addrinfo *a = found; a && q->answer.n < DNS_MAX_ADDRESSES; a = a->ai_next)
        if (getnameinfo(a->ai_addr, a->ai_addrlen, q->answer.address[q->answer.n], DNS_ADDRESS_LEN,
                        NULL, 0, NI_NUMERICHOST) == 0)
            q->answer.n++;
    if (found)
        freeaddrinfo(found);
}

static void deliver(struct ev_task *task)
{
    struct dns_query *q = (struct dns_query *)(void *)task;
    if (!q->cancelled)
        q->done(q->ctx, &q->answer);
    free(q);
}

static void *resolver(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    for (;;) {
        while (!queue)
            pthread_cond_wait(&wanted, &mutex);
        struct dns_query *q = queue;
        queue = q->next;
        if (q->cancelled) {
            free(q);
            continue;
        }
        pthread_mutex_unlock(&mutex);
        look_up(q);
        pthread_mutex_lock(&mutex);
        if (q->cancelled) {
            free(q);
            continue;
        }
        q->posted = true;
        ev_post(q->ev, &q->task); /* under the mutex: a cancel now finds it posted */
    }
    return NULL;
}

static bool start(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr,
                              256 * 1024); /* getaddrinfo wants some; musl's default is 131k */
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    running = pthread_create(&thread, &attr, resolver, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return running;
}

struct dns_query *dns_resolve(struct ev *ev, const char *host,
                              void (*done)(void *ctx, const struct dns_answer *answer), void *ctx)
{
    struct dns_query *q = calloc(1, sizeof *q);
    if (!q || strlen(host) >= sizeof q->host) {
        free(q);
        return NULL;
    }
    q->task.run = deliver;
    q->ev = ev;
    q->done = done;
    q->ctx = ctx;
    strcpy(q->host, host);
    pthread_mutex_lock(&mutex);
    bool ok = running || start();
    if (ok) {
        struct dns_query **end = &queue;
        while (*end)
            end = &(*end)->next;
        *end = q;
        pthread_cond_signal(&wanted);
    }
    pthread_mutex_unlock(&mutex);
    if (!ok) {
        free(q);
        return NULL;
    }
    return q;
}

void dns_cancel(struct dns_query *q)
{
    pthread_mutex_lock(&mutex);
    q->cancelled = true;
    pthread_mutex_unlock(&mutex);
}
