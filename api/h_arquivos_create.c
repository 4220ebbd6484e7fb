/* h_arquivos_create: POST /api/arquivos, from the whole body on:
 *
 *     the rest is written → announced (arquivos_restos) → synced and named → kept (row and quota)
 *
 * Whoever dies on the way leaves a temporary file or an announced one, and the janitor removes
 * either. A row is written only of bytes that are safe. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account_call.h"
#include "audit.h"
#include "ev.h"
#include "file_json.h"
#include "log.h"
#include "loop.h"
#include "reply.h"
#include "upload.h"

enum { ROW_CAP = 8 * 1024 };

struct creation {
    struct file_change change;
    struct upload *upload;
    struct request *request;
    struct auditoria_quem who;
};

/* A step is done: the next one has the whole deadline again, or as long as it may take itself, if
 * that is more: then a second in which to tell what became of it. */
static bool goes_on(struct request *r, int64_t step_ms)
{
    enum { TELL_MS = 1000 };
    int64_t most = r->loop->config->request_timeout_ms;
    if (!account_call_waits(r))
        return false;
    if (step_ms && step_ms + TELL_MS > most)
        most = step_ms + TELL_MS;
    loop_unpark(r->loop, r);
    r->deadline_ms = ev_now_ms(r->loop->ev) + most;
    return loop_park(r->loop, r) == STATUS_PENDING;
}

static void refuse_failed(struct request *r, const struct upload *u)
{
    log_error("file_write", r->id, "%s", u->why);
    reply_problem(r, u->failed,
                  u->failed == STATUS_STORAGE_FULL ? "Não há mais espaço para arquivos."
                                                   : "O arquivo não pôde ser gravado.");
}

static void refuse_outcome(struct request *r, enum file_outcome outcome)
{
    if (outcome == FILE_ACTOR)
        auth_refuse_token(r, "O token foi revogado.");
    else if (outcome == FILE_FULL)
        reply_field(r, STATUS_STORAGE_FULL, "arquivo", "não cabe no limite de todos os arquivos");
    else
        reply_problem(r, STATUS_STORAGE_AWAY, "O arquivo demorou demais; nada foi guardado.");
}

/* ---- after the commit ---- */

static void answer_created(struct request *r, const struct file_row *row)
{
    struct buf b = buf_init(ROW_CAP);
    file_json(&b, row);
    reply_buf(r, STATUS_CREATED, REPLY_JSON, &b);
    buf_release(&b);
    r->reply.secret = true;
    snprintf(r->reply.location, sizeof r->reply.location, "/api/arquivos/%.32s", row->id.data);
}

static void on_removed(struct upload *u)
{
    if (u->removed) /* if not: the janitor */
        store_file_swept(u->loop->writes, (struct pg_text){u->id, FILE_ID_LEN});
    upload_free(u);
}

static void work_remove(struct offload_job *job)
{
    struct upload *u = (struct upload *)(void *)job;
    u->removed = vault_remove(u->loop->app->vault, u->id, u->why) == STATUS_OK;
}

static void on_stored(struct file_change *c, enum status st, enum file_outcome outcome,
                      const struct file_row *row)
{
    struct creation *call =
        (struct creation *)(void *)((char *)c - offsetof(struct creation, change));
    struct request *r = call->request;
    struct upload *u = call->upload;
    if (account_call_waits(r)) {
        if (row)
            answer_created(r, row);
        else if (st != STATUS_OK)
            account_call_refuse(r, st, true);
        else
            refuse_outcome(r, outcome);
    }
    if (st == STATUS_OK && outcome == FILE_FULL)
        upload_run(u, u->loop->app->stores, work_remove, on_removed);
    else
        upload_free(u); /* what may have been left is announced */
    account_call_end(r);
}

/* ---- to the store ---- */

static void work_keep(struct offload_job *job)
{
    struct upload *u = (struct upload *)(void *)job;
    struct vault_new f = {.id = u->id, .fd = u->fd, .size = u->bytes};
    sha256_end(u->hash, u->sha256);
    memcpy(f.sha256, u->sha256, sizeof f.sha256);
    u->failed = vault_keep(u->loop->app->vault, &f, u->why);
    if (u->failed != STATUS_OK)
        return;
    close(u->fd);
    u->fd = -1;
}

static void on_kept(struct upload *u)
{
    struct creation *call = u->owner;
    struct request *r = call->request;
    if (u->failed == STATUS_OK && goes_on(r, 0)) {
        struct file_new f = {.id = {u->id, FILE_ID_LEN},
                             .nome = {u->name, strlen(u->name)},
                             .tipo = {u->verdict.type, strlen(u->verdict.type)},
                             .bytes = u->bytes};
        memcpy(f.sha256, u->sha256, sizeof f.sha256);
        call->change.done = on_stored;
        if (store_file_keep(r->loop->writes, &call->who, &f, r->loop->config->arquivos_limite,
                            &call->change) == STATUS_OK)
            return;
        account_call_refuse(r, STATUS_DATABASE_AWAY, false);
    } else if (u->failed != STATUS_OK && account_call_waits(r)) {
        refuse_failed(r, u);
    }
    upload_discard(u); /* a name that it may have is announced */
    account_call_end(r);
}

static void on_announced(struct file_change *c, enum status st, enum file_outcome outcome,
                         const struct file_row *row)
{
    struct creation *call =
        (struct creation *)(void *)((char *)c - offsetof(struct creation, change));
    struct request *r = call->request;
    const struct app *app = r->loop->app;
    (void)row;
    if (st == STATUS_OK && outcome == FILE_OK &&
        goes_on(r, vault_keep_ms(app->vault, call->upload->bytes))) {
        upload_run(call->upload, app->stores, work_keep, on_kept);
        return;
    }
    if (account_call_waits(r)) {
        if (st != STATUS_OK)
            account_call_refuse(r, st, false);
        else
            refuse_outcome(r, outcome);
    }
    upload_discard(call->upload);
    account_call_end(r);
}

static void on_written(struct upload *u)
{
    struct creation *call = u->owner;
    struct request *r = call->request;
    if (goes_on(r, 0)) {
        if (u->failed != STATUS_OK) {
            refuse_failed(r, u);
        } else if (u->verdict.text && !file_text_good(&u->text)) {
            reply_problem(r, STATUS_UNSUPPORTED_MEDIA, "O conteúdo não é de nenhum tipo aceito.");
        } else {
            call->change.done = on_announced;
            if (store_file_announce(r->loop->writes, &call->who,
                                    (struct pg_text){u->id, FILE_ID_LEN}, u->bytes,
                                    r->loop->config->arquivos_limite, &call->change) == STATUS_OK)
                return;
            account_call_refuse(r, STATUS_DATABASE_AWAY, false);
        }
    }
    upload_discard(u);
    account_call_end(r);
}

enum status h_file_create(struct request *r)
{
    struct creation *call = arena_alloc(&r->arena, sizeof *call);
    if (!call || !r->upload) /* without a body of any length nothing began */
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call = (struct creation){.request = r, .who = audit_who(r)};
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    st = upload_take(r, &call->upload);
    if (st != STATUS_OK) {
        account_call_end(r);
        return STATUS_PENDING;
    }
    call->upload->owner = call;
    upload_finish(call->upload, on_written);
    return STATUS_PENDING;
}
