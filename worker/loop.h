/* loop: the worker at work: one event loop, its connections, and what runs on them. */
#ifndef ALICERCE_LOOP_H
#define ALICERCE_LOOP_H

#include "config.h"

/* Runs until a stop is asked for (stop.h) and what is in hand is done, or LOOP_STOP_MS later.
 * Returns an exit code after saying on stderr what went wrong. */
enum exit_code loop_run(const struct config *c);

enum { LOOP_STOP_MS = 6000 /* promised are 10 s from the signal to the end */ };

#endif
