/* h_arquivos_read: GET /api/arquivos/{id}: the bytes of a file, or of one range of it. Read by the
 * threads of offload a chunk at a time, and only as fast as the client takes them: a loop never
 * waits for a cold disk, as a sendfile would make it, and no thread for a slow client.
 *
 * The first chunk is read before the answer begins, so that what cannot be read gets a status of
 * its own. The whole of a file that comes from a bucket is hashed on its way: when it is not what
 * was kept, its last chunk never leaves. */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_call.h"
#include "file_name.h"
#include "log.h"
#include "loop.h"
#include "offload.h"
#include "range.h"
#include "reply.h"
#include "store_file.h"
#include "stream.h"
#include "text.h"
#include "vault.h"

enum { CAP_SLACK = 4096 }; /* beside two chunks: what the stream counts for each part */

struct download {
    struct offload_job job;
    struct stream stream;
    struct loop *loop;
    struct request *request; /* while it is being opened */
    char id[FILE_ID_LEN + 1];
    const char *type;
    int64_t first, last; /* what is asked for, and not read yet */
    bool part, busy, closed;
    struct vault_file file;
    struct sha256 *hash; /* of a whole file from a bucket */
    uint8_t sha256[SHA256_LEN];
    enum status st; /* of the last reading */
    char why[VAULT_WHY];
    size_t n, chunk_size; /* n: of the chunk, read and not written */
    char chunk[];
};

/* ---- the end ---- */

static void download_free(struct download *d)
{
    offload_leave(d->loop->app->offload);
    sha256_free(d->hash);
    free(d);
}

static void on_shut(struct offload_job *job)
{
    download_free((struct download *)(void *)job);
}

static void work_close(struct offload_job *job)
{
    struct download *d = (struct download *)(void *)job;
    vault_close(&d->file);
}

static void submit(struct download *d, void (*work)(struct offload_job *job),
                   void (*done)(struct offload_job *job))
{
    d->busy = true;
    d->job.ev = d->loop->ev;
    d->job.work = work;
    d->job.done = done;
    offload_submit(d->loop->app->stores, &d->job);
}

static void on_closed(struct stream *s)
{
    struct download *d = (struct download *)(void *)((char *)s - offsetof(struct download, stream));
    d->closed = true;
    if (!d->busy)
        submit(d, work_close, on_shut);
}

/* ---- the bytes ---- */

/* Of a whole file, its last chunk among them. */
static bool is_as_kept(struct download *d)
{
    uint8_t found[SHA256_LEN];
    sha256_add(d->hash, d->chunk, d->n);
    if (d->first + (int64_t)d->n <= d->last)
        return true;
    sha256_end(d->hash, found);
    return memcmp(found, d->sha256, sizeof found) == 0;
}

static void work_read(struct offload_job *job)
{
    struct download *d = (struct download *)(void *)job;
    int64_t left = d->last - d->first + 1;
    d->n = left < (int64_t)d->chunk_size ? (size_t)left : d->chunk_size;
    d->st = vault_read(d->loop->app->vault, &d->file, d->first, d->chunk, d->n, d->why);
    if (d->st != STATUS_OK || !d->hash || is_as_kept(d))
        return;
    snprintf(d->why, sizeof d->why, "its bytes are not those that were kept");
    d->st = STATUS_STORAGE_AWAY;
}

static void pass_on(struct download *d)
{
    bool taken = stream_write(&d->stream, d->chunk, d->n);
    d->first += (int64_t)d->n;
    d->n = 0;
    if (!taken)
        stream_abort(&d->stream);
    else if (d->first > d->last)
        stream_end(&d->stream);
}

static void on_read(struct offload_job *job)
{
    struct download *d = (struct download *)(void *)job;
    d->busy = false;
    if (d->closed) {
        submit(d, work_close, on_shut);
    } else if (d->st != STATUS_OK) {
        log_error("file_read", NULL, "%s: %s", d->id, d->why);
        stream_abort(&d->stream);
    } else {
        pass_on(d);
    }
}

