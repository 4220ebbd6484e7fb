/* pg_value: parameters and columns in PostgreSQL's binary format. Pure functions of pg.h. */
#include <endian.h>
#include <string.h>

#include "buf.h"
#include "pg.h"

#define EPOCH_2000_US 946684800000000 /* PostgreSQL counts timestamps from 2000-01-01 */

static void put64(char *out, uint64_t v)
{
    v = htobe64(v);
    memcpy(out, &v, 8);
}

static void put32(char *out, uint32_t v)
{
    v = htobe32(v);
    memcpy(out, &v, 4);
}

void pg_int8(struct pg_values *v, int64_t value, char space[8])
{
    put64(space, (uint64_t)value);
    pg_bytes(v, space, 8);
}

void pg_time(struct pg_values *v, int64_t unix_us, char space[8])
{
    pg_int8(v, unix_us - EPOCH_2000_US, space);
}

void pg_array_begin(struct buf *b, Oid element, size_t n, bool has_null)
{
    char *p = buf_reserve(b, 20);
    if (!p)
        return;
    put32(p, n ? 1 : 0); /* dimensions */
    put32(p + 4, has_null);
    put32(p + 8, element);
    put32(p + 12, (uint32_t)n);
    put32(p + 16, 1); /* lower bound */
    buf_advance(b, n ? 20 : 12);
}

void pg_array_bytes(struct buf *b, const void *data, size_t len)
{
    char *p = buf_reserve(b, 4 + len);
    if (!p)
        return;
    put32(p, data ? (uint32_t)len : UINT32_MAX);
    if (data && len)
        memcpy(p + 4, data, len);
    buf_advance(b, 4 + (data ? len : 0));
}

void pg_array_int8(struct buf *b, int64_t value)
{
    char raw[8];
    put64(raw, (uint64_t)value);
    pg_array_bytes(b, raw, sizeof raw);
}

void pg_array_time(struct buf *b, int64_t unix_us)
{
    pg_array_int8(b, unix_us - EPOCH_2000_US);
}

int64_t pg_get_int8(const PGresult *res, int row, int column)
{
    uint64_t v;
    if (PQgetlength(res, row, column) != sizeof v)
        return 0;
    memcpy(&v, PQgetvalue(res, row, column), sizeof v);
    return (int64_t)be64toh(v);
}

int64_t pg_get_time(const PGresult *res, int row, int column)
{
    return pg_get_int8(res, row, column) + EPOCH_2000_US;
}

struct pg_text pg_get_text(const PGresult *res, int row, int column)
{
    return (struct pg_text){PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column)};
}
