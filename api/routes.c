/* routes: the table, nothing else. A path without {…} stands before one that could take it. */
#include "handlers.h"
#include "router.h"

enum { WEBHOOK_MAX = 3 << 20 };

#define PARAMS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_PARAMS   ((const char *const[]){NULL})

const struct route routes[] = {
    {"GET", "/health", h_health, NO_PARAMS, BODY_NONE, 0},
    {"GET", "/status", h_status, NO_PARAMS, BODY_NONE, 0},
    {"GET", "/metrics", h_metrics, NO_PARAMS, BODY_NONE, 0},
    {"GET", "/api/posts", h_posts_list, PARAMS("limite", "cursor", "autor", "busca"), BODY_NONE, 0},
    {"POST", "/api/posts", h_posts_create, NO_PARAMS, BODY_JSON, 0},
    {"GET", "/api/posts/cache", h_posts_cache, NO_PARAMS, BODY_NONE, 0},
    {"GET", "/api/posts/{id}", h_post, NO_PARAMS, BODY_NONE, 0},
    {"GET", "/api/contador", h_visit, NO_PARAMS, BODY_NONE, 0},
    {"GET", "/api/contadores/{nome}", h_counter_read, NO_PARAMS, BODY_NONE, 0},
    {"POST", "/api/contadores/{nome}", h_counter_add, NO_PARAMS, BODY_JSON, 0},
    {"GET", "/api/stats", h_stats, NO_PARAMS, BODY_NONE, 0},
    {"GET", "/webhook", h_webhook_verify, NULL, BODY_NONE, 0},
    {"POST", "/webhook", h_webhook, NULL, BODY_RAW, WEBHOOK_MAX},
};
const unsigned n_routes = sizeof routes / sizeof routes[0];
