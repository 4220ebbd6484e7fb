/* command: what an operator asks of the program besides working: short, and done with an exit code.
 * Everything that goes wrong is one line on stderr with cause, variable and remedy. */
#ifndef ALICERCE_COMMAND_H
#define ALICERCE_COMMAND_H

#include "config.h"

/* Can both servers be reached? EXIT_OK or EXIT_UNAVAILABLE. */
enum exit_code command_healthcheck(const struct config *c);
/* Prints the state of the queue and of `entregas` to stdout. EXIT_OK or EXIT_UNAVAILABLE. */
enum exit_code command_queue_status(const struct config *c);
/* Applies sql/ and says how much on stdout. */
enum exit_code command_migrate(const struct config *c);

#endif
