/* store_values: owns what NULL means in C: a time that is not known, a text without data, 0. */
#include "store_values.h"

#include <string.h>

#include "store.h"

void store_value_text(struct store_values *v, const char *s)
{
    if (s)
        pg_bytes(&v->v, s, strlen(s));
    else
        pg_null(&v->v);
}

void store_value_time(struct store_values *v, int64_t us)
{
    if (us != STORE_NO_TIME)
        pg_time(&v->v, us, v->space[v->v.n]);
    else
        pg_null(&v->v);
}

void store_value_int(struct store_values *v, int64_t n)
{
    pg_int8(&v->v, n, v->space[v->v.n]);
}

void store_value_id(struct store_values *v, int64_t id)
{
    if (id)
        store_value_int(v, id);
    else
        pg_null(&v->v);
}

void store_value_page(struct store_values *v, int64_t us, int64_t id, int64_t limit)
{
    store_value_time(v, id ? us : STORE_NO_TIME);
    store_value_id(v, id);
    store_value_int(v, limit);
}

int64_t store_time_at(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? STORE_NO_TIME : pg_get_time(res, row, column);
}

struct pg_text store_text_at(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? (struct pg_text){NULL, 0}
                                         : pg_get_text(res, row, column);
}

int64_t store_int_at(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? 0 : pg_get_int8(res, row, column);
}
