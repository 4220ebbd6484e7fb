/* routes: the table, nothing else. A path without {…} stands before one that could take it. */
#include "handlers.h"
#include "router.h"

enum { WEBHOOK_MAX = 3 << 20 };

#define PARAMS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_PARAMS   ((const char *const[]){NULL})

const struct route routes[] = {
    {"GET", "/health", h_health, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"GET", "/status", h_status, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"GET", "/metrics", h_metrics, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"GET", "/api/posts", h_posts_list, PARAMS("limite", "cursor", "autor", "busca"), BODY_NONE,
     ACTION_OPEN, 0},
    {"POST", "/api/posts", h_posts_create, NO_PARAMS, BODY_JSON, ACTION_POST_CREATE, 0},
    {"GET", "/api/posts/cache", h_posts_cache, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"GET", "/api/posts/{id}", h_post, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"PUT", "/api/posts/{id}", h_posts_replace, NO_PARAMS, BODY_JSON, ACTION_POST_CHANGE, 0},
    {"PATCH", "/api/posts/{id}", h_posts_patch, NO_PARAMS, BODY_JSON, ACTION_POST_CHANGE, 0},
    {"DELETE", "/api/posts/{id}", h_posts_remove, NO_PARAMS, BODY_NONE, ACTION_POST_CHANGE, 0},
    {"GET", "/api/contador", h_visit, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"GET", "/api/contadores/{nome}", h_counter_read, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"POST", "/api/contadores/{nome}", h_counter_add, NO_PARAMS, BODY_JSON, ACTION_OPEN, 0},
    {"GET", "/api/stats", h_stats, NO_PARAMS, BODY_NONE, ACTION_OPEN, 0},
    {"POST", "/api/auth/login", h_sign_in, NO_PARAMS, BODY_JSON, ACTION_OPEN, 0},
    {"POST", "/api/auth/renovar", h_renew, NO_PARAMS, BODY_NONE, ACTION_SESSION, 0},
    {"POST", "/api/auth/logout", h_sign_out, NO_PARAMS, BODY_NONE, ACTION_SESSION, 0},
    {"GET", "/api/auth/eu", h_who_am_i, NO_PARAMS, BODY_NONE, ACTION_SESSION, 0},
    {"GET", "/api/usuarios", h_accounts, PARAMS("limite", "cursor"), BODY_NONE,
     ACTION_ACCOUNTS_READ, 0},
    {"POST", "/api/usuarios", h_account_create, NO_PARAMS, BODY_JSON, ACTION_ACCOUNTS_CHANGE, 0},
    {"GET", "/api/usuarios/{id}", h_account, NO_PARAMS, BODY_NONE, ACTION_ACCOUNTS_READ, 0},
    {"PATCH", "/api/usuarios/{id}", h_account_change, NO_PARAMS, BODY_JSON, ACTION_ACCOUNTS_CHANGE,
     0},
    {"DELETE", "/api/usuarios/{id}", h_account_remove, NO_PARAMS, BODY_NONE, ACTION_ACCOUNTS_CHANGE,
     0},
    {"GET", "/webhook", h_webhook_verify, NULL, BODY_NONE, ACTION_OPEN, 0},
    {"POST", "/webhook", h_webhook, NULL, BODY_RAW, ACTION_OPEN, WEBHOOK_MAX},
};
const unsigned n_routes = sizeof routes / sizeof routes[0];
