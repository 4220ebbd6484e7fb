/* stop: SIGTERM and SIGINT. The first one asks for a clean stop, the second one ends the process at
 * once: nothing is lost by it, what is in hand was not acknowledged. */
#ifndef ALICERCE_STOP_H
#define ALICERCE_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Once, before there are threads. false when the system has no descriptors left. */
bool stop_install(void);
/* Non-zero once a stop was asked for. */
extern atomic_int stop_asked;
/* An eventfd that is readable from then on. */
int stop_fd(void);
/* Sleeps so long, or until a stop is asked for. */
void stop_sleep(int64_t ms);

#endif
