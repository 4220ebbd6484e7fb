/* upload: a body that goes to a file while it comes (BODY_STREAM), never into memory as a whole.
 *
 * Two buffers of UPLOAD_CHUNK: one gathers, the other is being written by a thread of offload. When
 * both are full the connection is suspended until the disk has caught up. What a client has to say
 * is timed by its silence, not by the whole. On the loop's thread, but for the work of its jobs. */
#ifndef ALICERCE_UPLOAD_H
#define ALICERCE_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "file_type.h"
#include "hmac.h"
#include "multipart.h"
#include "offload.h"
#include "status.h"
#include "store_file.h"
#include "vault.h"

struct loop;
struct request;

enum {
    UPLOAD_CHUNK = FILE_TYPE_HEAD,
    UPLOAD_SLACK = 8 * 1024, /* what libmicrohttpd may still bring, and a held delimiter */
    UPLOAD_SILENCE_MS = 30000
};

struct upload {
    struct offload_job job;
    struct loop *loop;
    struct request *request; /* NULL: the client has gone, or a handler has taken the upload */
    struct upload *older, *newer;
    void (*after)(struct upload *u); /* of the job in hand; NULL while the body comes */
    void (*finished)(struct upload *u);
    void *owner; /* the handler's, once it has taken it */
    bool busy, paused, removed;
    int64_t moved_ms;
    char id[FILE_ID_LEN + 1];
    char name[MULTIPART_NAME_MAX + 1]; /* clean; "" as long as there is none */
    char type[MULTIPART_TYPE_MAX + 1]; /* what the client said */
    struct multipart *form;            /* NULL: the body is the file */
    struct file_verdict verdict;       /* type NULL: not looked at yet */
    int64_t bytes;
    char *gather, *writing;
    size_t n_gather, n_writing;
    /* The threads', while busy. */
    int fd;
    enum status failed; /* what failed first: STORAGE_FULL, STORAGE_AWAY; or OK */
    char why[VAULT_WHY];
    struct sha256 *hash;
    struct file_text text;
    uint8_t sha256[SHA256_LEN]; /* of the whole, once it is kept */
};

/* The head is here. STATUS_OK with r->upload, or the refusal in r->reply. */
enum status upload_begin(struct request *r);
/* A piece of the body. May suspend the connection; may set r->refused. */
void upload_data(struct upload *u, const char *data, size_t len);
/* The request is over, and no handler has taken the upload. */
void upload_gone(struct upload *u);

/* For the handler, which takes it with the whole body: it is the one who frees it. */

/* Looks at what came; STATUS_OK or the refusal in r->reply. Unlinks it from the request. */
enum status upload_take(struct request *r, struct upload **ret);
/* Writes what is left, then calls after. */
void upload_finish(struct upload *u, void (*after)(struct upload *u));
/* Runs work on a thread of the pool, then after on the loop. One at a time. */
void upload_run(struct upload *u, struct offload *pool, void (*work)(struct offload_job *job),
                void (*after)(struct upload *u));
/* Takes back what was begun, and frees it. Nothing is under way. */
void upload_discard(struct upload *u);
/* Frees it; its file is closed. */
void upload_free(struct upload *u);

/* Of one loop: ends those that are silent. */
void uploads_tick(struct loop *loop, int64_t now_ms);
/* None is suspended any more, so that the daemon may be stopped. */
void uploads_resume(struct loop *loop);

#endif
