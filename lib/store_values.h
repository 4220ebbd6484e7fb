/* store_values: the parameters of a statement, put down one after the other, with the memory that
 * their binary forms need; and columns that may be NULL. */
#ifndef ALICERCE_STORE_VALUES_H
#define ALICERCE_STORE_VALUES_H

#include <stdint.h>

#include "pg.h"

struct store_values { /* start with {0} */
    struct pg_values v;
    char space[PG_MAX_PARAMS][8];
};

void store_value_text(struct store_values *v, const char *s); /* NULL: NULL; kept until the query */
void store_value_time(struct store_values *v, int64_t us);    /* STORE_NO_TIME: NULL */
void store_value_int(struct store_values *v, int64_t n);
void store_value_id(struct store_values *v, int64_t id); /* 0: NULL */

/* A page: behind the row of this time and id (id 0: from the first one on), and how many. */
void store_value_page(struct store_values *v, int64_t us, int64_t id, int64_t limit);

/* STORE_NO_TIME, data NULL, 0 for NULL. */
int64_t store_time_at(const PGresult *res, int row, int column);
struct pg_text store_text_at(const PGresult *res, int row, int column);
int64_t store_int_at(const PGresult *res, int row, int column);

#endif
