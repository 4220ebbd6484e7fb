/* graph_request: the URL that asks the Graph API for one lead. It holds the access token and the
 * proof: it goes to http_get and nowhere else.
 * Meta, "Retrieving Leads" and "Securing Graph API Calls" (appsecret_proof). */
#ifndef ALICERCE_GRAPH_REQUEST_H
#define ALICERCE_GRAPH_REQUEST_H

#include <stdbool.h>

#include "buf.h"
#include "pg.h"

enum {
    GRAPH_ID_MAX = 64,
    GRAPH_URL_MAX = 40 << 10 /* 16 KiB of token, each byte escaped, 3 times */
};

struct graph_request {
    struct buf base;  /* "https://graph.facebook.com/v25.0/" */
    struct buf query; /* "?fields=…&access_token=…&appsecret_proof=…" */
};

/* secrets: META_APP_SECRET, of which the first one counts; NULL: no proof. false without memory. */
bool graph_request_init(struct graph_request *r, const char *url, const char *token,
                        const char *secrets);
/* Leaves nothing of the token in memory. */
void graph_request_release(struct graph_request *r);

/* Is it an id that may stand in a path? 1 to GRAPH_ID_MAX of A-Z a-z 0-9 _ */
bool graph_request_id(struct pg_text id);
/* Writes the URL with its NUL into `to`, which is emptied before; false without memory. */
bool graph_request_url(const struct graph_request *r, struct pg_text id, struct buf *to);

/* Clears and frees a buffer that held the token. */
void graph_request_wipe(struct buf *b);

#endif
