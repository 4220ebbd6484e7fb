/* config_options: the table of variables, a row each, in the order of --help. Used by config.c
 * alone. */
#ifndef ALICERCE_CONFIG_OPTIONS_H
#define ALICERCE_CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum { THREADS_MAX = 64 };

enum option_type {
    OPTION_TEXT,    /* shown when it is wrong */
    OPTION_SECRET,  /* hidden, may come from X_FILE */
    OPTION_URL,     /* holds a password: as SECRET */
    OPTION_INTEGER, /* within min and max */
    OPTION_WORD     /* one of words; stored is its index, as an enum of that order */
};

struct config_option {
    const char *name;
    enum option_type type;
    enum config_program programs;
    size_t field;         /* offset in struct config */
    const char *fallback; /* as the variable would have it; NULL: the field stays 0 */
    const char *shown;    /* in place of the fallback in --help, or NULL */
    int64_t min, max;
    const char *words; /* "debug|info|warn|error" */
    const char *(*check)(struct config *c, char *value);
    const char *meaning;
};

extern const struct config_option config_options[];
extern const size_t config_n_options;

#endif