static void more(struct stream *s)
{
    struct download *d = (struct download *)(void *)((char *)s - offsetof(struct download, stream));
    if (d->n > 0)
        pass_on(d);
    else if (!d->busy && d->first <= d->last)
        submit(d, work_read, on_read);
}

/* ---- opening ---- */

static void work_open(struct offload_job *job)
{
    struct download *d = (struct download *)(void *)job;
    d->st = vault_open(d->loop->app->vault, &d->file, d->why);
    if (d->st == STATUS_OK)
        work_read(job);
}

static void put_range(struct request *r, int64_t first, int64_t last, int64_t size)
{
    char text[80];
    int n = first < 0 ? snprintf(text, sizeof text, "bytes */%lld", (long long)size)
                      : snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)first,
                                 (long long)last, (long long)size);
    const char *copy = arena_copy(&r->arena, text, (size_t)n);
    if (copy)
        reply_header(r, "Content-Range", copy);
}

static void refuse_open(struct request *r, const struct download *d)
{
    log_error("file_lost", r->id, "%s: %s", d->id, d->why);
    reply_problem(r, d->st,
                  d->st == STATUS_GONE ? "Os bytes deste arquivo não estão mais no armazenamento."
                                       : "O arquivo não pôde ser lido.");
}

static void on_opened(struct offload_job *job)
{
    struct download *d = (struct download *)(void *)job;
    struct request *r = d->request;
    d->busy = false;
    bool good = d->st == STATUS_OK;
    bool waits = account_call_waits(r);
    if (!good && waits) {
        r->reply.etag[0] = '\0';
        refuse_open(r, d);
    }
    if (!good || !waits) {
        submit(d, work_close, on_shut);
        account_call_end(r);
        return;
    }
    if (d->part)
        put_range(r, d->first, d->last, d->file.size);
    d->stream =
        (struct stream){.more = more, .closed = on_closed, .cap = 2 * d->chunk_size + CAP_SLACK};
    reply_stream(r, d->part ? STATUS_PARTIAL : STATUS_OK, d->type, &d->stream,
                 (uint64_t)(d->last - d->first + 1));
    r->reply.secret = true;
    account_call_end(r);
}

/* ---- the row ---- */

struct reading {
    struct file_query row;
    struct request *request;
    struct slice range, if_range, if_none_match; /* in the arena */
    char id[FILE_ID_LEN + 1];
};

static bool has_tag(struct slice list, const char *etag)
{
    return list.data && ((list.len == 1 && *list.data == '*') ||
                         memmem(list.data, list.len, etag, strlen(etag)));
}

static void add_headers(struct request *r, const struct file_row *f)
{
    struct buf b = buf_init(4096);
    file_name_disposition(&b, f->nome.data, f->nome.len);
    const char *copy = buf_failed(&b) ? "attachment" : arena_copy(&r->arena, b.data, b.len);
    buf_release(&b);
    reply_header(r, "Content-Disposition", copy ? copy : "attachment");
    reply_header(r, "Content-Security-Policy", "sandbox; default-src 'none'");
    reply_header(r, "Accept-Ranges", "bytes");
    r->reply.echoes = r->reply.secret = true;
}

static void set_tag(struct request *r, const struct file_row *f)
{
    r->reply.etag[0] = '"';
    text_hex((const uint8_t *)f->sha256.data, 16, r->reply.etag + 1);
    memcpy(r->reply.etag + 33, "\"", 2);
}

static struct download *new_download(struct request *r, const struct file_row *f, bool part)
{
    const struct vault *v = r->loop->app->vault;
    bool hashed = !part && vault_bucket(v);
    struct download *d = malloc(sizeof *d + vault_chunk(v));
    if (!d)
        return NULL;
    memset(d, 0, sizeof *d);
    d->loop = r->loop;
    d->request = r;
    d->part = part;
    d->chunk_size = vault_chunk(v);
    memcpy(d->id, f->id.data, FILE_ID_LEN);
    d->file = (struct vault_file){.id = d->id, .size = f->bytes, .fd = -1};
    memcpy(d->sha256, f->sha256.data, sizeof d->sha256); /* the table has no other length */
    d->type = arena_copy(&r->arena, f->tipo.data, f->tipo.len);
    d->hash = hashed ? sha256_begin() : NULL;
    if (d->type && (d->hash || !hashed))
        return d;
    sha256_free(d->hash);
    free(d);
    return NULL;
}

