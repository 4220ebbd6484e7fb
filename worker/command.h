/* command: what an operator asks of the program besides working: short, and done with an exit code.
 * Everything that goes wrong is one line on stderr with cause, variable and remedy. */
#ifndef ALICERCE_COMMAND_H
#define ALICERCE_COMMAND_H

#include "config.h"
#include "status.h"

/* With METRICS_PORT: is the worker there well? Else: can both servers be reached? EXIT_OK or
 * EXIT_UNAVAILABLE. */
enum exit_code command_healthcheck(const struct config *c);
/* The line for a migration that cannot be applied, and the exit code. */
enum exit_code command_migration_failed(enum status st, const char *message);
/* Applies sql/ and says how much on stdout. */
enum exit_code command_migrate(const struct config *c);

#endif
