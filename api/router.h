/* router: from a request's head to its handler: target, method, parameters, type of the body. */
#ifndef ALICERCE_ROUTER_H
#define ALICERCE_ROUTER_H

#include "auth.h"
#include "request.h"

enum body_rule { BODY_NONE, BODY_JSON, BODY_RAW, BODY_STREAM };

/* One row of routes.c. */
struct route {
    const char *method; /* GET serves HEAD too */
    const char *path;   /* "{…}" as a whole segment takes one */
    enum status (*handle)(struct request *r);
    const char *const *params; /* query parameters it knows, NULL-terminated; NULL: any */
    enum body_rule body;
    enum action action; /* who may: the table in auth.c */
    size_t body_max;    /* 0: BODY_MAX */
};
extern const struct route routes[];
extern const unsigned n_routes;

/* Splits the target into path and query. For problem documents before router_find. */
void router_path(struct request *r);
/* STATUS_OK with r->route set, or the refusal: the answer is in r->reply already, or *ret_why says
 * more (static). */
enum status router_find(struct request *r, const char *method, const char **ret_why);
/* The limit of the body that the route sets. */
size_t router_body_max(const struct request *r);
/* The whole request is here: runs the handler, or answers the refusal. */
enum status router_dispatch(struct request *r);

#endif
