/* h_posts_create: new posts. A flight is one INSERT; when that fails each row goes again on its
 * own, so that one bad row hurts nobody else. Rows with an Idempotency-Key go one by one, each a
 * transaction. After the commit and before the answers the cached page is removed. */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "clearing.h"
#include "hmac.h"
#include "jsonget.h"
#include "log.h"
#include "loop.h"
#include "post_json.h"
#include "reply.h"
#include "store_posts.h"

enum { KEY_MAX = 255, ROW_CAP = 8 << 20 };

#define NOT_SENT (-1) /* as an id: nothing can have been written */

struct create_call {
    union {
        struct posts_insert insert; /* alone, after the flight's INSERT failed */
        struct posts_once once;     /* with a key */
    };
    struct request *request;
    struct new_post row; /* texts in the request's body, decoded in place */
    struct pg_text key;  /* data NULL: none */
    uint8_t digest[SHA256_LEN];
    enum status st;
    int64_t id; /* NOT_SENT; 0 while the outcome is open */
    int64_t data_criacao_us;
    struct auditoria_quem *who; /* with POSTS_WRITE=token */
    struct body *again;         /* the answer that the key got before */
    bool key_taken;             /* by another content */
};

struct create_flight {
    struct posts_insert insert;
    struct clearing clearing;
    struct batch *batch;
    struct request **members; /* of the one INSERT, in its order */
};

#define CALL_OF(t, member)                                                                         \
    ((struct create_call *)(void *)((char *)(t)-offsetof(struct create_call, member)))
#define FLIGHT_OF(t, member)                                                                       \
    ((struct create_flight *)(void *)((char *)(t)-offsetof(struct create_flight, member)))

/* ---- the request ---- */

static enum status read_body(struct request *r, struct new_post *row)
{
    struct jsonget g;
    size_t title, content, author;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st == STATUS_OK) {
        const char *titulo = jsonget_string(&g, "titulo", true, 1, POST_TITLE_MAX, &title);
        const char *conteudo = jsonget_string(&g, "conteudo", true, 1, POST_CONTENT_MAX, &content);
        const char *autor = jsonget_string(&g, "autor", false, 0, POST_AUTHOR_MAX, &author);
        st = jsonget_finish(&g);
        static const char nobody[] = POST_NOBODY;
        row->titulo = (struct pg_text){titulo, title};
        row->conteudo = (struct pg_text){conteudo, content};
        row->autor =
            author ? (struct pg_text){autor, author} : (struct pg_text){nobody, sizeof nobody - 1};
    }
    return st == STATUS_OK ? st : reply_jsonget(r, st, &g);
}

/* What makes two requests the same: the texts, each with its length. */
static void digest_of(const struct new_post *row, uint8_t out[SHA256_LEN])
{
    uint8_t parts[3][SHA256_LEN];
    sha256(row->titulo.data, row->titulo.len, parts[0]);
    sha256(row->conteudo.data, row->conteudo.len, parts[1]);
    sha256(row->autor.data, row->autor.len, parts[2]);
    sha256(parts, sizeof parts, out);
}

/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): 1..255 visible ASCII characters. */
static enum status read_key(struct request *r, struct create_call *call)
{
    struct slice key = r->headers[HEADER_IDEMPOTENCY_KEY];
    if (!key.data)
        return STATUS_OK;
    bool ok = key.len >= 1 && key.len <= KEY_MAX;
    for (size_t i = 0; ok && i < key.len; i++)
        ok = key.data[i] > ' ' && key.data[i] < 0x7f;
    if (!ok)
        return reply_field(r, STATUS_BAD_REQUEST, "Idempotency-Key",
                           "deve ter de 1 a %d caracteres ASCII visíveis", KEY_MAX);
    const char *copy = arena_copy(&r->arena, key.data, key.len);
    if (!copy)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    call->key = (struct pg_text){copy, key.len};
    digest_of(&call->row, call->digest);
    return STATUS_OK;
}

static enum status read_who(struct request *r, struct create_call *call)
{
    call->who = arena_alloc(&r->arena, sizeof *call->who);
    if (!call->who)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call->who = audit_who(r);
    return STATUS_OK;
}

