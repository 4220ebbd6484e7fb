/* archive: what the pages of deliveries, events, jobs and the audit log share: members that may be
 * null, parameters that are times, cursors, and who may see persons. */
#ifndef ALICERCE_API_ARCHIVE_H
#define ALICERCE_API_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "pg.h"
#include "request.h"

enum {
    ARCHIVE_LIMIT_DEFAULT = 50,
    ARCHIVE_LIMIT_MAX = 100,
    ARCHIVE_TEXT_MAX = 200 /* characters: a reason is compared by so many */
};

/* ,"name":VALUE; data NULL and STORE_NO_TIME are null. Texts are valid UTF-8. */
void archive_put_text(struct buf *b, const char *name, struct pg_text text);
void archive_put_time(struct buf *b, const char *name, int64_t us);
void archive_put_int(struct buf *b, const char *name, int64_t n);
/* The same as archive_put_text, with the mark of redact.h in place of a text that is there. */
void archive_put_hidden(struct buf *b, const char *name, struct pg_text text);

/* The reason of a dead letter: what PostgreSQL said may quote a value, so that with `hidden` only
 * its code (SQLSTATE) is left of it. All other reasons are texts of our own. */
void archive_put_reason(struct buf *b, const char *name, struct pg_text reason, bool hidden);

/* 200 with what b holds, which nobody may keep. */
void archive_answer(struct request *r, const char *content_type, const struct buf *b);

/* Is what names a person to be hidden from who asks? */
bool archive_redacts(const struct request *r);

/* A place in an order by (time, id), or by id alone; kind: one letter for each order. */
struct archive_place {
    int64_t us, id; /* id 0: none */
};
void archive_put_cursor(struct buf *b, char kind, struct archive_place place);
/* ],"proximo": the cursor of the place that the next page begins behind; null when it is none. */
void archive_end_rows(struct buf *b, char kind, struct archive_place next);

/* limite and cursor, desde and ate: STATUS_OK, or the refusal that names the parameter. Absent ones
 * leave what is there. */
enum status archive_read_page(struct request *r, char kind, int64_t *ret_limit,
                              struct archive_place *ret_place);
enum status archive_read_times(struct request *r, int64_t *ret_desde_us, int64_t *ret_ate_us);
/* campo and valor: campo wants valor, and of who may not see persons valor wants a campo that names
 * none. NULL for absent. */
enum status archive_read_field(struct request *r, const char **ret_campo, const char **ret_valor);
/* A parameter of 1 to max characters, NULL when it is absent. */
enum status archive_read_text(struct request *r, const char *name, size_t max, const char **ret);
/* The {id} of the path. */
enum status archive_read_id(struct request *r, int64_t *ret);

#endif
