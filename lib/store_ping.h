/* store_ping: is the server there? One answer from each. */
#ifndef ALICERCE_STORE_PING_H
#define ALICERCE_STORE_PING_H

#include "pg.h"
#include "status.h"

struct rds;

struct ping_ticket {
    void (*done)(struct ping_ticket *t, enum status st);
};
extern const struct pg_statement *const store_ping_statements[];

enum status store_ping_pg(struct pg *pg, struct ping_ticket *t);
enum status store_ping_rds(struct rds *r, struct ping_ticket *t);

#endif
