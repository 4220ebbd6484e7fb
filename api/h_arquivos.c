/* h_arquivos: the list of files, and the removal of one. */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_call.h"
#include "audit.h"
#include "file_json.h"
#include "jsonput.h"
#include "log.h"
#include "loop.h"
#include "offload.h"
#include "reply.h"
#include "store_file.h"
#include "text.h"
#include "vault.h"

enum { LIMIT_DEFAULT = 50, PAGE_CAP = 512 * 1024 };

#define CURSOR_ORDER "a1."

struct page {
    struct file_query rows;
    struct request *request;
    int64_t limit;
};

/* "a1.TIME.ID" */
static bool decode_cursor(struct slice s, int64_t *ret_us, char id[FILE_ID_LEN + 1])
{
    uint8_t plain[80];
    size_t n, order = sizeof CURSOR_ORDER - 1;
    if (!text_unbase64url(s.data, s.len, plain, sizeof plain, &n) || n < order + FILE_ID_LEN + 2 ||
        memcmp(plain, CURSOR_ORDER, order) != 0 || plain[n - FILE_ID_LEN - 1] != '.')
        return false;
    memcpy(id, plain + n - FILE_ID_LEN, FILE_ID_LEN);
    id[FILE_ID_LEN] = '\0';
    return strspn(id, "0123456789abcdef") == FILE_ID_LEN &&
           text_int((const char *)plain + order, n - order - FILE_ID_LEN - 1, 0, 253370764800000000,
                    ret_us);
}

static void put_cursor(struct buf *b, const struct file_row *f)
{
    char plain[80], coded[120];
    int n = snprintf(plain, sizeof plain, CURSOR_ORDER "%lld.%.32s", (long long)f->criado_us,
                     f->id.data);
    jsonput_string(b, coded, text_base64url((const uint8_t *)plain, (size_t)n, coded));
}

static void answer_page(struct request *r, const struct file_row *rows, size_t n, size_t limit,
                        int64_t used)
{
    struct buf b = buf_init(PAGE_CAP);
    buf_lit(&b, "{\"arquivos\":[");
    for (size_t i = 0; i < n && i < limit; i++) {
        if (i)
            buf_char(&b, ',');
        file_json(&b, &rows[i]);
    }
    buf_lit(&b, "],\"proximo\":");
    if (n > limit)
        put_cursor(&b, &rows[limit - 1]);
    else
        buf_lit(&b, "null");
    buf_printf(&b, ",\"uso\":{\"bytes\":%lld,\"limite\":%lld}}", (long long)used,
               (long long)r->loop->config->arquivos_limite);
    reply_buf(r, STATUS_OK, REPLY_JSON, &b);
    r->reply.secret = true;
    buf_release(&b);
}

static void on_page(struct file_query *q, enum status st, const struct file_row *rows, size_t n,
                    int64_t used)
{
    struct page *page = (struct page *)(void *)q;
    struct request *r = page->request;
    if (account_call_waits(r)) {
        if (st == STATUS_OK)
            answer_page(r, rows, n, (size_t)page->limit, used);
        else
            account_call_refuse(r, st, false);
    }
    account_call_end(r);
}

enum status h_files(struct request *r)
{
    struct slice limit = request_param(r, "limite"), cursor = request_param(r, "cursor");
    struct page *page = arena_alloc(&r->arena, sizeof *page);
    char id[FILE_ID_LEN + 1];
    int64_t before = 0;
    if (!page)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *page = (struct page){{on_page}, r, LIMIT_DEFAULT};
    if (limit.data && !text_int(limit.data, limit.len, 1, FILE_PAGE_MAX, &page->limit))
        return reply_field(r, STATUS_BAD_REQUEST, "limite", "deve ser um número de 1 a %d",
                           FILE_PAGE_MAX);
    if (cursor.data && !decode_cursor(cursor, &before, id))
        return reply_field(r, STATUS_BAD_REQUEST, "cursor",
                           "não é um cursor devolvido por esta rota");
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    struct pg_text behind = {cursor.data ? id : NULL, FILE_ID_LEN};
    return account_call_sent(
        r, store_file_page(r->loop->reads, before, behind, page->limit + 1, &page->rows));
}

/* ---- remove ---- */

/* The bytes, once the row is gone; the answer does not wait for it. */
struct bytes_removal {
    struct offload_job job;
    struct loop *loop;
    char id[FILE_ID_LEN + 1], why[VAULT_WHY];
    bool gone;
};

static void work_remove(struct offload_job *job)
{
    struct bytes_removal *rm = (struct bytes_removal *)(void *)job;
    rm->gone = vault_remove(rm->loop->app->vault, rm->id, rm->why) == STATUS_OK;
}

static void on_bytes_removed(struct offload_job *job)
{
    struct bytes_removal *rm = (struct bytes_removal *)(void *)job;
    if (rm->gone)
        store_file_swept(rm->loop->writes, (struct pg_text){rm->id, FILE_ID_LEN});
    else
        log_warn("file_left", NULL, "%s: %s; it is tried again", rm->id, rm->why);
    offload_leave(rm->loop->app->offload);
    free(rm);
}

/* Without a seat or memory the janitor does it. */
static void remove_bytes(struct loop *loop, const char *id)
{
    if (!loop->app->vault || !offload_enter(loop->app->offload))
        return;
    struct bytes_removal *rm = malloc(sizeof *rm);
    if (!rm) {
        offload_leave(loop->app->offload);
        return;
    }
    *rm = (struct bytes_removal){
        .job = {.ev = loop->ev, .work = work_remove, .done = on_bytes_removed}, .loop = loop};
    memcpy(rm->id, id, FILE_ID_LEN);
    offload_submit(loop->app->stores, &rm->job);
}

struct removal {
    struct file_change change;
    struct request *request;
    char id[FILE_ID_LEN + 1];
};

static void on_removed(struct file_change *c, enum status st, enum file_outcome outcome,
                       const struct file_row *row)
{
    struct removal *rm = (struct removal *)(void *)c;
    struct request *r = rm->request;
    (void)row;
    if (st == STATUS_OK && outcome == FILE_OK)
        remove_bytes(r->loop, rm->id);
    if (account_call_waits(r)) {
        if (st != STATUS_OK)
            account_call_refuse(r, st, true);
        else if (outcome == FILE_OK)
            reply_constant(r, STATUS_NO_CONTENT, NULL, "", 0);
        else if (outcome == FILE_ACTOR)
            auth_refuse_token(r, "O token foi revogado.");
        else
            reply_problem(r, STATUS_NOT_FOUND, "Não há arquivo com este id.");
    }
    account_call_end(r);
}

enum status h_file_remove(struct request *r)
{
    struct removal *rm = arena_alloc(&r->arena, sizeof *rm);
    if (!rm)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *rm = (struct removal){.change.done = on_removed, .request = r};
    if (r->path_param.len != FILE_ID_LEN)
        return reply_problem(r, STATUS_NOT_FOUND, "Não há arquivo com este id.");
    memcpy(rm->id, r->path_param.data, FILE_ID_LEN);
    enum status st = account_call_begin(r);
    if (st != STATUS_PENDING)
        return st;
    struct auditoria_quem who = audit_who(r);
    st = store_file_remove(r->loop->writes, &who, (struct pg_text){rm->id, FILE_ID_LEN},
                           &rm->change);
    return account_call_sent(r, st);
}
