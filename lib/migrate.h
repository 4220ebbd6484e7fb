/* migrate: applies sql/ to the database, forward only, one transaction a file.
 *
 * The files stand inside the program (built by sql/embed.sh). Table `migracoes(nome, sha256,
 * aplicada_em)` remembers what was applied. Any number of programs may start at once: they queue on
 * an advisory lock of the session. Blocking: called from a thread that may wait, never from a loop.
 */
#ifndef ALICERCE_MIGRATE_H
#define ALICERCE_MIGRATE_H

#include <stdatomic.h>
#include <stddef.h>

#include "status.h"

struct migration {
    const char *name; /* "0001_posts" */
    const char *sql;
    size_t len;
};
extern const struct migration migrations[];
extern const unsigned n_migrations;

struct migrate_result {
    unsigned applied;  /* by this call */
    unsigned newer;    /* rows in migracoes that this program does not know: it goes on */
    char message[256]; /* on failure: one line with the cause, naming the file or the server */
};

/* Connects to `conninfo` (libpq URL), takes the lock, applies what is missing, disconnects.
 *   STATUS_OK             all that this program knows is applied
 *   STATUS_DATABASE_AWAY  no connection, or it was lost: call again later
 *   STATUS_CONFLICT       an applied file has another sha256 now: message names it
 *   STATUS_INTERNAL       a file's SQL failed: message has the file and the server's error
 * `stop` (may be NULL): returns STATUS_STOPPING soon after it becomes non-zero. Waits at most
 * `connect_timeout_ms` for each attempt to connect. */
enum status migrate_run(const char *conninfo, int connect_timeout_ms, const atomic_int *stop,
                        struct migrate_result *ret);

#endif
