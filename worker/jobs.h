/* jobs: from a delivery's bytes to the rows it becomes.
 *
 * An envelope of Meta's ({"object":…,"entry":[{"id":…,"changes":[…]}]}) is split into its updates;
 * each is of the first form in one table that knows it. A new kind of update is a row of that table
 * and, where the row cannot say it all, a job_<event>.c. What has no usable id is kept under a
 * digest of itself. Source: Meta, "Webhooks from Meta", "Event notifications"; docs/webhooks.md has
 * the table for people. */
#ifndef ALICERCE_JOBS_H
#define ALICERCE_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "jsonscan.h"
#include "status.h"
#include "store_evento.h"
#include "store_lead.h"

enum {
    JOBS_UPDATES_MAX = 10000, /* in one delivery; Meta sends at most 1,000 */
    JOBS_ID_MAX = 128,        /* bytes of an id; the longest of most kinds have about 60 */
    JOBS_PART_MAX = 512,      /* bytes of a part of a key; Instagram's mids have about 170 */
    JOBS_KEY_MAX = 1024,      /* bytes of a key; an index takes 2,704 */
    JOBS_STATE_MAX = 64,      /* bytes of a state or verb */
    JOBS_PARTS = 6            /* of a key */
};

struct job_form;

/* One update, as it stands in the delivery's memory. */
struct job_update {
    const struct job_form *form; /* NULL: nobody's */
    const char *list; /* "changes", "messaging", "standby", "changed_fields", or one in a value */
    struct pg_text objeto;   /* of the envelope; data NULL for none, as below */
    struct pg_text entidade; /* id of the entry */
    struct pg_text campo;
    struct jsonscan body; /* the element of the list */
    struct jsonscan root; /* where paths start: a change's value, else the body */
    /* Of an element of a list in a value (job_whatsapp), else unset: */
    struct jsonscan context; /* belongs to its digest */
    bool composed;           /* its content is: */
    struct pg_text conteudo;
};

/* What deliveries become. Texts lie in the delivery's memory or in the arena. */
struct job_rows {
    struct arena *arena;
    size_t max_eventos; /* no more elements of changes when there are so many; jobs_run's */
    struct new_evento *eventos;
    size_t n_eventos, size_eventos;
    struct new_lead *leads;
    size_t n_leads, size_leads;
};

/* A job appends its rows, or says
 *   STATUS_NOT_FOUND   it has no id: job_archive is asked
 *   STATUS_OVERLOADED  no memory: nothing of the delivery counts */
typedef enum status (*job_fn)(const struct job_update *u, struct job_rows *rows);

/* Names may be several: "page|instagram". A path ("message.mid") leads from the root down; of
 * several ("comment_id|post_id") the first counts that is there; "=text" is the text itself. */
struct job_form {
    const char *nome;    /* campo of what has no field: the event of a message */
    const char *list;    /* NULL: any, as below */
    const char *objeto;  /* of the envelope */
    const char *campo;   /* field of a change */
    const char *when[2]; /* paths that must be there and not be false, or be: "item=comment" */
    /* A prefix, then what makes it one: paths, "@" (the entry's id), "=text"; "?path" may be
     * missing. None: a digest. Prefix and number of parts tell what the parts are. */
    const char *chave[JOBS_PARTS];
    const char *assunto; /* path of what it is about */
    const char *estado;  /* path of its state or verb */
    const char *contato; /* paths of the person: the first that is not the page itself */
    job_fn run;
};

/* The table, in the order in which it is asked. */
const struct job_form *jobs_forms(size_t *ret_n);

enum status job_lead(const struct job_update *u, struct job_rows *rows);
enum status job_whatsapp(const struct job_update *u, struct job_rows *rows);
enum status job_keyed(const struct job_update *u, struct job_rows *rows);
enum status job_archive(const struct job_update *u, struct job_rows *rows);

/* Appends the rows of one delivery; `corpo` must live as long as they.
 *   STATUS_OK          done
 *   STATUS_INVALID     a dead letter: *ret_motivo says why (Portuguese, static)
 *   STATUS_OVERLOADED  no memory
 * In the last two cases no rows were appended. */
enum status jobs_run(const char *corpo, size_t len, struct job_rows *rows, const char **ret_motivo);
void job_rows_release(struct job_rows *rows);

/* ---- for the jobs ---- */

/* Finds its form and runs it. */
enum status jobs_run_update(struct job_update *u, struct job_rows *rows);
/* A row at the end, zeroed; NULL without memory. */
struct new_evento *job_add_evento(struct job_rows *rows);
struct new_lead *job_add_lead(struct job_rows *rows);
/* An event with what every form has in common: objeto, campo, entidade, conteudo. */
struct new_evento *job_add_evento_of(const struct job_update *u, struct job_rows *rows);
/* What a path (see struct job_form) leads to; JSONSCAN_NONE for nothing. */
struct jsonscan job_at(struct jsonscan root, const char *path);
/* Does one of the conditions (`when`) hold? */
bool job_holds(struct jsonscan root, const char *conditions);
/* The event's state and person, as its form says. */
void job_describe(const struct job_update *u, struct new_evento *evento, struct arena *arena);
/* An id as text, whether it came as a string or as a number, digits as they were written. data NULL
 * for another type, an empty one or one of more than JOBS_ID_MAX bytes (job_text: max), or
 * characters that no column takes. */
struct pg_text job_id(struct jsonscan v, struct arena *arena);
struct pg_text job_text(struct jsonscan v, size_t max, struct arena *arena);
/* Seconds since 1970, or milliseconds when it is too many for seconds; STORE_NO_TIME for neither.
 */
int64_t job_time_us(struct jsonscan v);
/* The update's own: created_time, else timestamp. */
int64_t job_time_of(const struct job_update *u);

#endif
