/* status: the table behind status.h, made from STATUS_MAP so that no row can be forgotten. */
#include "status.h"

struct row {
    const char *name;
    unsigned http;
    bool retryable;
    const char *title, *detail;
};

static const struct row rows[STATUS_COUNT] = {
#define X(name, http, retry, title, detail) [STATUS_##name] = {#name, http, retry, title, detail},
    STATUS_MAP(X)
#undef X
};

/* A value from outside the enum is a bug of ours: it is told as one, not read past the table. */
static const struct row *row_of(enum status s)
{
    return &rows[(unsigned)s < STATUS_COUNT ? s : STATUS_INTERNAL];
}

unsigned status_http(enum status s)
{
    return row_of(s)->http;
}

const char *status_name(enum status s)
{
    return row_of(s)->name;
}

const char *status_title(enum status s)
{
    return row_of(s)->title;
}

const char *status_detail(enum status s)
{
    return row_of(s)->detail;
}

bool status_retryable(enum status s)
{
    return row_of(s)->retryable;
}
