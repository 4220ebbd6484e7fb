/* pg_hosts: the hosts of a connection string, resolved without blocking, for pg alone. */
#ifndef ALICERCE_PG_HOSTS_H
#define ALICERCE_PG_HOSTS_H

#include <libpq-fe.h>

struct ev;
struct pg_hosts;

/* done(ctx, error): all names were asked for; error is NULL unless none has an address. */
struct pg_hosts *pg_hosts_new(struct ev *ev, const char *conninfo,
                              void (*done)(void *ctx, const char *error), void *ctx);
void pg_hosts_free(struct pg_hosts *h);
/* Asks for every name anew; answers at once (inside the call) when all are literal. */
void pg_hosts_resolve(struct pg_hosts *h);
void pg_hosts_cancel(struct pg_hosts *h);
/* PQconnectStartParams with every address of every host, in order (libpq 34.1.1.3 "Specifying
 * Multiple Hosts"). Each failure before begins with the next one: an
 * address that swallows packets would take the whole time-out every time. The caller owns the
 * connection. */
PGconn *pg_hosts_connect(struct pg_hosts *h, const char *application, unsigned failures);

#endif