static enum status open_file(struct request *r, const struct file_row *f, int64_t first,
                             int64_t last, bool part)
{
    struct app *app = r->loop->app;
    if (!app->vault)
        return reply_problem(r, STATUS_NOT_CONFIGURED, "STORAGE_DIR não pode ser usado.");
    if (!offload_enter(app->offload))
        return reply_problem(r, STATUS_OVERLOADED,
                             "Arquivos demais ao mesmo tempo; tente de novo.");
    struct download *d = new_download(r, f, part);
    if (!d) {
        offload_leave(app->offload);
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    }
    d->first = first;
    d->last = last;
    add_headers(r, f);
    submit(d, work_open, on_opened);
    return STATUS_PENDING;
}

static enum status answer_row(struct reading *reading, const struct file_row *f)
{
    struct request *r = reading->request;
    int64_t first = 0, last = f->bytes - 1;
    set_tag(r, f);
    r->reply.secret = true;
    if (has_tag(reading->if_none_match, r->reply.etag))
        return reply_constant(r, STATUS_NOT_MODIFIED, NULL, "", 0);
    bool ranges = !reading->if_range.data ||
                  (reading->if_range.len == strlen(r->reply.etag) &&
                   memcmp(reading->if_range.data, r->reply.etag, reading->if_range.len) == 0);
    enum range_kind kind =
        ranges ? range_parse(reading->range.data, reading->range.len, f->bytes, &first, &last)
               : RANGE_WHOLE;
    if (kind == RANGE_UNSATISFIABLE) {
        r->reply.etag[0] = '\0';
        reply_problem(r, STATUS_RANGE_UNSATISFIABLE, "O intervalo começa depois do fim.");
        put_range(r, -1, -1, f->bytes);
        return STATUS_RANGE_UNSATISFIABLE;
    }
    return open_file(r, f, first, last, kind == RANGE_PART);
}

static void on_row(struct file_query *q, enum status st, const struct file_row *rows, size_t n,
                   int64_t used)
{
    struct reading *reading = (struct reading *)(void *)q;
    struct request *r = reading->request;
    (void)used;
    if (account_call_waits(r)) {
        if (st != STATUS_OK)
            account_call_refuse(r, st, false);
        else if (n == 0)
            reply_problem(r, STATUS_NOT_FOUND, "Não há arquivo com este id.");
        else if (answer_row(reading, rows) == STATUS_PENDING)
            return;
    }
    account_call_end(r);
}

static bool copy_header(struct request *r, enum header h, struct slice *ret)
{
    struct slice given = r->headers[h];
    if (!given.data)
        return true;
    const char *copy = arena_copy(&r->arena, given.data, given.len);
    *ret = (struct slice){copy, given.len};
    return copy != NULL;
}

enum status h_file(struct request *r)
{
    struct reading *reading = arena_alloc(&r->arena, sizeof *reading);
    if (!reading)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *reading = (struct reading){.row.done = on_row, .request = r};
    if (!copy_header(r, HEADER_RANGE, &reading->range) ||
        !copy_header(r, HEADER_IF_RANGE, &reading->if_range) ||
        !copy_header(r, HEADER_IF_NONE_MATCH, &reading->if_none_match))
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    if (r->path_param.len != FILE_ID_LEN)
        return reply_problem(r, STATUS_NOT_FOUND, "Não há arquivo com este id.");
    memcpy(reading->id, r->path_param.data, FILE_ID_LEN);
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    st =
        store_file_by_id(r->loop->reads, (struct pg_text){reading->id, FILE_ID_LEN}, &reading->row);
    return account_call_sent(r, st);
}
