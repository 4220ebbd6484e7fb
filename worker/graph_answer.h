/* graph_answer: what the Graph API said about a lead, and what is to be done about it: one table of
 * errors (graph_error.c), one of field names (graph_fields.c).
 *
 * Meta's messages are not passed on: some of them quote the token. Pure functions.
 * Meta, "Handling Errors", "Rate Limits", "Retrieving Leads". */
#ifndef ALICERCE_GRAPH_ANSWER_H
#define ALICERCE_GRAPH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "jsonscan.h"
#include "store_consulta.h"

enum graph_verdict {
    GRAPH_COMPLETE,     /* the row can be filled in */
    GRAPH_RETRY,        /* later again; one attempt more */
    GRAPH_REFUSED,      /* never again by itself */
    GRAPH_LIMITED_ALL,  /* too many calls: nothing is asked for a while */
    GRAPH_LIMITED_PAGE, /* too many calls: nothing of this page is asked for a while */
    GRAPH_MISCONFIGURED /* token, rights, version: an operator has to do something */
};

struct graph_answer {
    enum graph_verdict verdict;
    char motivo[200];           /* Portuguese, valid UTF-8, nothing secret; "" when complete */
    const char *advice;         /* GRAPH_MISCONFIGURED: what to do, English, static */
    struct consulta_answer row; /* when complete; texts in the arena or the body */
};

enum {
    GRAPH_TEXT_MAX = 300, /* bytes of nome, email, telefone; what is longer stays in campos alone */
    GRAPH_ARENA = 1 << 16 /* what an answer takes beside its body */
};

/* Never fails: what cannot be read is a verdict too. */
void graph_answer_read(struct pg_text leadgen_id, unsigned http, const char *body, size_t len,
                       struct arena *arena, struct graph_answer *ret);
/* No answer came: `wrong` says why (English, static; the reason is told in Portuguese around it).
 */
void graph_answer_none(const char *wrong, struct graph_answer *ret);

/* ---- the two tables; for graph_answer and tests ---- */

/* The verdict over "error" of an answer, with its motivo and advice. */
void graph_error_read(struct jsonscan error, unsigned http, struct graph_answer *ret);
/* Finds nome, email and telefone in field_data (an array), and whether Meta made it up. */
void graph_fields_read(struct jsonscan field_data, struct arena *arena,
                       struct consulta_answer *ret);

#endif