enum status h_posts_create(struct request *r)
{
    struct create_call *call = arena_alloc(&r->arena, sizeof *call);
    if (!call)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call = (struct create_call){.request = r, .st = STATUS_DATABASE_AWAY, .id = NOT_SENT};
    r->data = call;
    enum status st = read_body(r, &call->row);
    if (st == STATUS_OK)
        st = read_key(r, call);
    if (st == STATUS_OK && r->auth)
        st = read_who(r, call);
    return st == STATUS_OK ? batch_join(r, BATCH_CREATE) : st;
}

/* ---- writing ---- */

static void on_alone(struct posts_insert *t, enum status st, const int64_t *ids, size_t n,
                     int64_t data_criacao_us)
{
    struct create_call *call = CALL_OF(t, insert);
    if (*t->error)
        log_error("post_refused", call->request->id, "%s", t->error);
    call->st = st;
    call->id = n ? ids[0] : 0;
    call->data_criacao_us = data_criacao_us;
    batch_back(call->request->batch);
}

static void send_alone(struct batch *b, struct create_call *call)
{
    call->insert.done = on_alone;
    call->request->batch = b;
    if (store_posts_insert(b->loop->writes, &call->row, 1, &call->insert) == STATUS_OK)
        b->outstanding++;
}

static void on_inserted(struct posts_insert *t, enum status st, const int64_t *ids, size_t n,
                        int64_t data_criacao_us)
{
    struct create_flight *f = FLIGHT_OF(t, insert);
    bool apart = st == STATUS_INVALID || st == STATUS_INTERNAL || st == STATUS_CONFLICT;
    if (*t->error && !apart) /* else each row says it for itself */
        log_error("post_refused", NULL, "%s", t->error);
    for (size_t i = 0; i < n; i++) {
        struct create_call *call = f->members[i]->data;
        call->st = apart ? STATUS_DATABASE_AWAY : st;
        call->id = apart ? NOT_SENT : ids[i];
        call->data_criacao_us = data_criacao_us;
        if (apart)
            send_alone(f->batch, call);
    }
    free(f->members);
    f->members = NULL;
    batch_back(f->batch);
}

static struct body *render(const struct post *p)
{
    struct buf text = buf_init(ROW_CAP);
    post_json(&text, p);
    struct body *body = buf_failed(&text) ? NULL : body_new(text.data, text.len);
    buf_release(&text);
    return body;
}

static void on_once(struct posts_once *t, enum status st, enum posts_once_outcome outcome,
                    const struct post *row)
{
    struct create_call *call = CALL_OF(t, once);
    call->st = st;
    call->id = 0;
    if (*t->error)
        log_error("post_refused", call->request->id, "%s", t->error);
    if (st == STATUS_OK && row) {
        call->id = row->id;
        call->data_criacao_us = row->data_criacao_us;
        call->again = outcome == POSTS_ONCE_AGAIN ? render(row) : NULL;
    } else if (st == STATUS_OK) {
        call->key_taken = outcome == POSTS_ONCE_OTHER;
        call->st = call->key_taken ? STATUS_INVALID : STATUS_CONFLICT;
    }
    batch_back(call->request->batch);
}

static void send_keyed(struct batch *b, struct create_call *call)
{
    call->once.done = on_once;
    call->request->batch = b;
    if (store_posts_insert_once(b->loop->writes, call->key, call->digest, &call->row,
                                &call->once) == STATUS_OK)
        b->outstanding++;
}

static void send_rows(struct create_flight *f, const struct new_post *rows, size_t n)
{
    struct batch *b = f->batch;
    if (n && store_posts_insert(b->loop->writes, rows, n, &f->insert) == STATUS_OK) {
        b->outstanding++;
        return;
    }
    free(f->members);
    f->members = NULL;
}

static void send(struct batch *b)
{
    struct create_flight *f = b->data;
    *f = (struct create_flight){.insert.done = on_inserted, .batch = b};
    clearing_init(&f->clearing, b);
    struct new_post *rows = calloc(b->n_flying, sizeof *rows);
    f->members = calloc(b->n_flying, sizeof(struct request *));
    size_t n = 0;
    if (!rows || !f->members) {
        free(rows);
        free(f->members);
        batch_refuse(b, STATUS_OVERLOADED, NULL);
        return;
    }
    for (struct request *r = b->flying; r; r = r->batch_next) {
        struct create_call *call = r->data;
        if (call->key.data) {
            send_keyed(b, call);
        } else {
            rows[n] = call->row;
            f->members[n++] = r;
        }
    }
    send_rows(f, rows, n);
    free(rows);
}

