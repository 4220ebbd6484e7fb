/* env: the environment that config_load reads in a test, and what came of it. One test at a time:
 * each case starts without any variable. */
#ifndef ALICERCE_TESTS_ENV_H
#define ALICERCE_TESTS_ENV_H

#include <check.h>
#include <stddef.h>

#include "config.h"

extern struct config *env_config; /* what the last env_load made; NULL when it failed */
extern char env_said[4096];       /* what it printed */

/* A case of the suite whose tests begin with env_clear and end with env_release. */
TCase *env_case(Suite *s, const char *name);
void env_clear(void);
void env_release(void);

void env_set(const char *name, const char *value);
/* Makes a file with these bytes, which env_release removes. Its path. */
const char *env_file(const void *data, size_t len);
/* env_config; it has to print a line exactly when it fails. */
struct config *env_load(enum config_program program);

/* Loads with name=value alone, which must fail with exactly `line`. */
void env_wrong(const char *name, const char *value, const char *line);
/* The same where only the variable's name matters, and that the value is not told. */
void env_wrong_unsaid(const char *name, const char *value);

#endif
