/* hasher: passwords are hashed here, on a few threads of their own and never on an event loop.
 *
 * Argon2id (RFC 9106) by libsodium. A hash takes HASHER_MEMORY and tens of milliseconds of one
 * core; at most HASHER_THREADS are made at once (one, where there are no more than two cores) and
 * HASHER_QUEUE_MAX wait, which bounds memory (38 MiB while they work, given back after each) and
 * time. A flood is hashed at the lowest priority: it takes the cores' spare time, not that of other
 * requests (`make bench-flood`). As long as no more than HASHER_CALM wait the priority is a little
 * below that of the loops, or nobody could sign in while the machine is busy. */
#ifndef ALICERCE_HASHER_H
#define ALICERCE_HASHER_H

#include <stdbool.h>
#include <stddef.h>

#include "account.h"
#include "ev.h"
#include "status.h"

enum {
    HASHER_THREADS = 2,
    HASHER_QUEUE_MAX = 64, /* at 30 ms each on one core the last one waits 2 s */
    HASHER_CALM = 4,
    HASHER_WAY = 4,
    HASHER_MEMORY = 19456 << 10, /* bytes: 19 MiB with t = 2, p = 1 is OWASP's second choice */
    HASHER_PASSES = 2,
    HASHER_HASH_SIZE = 128 /* crypto_pwhash_STRBYTES, with its NUL */
};

struct hasher;

enum hasher_task { HASHER_MAKE, HASHER_VERIFY };

/* One password; embedded in its owner, who keeps it until done ran on the loop of `ev`. */
struct hasher_job {
    struct ev *ev;
    enum hasher_task task;
    char password[ACCOUNT_PASSWORD_MAX * 4]; /* UTF-8; cleared when it is done */
    size_t password_len;
    /* MAKE: the result. VERIFY: what to compare with; "" compares with a hash that no password has,
     * in the same time. */
    char hash[HASHER_HASH_SIZE];
    /* STATUS_OK: made, or it matches. STATUS_UNAUTHORIZED: it does not. STATUS_OVERLOADED: no
     * memory. STATUS_STOPPING: not looked at. */
    void (*done)(struct hasher_job *job, enum status st);
    enum status st; /* the hasher's own from here */
    struct hasher_job *next;
    struct ev_task back;
};

/* The threads start with the first job. NULL without memory. */
struct hasher *hasher_new(void);
/* Waits for the jobs in hand; those that wait are handed back with STATUS_STOPPING, and no more are
 * taken. For the end of the program, while the loops are still there. NULL is fine. */
void hasher_stop(struct hasher *h);
/* Stops, if that was not done, and frees. */
void hasher_free(struct hasher *h);
/* From any thread. STATUS_OK: done will run. STATUS_OVERLOADED: too many wait. */
enum status hasher_submit(struct hasher *h, struct hasher_job *job);
/* From any thread. One more is on its way here, by way of servers: false when it would most likely
 * find no place, so that a flood beyond what can be hashed costs those servers nothing. On the way
 * may be HASHER_WAY for each place that is free, since the limits turn most guesses away. Each true
 * is followed by one hasher_leave. */
bool hasher_enter(struct hasher *h);
void hasher_leave(struct hasher *h);
/* From any thread. Too many wait at this moment. */
bool hasher_full(struct hasher *h);

/* Makes a hash here and now, for the start of the program. false without memory. */
bool hasher_make(const char *password, size_t len, char ret[HASHER_HASH_SIZE]);

#endif
