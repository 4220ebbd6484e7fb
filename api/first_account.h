/* first_account: the account that ADMIN_EMAIL and ADMIN_PASSWORD describe, made at a start that
 * finds none. Blocking: for the main thread, after the migrations. */
#ifndef ALICERCE_FIRST_ACCOUNT_H
#define ALICERCE_FIRST_ACCOUNT_H

#include "config.h"
#include "status.h"

/* Makes it if there is no account at all; any number of replicas may try at once. STATUS_OK also
 * when nothing is to be done; STATUS_DATABASE_AWAY: again later. Failures are logged. */
enum status first_account(const struct config *c);

#endif
