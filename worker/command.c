/* command: --healthcheck and --migrate. */
#include "command.h"

#include <stdio.h>

#include "exposition.h"
#include "migrate.h"
#include "servers.h"
#include "session.h"
#include "stop.h"

/* A worker that tells of itself knows more than its servers do. */
static enum exit_code ask_worker(const struct config *c)
{
    char why[128];
    if (exposition_ask(c->metrics_host, (uint16_t)c->metrics_port, why))
        return EXIT_OK;
    fprintf(stderr, "alicerce-worker: METRICS_PORT %d: %s: see the worker's log\n",
            (int)c->metrics_port, why);
    return EXIT_UNAVAILABLE;
}

enum exit_code command_healthcheck(const struct config *c)
{
    struct session s;
    if (c->metrics_port)
        return ask_worker(c);
    enum exit_code code = session_begin(&s, c, true);
    session_end(&s);
    return code;
}

/* ---- --migrate ---- */

enum exit_code command_migration_failed(enum status st, const char *message)
{
    bool changed = st == STATUS_CONFLICT;
    fprintf(stderr, "alicerce-worker: sql/ was not applied to DATABASE_URL: %s: %s\n", message,
            changed ? "restore the file, or run the program that belongs to the database"
                    : "is it a database of this program's own, with the right to change it?");
    return changed ? EXIT_MIGRATION : EXIT_INTERNAL;
}

enum exit_code command_migrate(const struct config *c)
{
    struct migrate_result result = {0};
    enum status st = migrate_run(c->database_url, SERVERS_CONNECT_MS, &stop_asked, &result);
    if (st == STATUS_OK) {
        printf("%u applied, %u newer than this program\n", result.applied, result.newer);
        return EXIT_OK;
    }
    if (st == STATUS_STOPPING)
        return EXIT_UNAVAILABLE;
    if (st == STATUS_DATABASE_AWAY) {
        fprintf(stderr,
                "alicerce-worker: PostgreSQL cannot be reached: %s: check DATABASE_URL and that "
                "the server is running\n",
                result.message);
        return EXIT_UNAVAILABLE;
    }
    return command_migration_failed(st, result.message);
}
