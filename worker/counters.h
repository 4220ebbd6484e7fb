/* counters: what the worker counts. Written by the loop's thread, readable by others. */
#ifndef ALICERCE_COUNTERS_H
#define ALICERCE_COUNTERS_H

#include "metrics.h"

struct worker_counters {
    metric claimed;       /* entries of the stream, new ones */
    metric taken_over;    /* entries that were idle in some worker's hand */
    metric direct;        /* rows of entregas that the API wrote itself */
    metric stored;        /* deliveries committed as processed */
    metric dead;          /* deliveries committed as dead letters */
    metric postponed;     /* deliveries put aside until their next attempt */
    metric eventos;       /* rows offered to eventos (those that were there already included) */
    metric leads;         /* the same for leads */
    metric acked;         /* entries acknowledged and deleted */
    metric batches;       /* transactions committed */
    metric batches_split; /* spans that were refused and halved */
    metric retries;       /* spans sent again: lost connection, deadlock, time-out */
    metric
        given_up; /* deliveries that not even as dead letters could be stored: left in the queue */
    metric groups_made;                 /* times that the group was missing and made */
    struct metric_histogram batch_time; /* from the first statement to the commit */
    struct metric_sizes batch_size;     /* deliveries committed by one transaction */
    /* look-ups in the Graph API, by outcome (graph.h) */
    metric graph_ok;                    /* leads filled in, test leads among them */
    metric graph_limited;               /* calls that a rate limit refused */
    metric graph_retry;                 /* leads that wait for their next attempt */
    metric graph_failed;                /* leads given up: 'falhou' */
    metric graph_token;                 /* calls refused for the token, its rights or the version */
    metric graph_in_flight;             /* a gauge: calls under way (modulo 2^64) */
    struct metric_histogram graph_time; /* of a call, whatever came of it */
};

#endif
