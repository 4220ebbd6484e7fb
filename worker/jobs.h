/* jobs: from a delivery's bytes to the rows it becomes.
 *
 * An envelope of Meta's ({"object":…,"entry":[{"id":…,"changes":[…]}]}) is split into its updates;
 * each is offered to the forms of one table, in order, until one knows it. A new kind of update is
 * a row of that table and a job_<event>.c. Source: Meta, "Webhooks from Meta", "Event
 * notifications". */
#ifndef ALICERCE_JOBS_H
#define ALICERCE_JOBS_H

#include <stddef.h>

#include "arena.h"
#include "jsonscan.h"
#include "status.h"
#include "store_evento.h"
#include "store_lead.h"

enum {
    JOBS_UPDATES_MAX = 10000, /* in one delivery; Meta sends at most 1,000 */
    JOBS_ID_MAX = 128         /* bytes of an id; the longest of Meta's have about 60 */
};

/* One update, as it stands in the delivery's memory. */
struct job_update {
    const char *list;        /* "changes", "messaging", "standby", "changed_fields" */
    struct pg_text objeto;   /* of the envelope; data NULL for none, as below */
    struct pg_text entidade; /* id of the entry */
    struct pg_text campo;
    struct jsonscan body;  /* the element of the list */
    struct jsonscan value; /* its member "value" */
};

/* What deliveries become. Texts lie in the delivery's memory or in the arena. */
struct job_rows {
    struct arena *arena;
    struct new_evento *eventos;
    size_t n_eventos, size_eventos;
    struct new_lead *leads;
    size_t n_leads, size_leads;
};

/* A job appends its rows, or says
 *   STATUS_NOT_FOUND   not of this form: the table's next row is asked
 *   STATUS_OVERLOADED  no memory: nothing of the delivery counts */
typedef enum status (*job_fn)(const struct job_update *u, struct job_rows *rows);

struct job_form {
    const char *list, *objeto, *campo; /* NULL: any */
    job_fn run;
};

enum status job_lead(const struct job_update *u, struct job_rows *rows);
enum status job_archive(const struct job_update *u, struct job_rows *rows);

/* Appends the rows of one delivery; `corpo` must live as long as they.
 *   STATUS_OK          done
 *   STATUS_INVALID     a dead letter: *ret_motivo says why (Portuguese, static)
 *   STATUS_OVERLOADED  no memory
 * In the last two cases no rows were appended. */
enum status jobs_run(const char *corpo, size_t len, struct job_rows *rows, const char **ret_motivo);
void job_rows_release(struct job_rows *rows);

/* ---- for the jobs ---- */

/* A row at the end, zeroed; NULL without memory. */
struct new_evento *job_add_evento(struct job_rows *rows);
struct new_lead *job_add_lead(struct job_rows *rows);
/* An event with what every form has in common: objeto, campo, entidade, conteudo. */
struct new_evento *job_add_evento_of(const struct job_update *u, struct job_rows *rows);
/* An id as text, whether it came as a string or as a number, digits as they were written. data NULL
 * for another type, an empty or overlong one, or characters that no column takes. */
struct pg_text job_id(struct jsonscan v, struct arena *arena);
/* Seconds since 1970, or milliseconds when it is too many for seconds; STORE_NO_TIME for neither.
 */
int64_t job_time_us(struct jsonscan v);

#endif
