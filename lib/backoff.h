/* backoff: when to try a lost server again. 50 ms, doubling to 1 s, each with a random half taken
 * off, so that many clients do not return in step. */
#ifndef ALICERCE_BACKOFF_H
#define ALICERCE_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_FIRST_MS = 50, BACKOFF_MAX_MS = 1000 };

struct backoff {
    int64_t next_ms; /* monotonic: not before this */
    unsigned failures;
    uint64_t seed; /* any start value, different for each owner */
};

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016. */
static inline uint64_t backoff_random(uint64_t *seed)
{
    uint64_t x = *seed ? *seed : 0x9E3779B97F4A7C15u;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *seed = x;
    return x * 0x2545F4914F6CDD1Du;
}

static inline void backoff_failed(struct backoff *b, int64_t now_ms)
{
    int64_t wait = b->failures < 5 ? BACKOFF_FIRST_MS << b->failures : BACKOFF_MAX_MS;
    if (wait > BACKOFF_MAX_MS)
        wait = BACKOFF_MAX_MS;
    b->failures++;
    b->next_ms = now_ms + wait / 2 + (int64_t)(backoff_random(&b->seed) % (uint64_t)(wait / 2 + 1));
}

static inline void backoff_succeeded(struct backoff *b)
{
    b->failures = 0;
    b->next_ms = 0;
}

#endif