/* ---- after the commit ---- */

static void answer_created(struct request *r, struct create_call *call)
{
    struct post p = {call->id, call->row.titulo, call->row.conteudo, call->row.autor,
                     call->data_criacao_us};
    struct body *body = call->again ? call->again : render(&p);
    reply_body(r, STATUS_CREATED, REPLY_JSON, body);
    snprintf(r->reply.location, sizeof r->reply.location, "/api/posts/%lld", (long long)call->id);
    r->reply.replayed = call->again != NULL;
    body_unref(body);
}

static void answer_refused(struct request *r, const struct create_call *call)
{
    if (call->key_taken)
        reply_field(r, STATUS_INVALID, "Idempotency-Key",
                    "esta chave já foi usada com outro conteúdo");
    else if (call->st == STATUS_INVALID)
        reply_problem(r, STATUS_INVALID, "O banco de dados recusou este post.");
    else if (call->st == STATUS_INTERNAL)
        reply_problem(r, STATUS_DATABASE_AWAY, "O banco de dados não pôde gravar.");
    else if (call->st == STATUS_CONFLICT && call->key.data)
        reply_problem(r, STATUS_CONFLICT, "O post criado com esta chave já foi removido.");
    else if (call->st == STATUS_DEADLINE)
        reply_problem(r, STATUS_DEADLINE, "O banco de dados não gravou a tempo; nada foi gravado.");
    else if (call->id == NOT_SENT)
        reply_problem(r, STATUS_DATABASE_AWAY, "O banco de dados não está ao alcance.");
    else
        reply_problem(r, STATUS_OUTCOME_UNKNOWN,
                      "O banco de dados não confirmou a gravação: confira antes de repetir, ou "
                      "repita com a mesma Idempotency-Key.");
}

static void answer_all(struct batch *b)
{
    for (struct request *r = b->flying; r; r = r->batch_next) {
        struct create_call *call = r->data;
        if (r->state != REQUEST_ANSWERED && r->connection) {
            if (call->st == STATUS_OK)
                answer_created(r, call);
            else
                answer_refused(r, call);
            request_answer(r);
        } else {
            body_unref(call->again);
        }
    }
}

static bool any_written(const struct batch *b)
{
    for (const struct request *r = b->flying; r; r = r->batch_next) {
        const struct create_call *call = r->data;
        if (call->st == STATUS_OK || (call->st == STATUS_DATABASE_AWAY && call->id != NOT_SENT))
            return true;
    }
    return false;
}

static void note(const struct request *r, const struct create_call *call)
{
    char target[32];
    snprintf(target, sizeof target, "post:%lld", (long long)call->id);
    audit_note(r, call->who, AUDITORIA_POST_CREATED, target, NULL);
}

/* Behind the removal of the cached page: who hears of a post finds it there. */
static void tell(struct batch *b)
{
    for (struct request *r = b->flying; r; r = r->batch_next) {
        const struct create_call *call = r->data;
        struct post p = {.id = call->id,
                         .titulo = call->row.titulo,
                         .autor = call->row.autor,
                         .data_criacao_us = call->data_criacao_us};
        if (call->st != STATUS_OK || call->again)
            continue;
        post_news_add(&b->loop->news, "criado", &p);
        if (call->who)
            note(r, call);
    }
    post_news_send(b->loop);
}

static void landed(struct batch *b)
{
    struct create_flight *f = b->data;
    bool first = f->clearing.stage == CLEARING_NOT_BEGUN;
    bool cleared = clearing_landed(&f->clearing, any_written(b));
    if (first)
        tell(b);
    if (cleared)
        answer_all(b);
}

static void tick(struct batch *b, int64_t now_ms)
{
    (void)now_ms;
    clearing_tick(&((struct create_flight *)b->data)->clearing);
}

const struct batch_type batch_create = {.name = "create",
                                        .data_size = sizeof(struct create_flight),
                                        .send = send,
                                        .landed = landed,
                                        .tick = tick};
