/* upload: owns the way of a body's bytes to the disk. Invariant: at most one job is under way; the
 * connection is suspended only while one is. */
#include "upload.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file_name.h"
#include "loop.h"
#include "reply.h"
#include "server.h"
#include "text.h"

/* ---- refusals ---- */

static void refuse(struct upload *u, enum status st, const char *why)
{
    struct request *r = u->request;
    r->refused = st;
    r->refused_why = why;
}

/* ---- jobs ---- */

static void receive(struct upload *u);

static void on_job(struct offload_job *job)
{
    struct upload *u = (struct upload *)(void *)job;
    void (*after)(struct upload * u) = u->after;
    u->busy = false;
    u->after = NULL;
    if (after)
        after(u);
    else
        receive(u);
}

void upload_run(struct upload *u, struct offload *pool, void (*work)(struct offload_job *job),
                void (*after)(struct upload *u))
{
    u->busy = true;
    u->after = after;
    u->job.ev = u->loop->ev;
    u->job.work = work;
    u->job.done = on_job;
    offload_submit(pool, &u->job);
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void work_write(struct offload_job *job)
{
    struct upload *u = (struct upload *)(void *)job;
    if (u->fd < 0)
        u->fd = vault_begin(u->loop->app->vault, u->id);
    if (u->fd < 0 || !write_all(u->fd, u->writing, u->n_writing)) {
        u->failed = vault_failure(errno ? errno : EIO, u->why);
        return;
    }
    sha256_add(u->hash, u->writing, u->n_writing);
    if (u->verdict.text)
        file_text_add(&u->text, u->writing, u->n_writing);
}

static void swap(struct upload *u)
{
    char *full = u->gather;
    u->gather = u->writing;
    u->writing = full;
    u->n_writing = u->n_gather;
    u->n_gather = 0;
}

static void work_drop(struct offload_job *job)
{
    struct upload *u = (struct upload *)(void *)job;
    vault_drop(u->loop->app->vault, u->id, u->fd);
    u->fd = -1;
}

void upload_discard(struct upload *u)
{
    if (u->fd >= 0)
        upload_run(u, u->loop->app->offload, work_drop, upload_free);
    else
        upload_free(u);
}

/* ---- the body ---- */

/* By the bytes that have gathered: the first ones. */
static enum status look_at_type(struct upload *u, const char **ret_why)
{
    if (u->verdict.type)
        return STATUS_OK;
    struct file_claim claim = {
        .type = *u->type ? u->type : NULL, .type_len = strlen(u->type), .name = u->name};
    return file_type(u->gather, u->n_gather, claim, &u->verdict, ret_why);
}

static void pause_it(struct upload *u)
{
    if (u->paused)
        return;
    u->paused = true;
    MHD_suspend_connection(u->request->connection);
}

static void resume(struct upload *u)
{
    if (!u->paused)
        return;
    u->paused = false;
    u->moved_ms = ev_now_ms(u->loop->ev);
    if (!u->request || !u->request->connection)
        return;
    MHD_resume_connection(u->request->connection);
    server_poke(u->loop->server);
}

static void pass_on(struct upload *u)
{
    const char *why;
    if (u->n_gather < UPLOAD_CHUNK)
        return;
    if (u->busy) {
        pause_it(u);
        return;
    }
    enum status st = look_at_type(u, &why);
    if (st != STATUS_OK) {
        refuse(u, st, why);
        return;
    }
    swap(u);
    upload_run(u, u->loop->app->offload, work_write, NULL);
}

static void receive(struct upload *u)
{
    if (!u->request) {
        upload_discard(u);
        return;
    }
    if (u->failed != STATUS_OK && u->request->refused == STATUS_OK)
        refuse(u, u->failed, "O arquivo não pôde ser gravado.");
    if (u->request->refused == STATUS_OK)
        pass_on(u);
    resume(u);
}

static bool gather(void *ctx, const char *data, size_t len)
{
    struct upload *u = ctx;
    u->bytes += (int64_t)len;
    if (u->bytes > u->loop->config->arquivo_max) {
        refuse(u, STATUS_TOO_LARGE, "O arquivo passa do limite.");
        return false;
    }
    if (u->n_gather + len > UPLOAD_CHUNK + UPLOAD_SLACK) { /* a library that brings more at once */
        refuse(u, STATUS_OVERLOADED, NULL);
        return false;
    }
    memcpy(u->gather + u->n_gather, data, len);
    u->n_gather += len;
    return true;
}

/* The part's own name and type, once its head is read (a small form comes whole, and is at its end
 * already); the query's name goes before. */
static void read_part(struct upload *u)
{
    size_t len;
    if (!u->form->found || u->form->state == MULTIPART_HEAD)
        return;
    const char *name = file_name_clean(u->form->name, strlen(u->form->name), &len);
    if (!*u->name && name)
        memcpy(u->name, name, len);
    memcpy(u->type, u->form->type, sizeof u->type);
}

void upload_data(struct upload *u, const char *data, size_t len)
{
    u->moved_ms = ev_now_ms(u->loop->ev);
    if (!u->form) {
        if (gather(u, data, len))
            pass_on(u);
        return;
    }
    multipart_feed(u->form, data, len, gather, u);
    if (u->form->state == MULTIPART_BAD)
        refuse(u, STATUS_BAD_REQUEST, u->form->why);
    if (u->request->refused != STATUS_OK)
        return;
    if (!u->verdict.type)
        read_part(u);
    pass_on(u);
}

/* ---- begin and end ---- */

static bool make_id(char id[FILE_ID_LEN + 1])
{
    uint8_t bits[FILE_ID_LEN / 2];
    if (getrandom(bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
        return false;
    text_hex(bits, sizeof bits, id);
    return true;
}

static struct upload *upload_new(struct request *r)
{
    struct upload *u = calloc(1, sizeof *u);
    if (!u) {
        offload_leave(r->loop->app->offload);
        return NULL;
    }
    u->loop = r->loop;
    u->request = r;
    u->fd = -1;
    u->moved_ms = ev_now_ms(r->loop->ev);
    u->gather = malloc(UPLOAD_CHUNK + UPLOAD_SLACK);
    u->writing = malloc(UPLOAD_CHUNK + UPLOAD_SLACK);
    u->hash = sha256_begin();
    u->newer = u->loop->uploads;
    if (u->newer)
        u->newer->older = u;
    u->loop->uploads = u;
    if (u->gather && u->writing && u->hash && make_id(u->id))
        return u;
    upload_free(u);
    return NULL;
}

void upload_free(struct upload *u)
{
    *(u->older ? &u->older->newer : &u->loop->uploads) = u->newer;
    if (u->newer)
        u->newer->older = u->older;
    offload_leave(u->loop->app->offload);
    sha256_free(u->hash);
    free(u->form);
    free(u->gather);
    free(u->writing);
    free(u);
}

static enum status read_name(struct request *r, struct upload *u)
{
    struct slice given = request_param(r, "nome");
    size_t len = 0;
    const char *name = given.data ? file_name_clean(given.data, given.len, &len) : NULL;
    if (given.data && !name)
        return reply_field(r, STATUS_BAD_REQUEST, "nome",
                           "deve ser um nome de arquivo de 1 a %d caracteres", FILE_NAME_MAX);
    if (name)
        memcpy(u->name, name, len);
    return STATUS_OK;
}

static enum status read_type(struct request *r, struct upload *u)
{
    struct slice type = r->headers[HEADER_CONTENT_TYPE];
    static const char form[] = "multipart/";
    if (type.len > MULTIPART_TYPE_MAX)
        return reply_problem(r, STATUS_UNSUPPORTED_MEDIA, "Content-Type é longo demais.");
    if (type.data && type.len >= sizeof form - 1 && strncasecmp(type.data, form, 10) == 0) {
        u->form = malloc(sizeof *u->form);
        if (!u->form)
            return reply_problem(r, STATUS_OVERLOADED, NULL);
        if (!multipart_init(u->form, type.data, type.len))
            return reply_problem(r, STATUS_UNSUPPORTED_MEDIA,
                                 "Content-Type deve ser multipart/form-data com um boundary.");
    } else if (type.data) {
        memcpy(u->type, type.data, type.len);
    }
    if (!u->form && !*u->name)
        return reply_field(r, STATUS_BAD_REQUEST, "nome", "é obrigatório: ?nome=foto.jpg");
    return STATUS_OK;
}

static enum status check_coding(struct request *r)
{
    struct slice coding = r->headers[HEADER_CONTENT_ENCODING];
    if (!coding.data || (coding.len == 8 && strncasecmp(coding.data, "identity", 8) == 0))
        return STATUS_OK;
    return reply_problem(r, STATUS_UNSUPPORTED_MEDIA,
                         "Content-Encoding não é aceito: envie o corpo sem compressão.");
}

enum status upload_begin(struct request *r)
{
    struct app *app = r->loop->app;
    enum status st = check_coding(r);
    if (st != STATUS_OK)
        return st;
    if (!app->vault)
        return reply_problem(r, STATUS_NOT_CONFIGURED, "STORAGE_DIR não pode ser usado.");
    if (!offload_enter(app->offload))
        return reply_problem(r, STATUS_OVERLOADED,
                             "Arquivos demais ao mesmo tempo; tente de novo.");
    struct upload *u = upload_new(r);
    if (!u)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    r->upload = u;
    st = read_name(r, u);
    return st == STATUS_OK ? read_type(r, u) : st;
}

void upload_gone(struct upload *u)
{
    u->request = NULL;
    u->paused = false;
    if (!u->busy)
        upload_discard(u);
}

/* ---- for the handler ---- */

enum status upload_take(struct request *r, struct upload **ret)
{
    struct upload *u = r->upload;
    const char *why;
    if (u->form && u->form->state != MULTIPART_END)
        return reply_problem(r, STATUS_BAD_REQUEST, "O formulário não termina com o delimitador.");
    if (u->bytes == 0)
        return reply_problem(r, STATUS_BAD_REQUEST, "O arquivo está vazio.");
    if (!*u->name)
        return reply_field(r, STATUS_BAD_REQUEST, "nome",
                           "falta um nome de arquivo que se possa usar");
    enum status st = look_at_type(u, &why);
    if (st != STATUS_OK)
        return reply_problem(r, st, why);
    r->upload = NULL;
    u->request = NULL; /* it may outlive the request: its file is removed after the answer */
    *ret = u;
    return STATUS_OK;
}

static void write_rest(struct upload *u)
{
    if (u->n_gather == 0 || u->failed != STATUS_OK) {
        u->finished(u);
        return;
    }
    swap(u);
    upload_run(u, u->loop->app->offload, work_write, u->finished);
}

void upload_finish(struct upload *u, void (*after)(struct upload *u))
{
    u->finished = after;
    if (u->busy)
        u->after = write_rest;
    else
        write_rest(u);
}

/* ---- all of a loop ---- */

static int socket_of(const struct upload *u)
{
    return MHD_get_connection_info(u->request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

void uploads_tick(struct loop *loop, int64_t now_ms)
{
    for (struct upload *u = loop->uploads; u; u = u->newer) {
        if (!u->request || !u->request->connection || u->paused ||
            u->request->state != REQUEST_READING || now_ms - u->moved_ms < UPLOAD_SILENCE_MS)
            continue;
        u->moved_ms = now_ms;
        reply_raw(socket_of(u), STATUS_REQUEST_TIMEOUT, u->request->id);
        shutdown(socket_of(u), SHUT_RDWR);
    }
}

void uploads_resume(struct loop *loop)
{
    for (struct upload *u = loop->uploads; u; u = u->newer)
        resume(u);
}
