/* servers: from the configuration to the options of pg and rds. */
#include "servers.h"

struct pg_options servers_pg(const struct config *c, const char *role,
                             const struct pg_statement *const *prepare)
{
    return (struct pg_options){.conninfo = c->database_url,
                               .application = "alicerce-worker",
                               .role = role,
                               .prepare = prepare,
                               .connect_timeout_ms = SERVERS_CONNECT_MS,
                               .stall_ms = SERVERS_PG_STALL_MS,
                               .statement_timeout_ms = SERVERS_STATEMENT_MS,
                               .lock_timeout_ms = SERVERS_LOCK_MS};
}

struct rds_options servers_rds(const struct config *c)
{
    return (struct rds_options){.host = c->redis_host,
                                .port = (int)c->redis_port,
                                .user = c->redis_user,
                                .password = c->redis_password,
                                .db = (int)c->redis_db,
                                .client_name = "alicerce-worker",
                                .connect_timeout_ms = SERVERS_CONNECT_MS,
                                .stall_ms = SERVERS_STALL_MS};
}
