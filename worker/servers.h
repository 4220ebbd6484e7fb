/* servers: how this program connects to PostgreSQL and Redis: what the loop and the short commands
 * have in common. */
#ifndef ALICERCE_SERVERS_H
#define ALICERCE_SERVERS_H

#include "config.h"
#include "pg.h"
#include "rds.h"

enum {
    SERVERS_CONNECT_MS = 3000,
    SERVERS_STALL_MS = 3000,     /* of Redis */
    SERVERS_STATEMENT_MS = 8000, /* a batch of the largest size takes under 1 s on a slow disk */
    SERVERS_LOCK_MS =
        4000, /* below it: who waits for a lock is told so, and not that it took long */
    SERVERS_PG_STALL_MS = 10000 /* above it: the server's own limit comes first */
};

/* Strings are the config's: it must outlive what is made with them. */
struct pg_options servers_pg(const struct config *c, const char *role,
                             const struct pg_statement *const *prepare);
struct rds_options servers_rds(const struct config *c);

#endif
