/* rate: owns the table of buckets. A bucket is the time at which it will be full again; without an
 * entry it is full, so forgetting one errs in the client's favour. */
#include "rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SETS = 1024, WAYS = 4, MINUTE_US = 60 * 1000000 };

struct bucket {
    struct cidr_address client;
    int64_t full_us; /* 0: free */
};

struct rate {
    pthread_mutex_t mutex; /* guards the buckets; held for less than a microsecond */
    int64_t per_minute, each_us;
    uint64_t seed[2]; /* so that nobody can choose addresses of one set */
    struct bucket sets[SETS][WAYS];
};

struct rate *rate_new(int64_t per_minute)
{
    struct rate *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    pthread_mutex_init(&r->mutex, NULL);
    r->per_minute = per_minute;
    r->each_us = MINUTE_US / per_minute;
    if (getrandom(r->seed, sizeof r->seed, 0) != sizeof r->seed) {
        rate_free(r);
        return NULL;
    }
    return r;
}

void rate_free(struct rate *r)
{
    if (r)
        pthread_mutex_destroy(&r->mutex);
    free(r);
}

static struct bucket *set_of(struct rate *r, const struct cidr_address *client)
{
    uint64_t half[2];
    memcpy(half, client->byte, sizeof half);
    uint64_t h = (half[0] ^ r->seed[0]) * 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 32) ^ half[1] ^ r->seed[1]) * 0xBF58476D1CE4E5B9u;
    return r->sets[(h >> 40) % SETS];
}

/* The client's, a free one, or the one that is full soonest. */
static struct bucket *find(struct bucket *set, const struct cidr_address *client)
{
    struct bucket *least = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].full_us && memcmp(&set[i].client, client, sizeof *client) == 0)
            return &set[i];
        if (set[i].full_us < least->full_us)
            least = &set[i];
    }
    *least = (struct bucket){.client = *client};
    return least;
}

static uint32_t seconds(int64_t us)
{
    return (uint32_t)((us + 999999) / 1000000);
}

struct rate_answer rate_take(struct rate *r, const struct cidr_address *client, int64_t now_us)
{
    int64_t burst_us = r->each_us * r->per_minute;
    struct rate_answer a = {.limit = (uint32_t)r->per_minute};
    pthread_mutex_lock(&r->mutex);
    struct bucket *b = find(set_of(r, client), client);
    int64_t full_us = (b->full_us > now_us ? b->full_us : now_us) + r->each_us;
    a.passes = full_us - now_us <= burst_us;
    if (a.passes || b->full_us == 0)
        b->full_us = full_us;
    pthread_mutex_unlock(&r->mutex);
    int64_t left_us = burst_us - (full_us - now_us);
    a.remaining = a.passes ? (uint32_t)(left_us / r->each_us) : 0;
    a.reset_s = seconds(a.passes ? full_us - now_us : -left_us);
    return a;
}
