/* session: an ev with a connection to PostgreSQL, and one to Redis if it is wanted, for as long as
 * a command takes. Everything that goes wrong is one line on stderr with cause, variable and
 * remedy. */
#ifndef ALICERCE_SESSION_H
#define ALICERCE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "status.h"

struct session {
    struct ev *ev;
    struct pg *pg;
    struct rds *rds; /* NULL when it was not wanted */
    int64_t until_ms;
    enum status outcome; /* of what is asked: STATUS_PENDING until it is answered */
};

enum { SESSION_WAIT_MS = 5000, SESSION_QUERY_MS = 20000 };

/* Connects. EXIT_OK, EXIT_UNAVAILABLE or EXIT_OS; session_end in any case. */
enum exit_code session_begin(struct session *s, const struct config *c, bool redis);
void session_end(struct session *s);
/* One pass of the loop. false when the time is over or a stop was asked for. */
bool session_step(struct session *s);
void session_extend(struct session *s, int64_t ms);
/* Waits for s->outcome, which a callback sets. `queued` is what the asking function returned.
 * EXIT_OK, or EXIT_UNAVAILABLE after saying so. */
enum exit_code session_wait(struct session *s, enum status queued);
/* The same for an outcome that stands elsewhere. what: "PostgreSQL did not …". */
enum exit_code session_refused(const char *what, enum status st, const char *remedy);

#endif
