/* dns: names to addresses without blocking a loop.
 *
 * getaddrinfo(3) blocks for as long as the resolver likes, so one thread of the process asks and
 * the answer comes back through ev_post. Addresses and socket paths need no query: dns_literal. */
#ifndef ALICERCE_DNS_H
#define ALICERCE_DNS_H

#include <stdbool.h>

struct ev;
struct dns_query;

enum { DNS_MAX_ADDRESSES = 8, DNS_ADDRESS_LEN = 64 };

struct dns_answer {
    int n; /* 0: the name could not be resolved, see error */
    char address[DNS_MAX_ADDRESSES][DNS_ADDRESS_LEN];
    const char *error; /* gai_strerror text, static */
};

/* Is `host` an IPv4 or IPv6 address (or a socket path or empty), usable as it is? */
bool dns_literal(const char *host);

/* Asks for `host`; done(ctx, answer) runs on ev's thread, the answer lives during the call. NULL
 * without memory or thread. */
struct dns_query *dns_resolve(struct ev *ev, const char *host,
                              void (*done)(void *ctx, const struct dns_answer *answer), void *ctx);
/* Forgets a query whose answer has not come: done will not be called. Loop's thread only. */
void dns_cancel(struct dns_query *q);

#endif
