/* h_posts_change: PUT, PATCH and DELETE of a post. Each change is a transaction of its own; after
 * the commits of a flight and before its answers the cached page is removed.
 *
 * With If-Match the post is read first, its tag compared, and the change made only if the row is
 * still the one that was read; if not, the comparison is made anew. So of two that saw the same tag
 * one is refused, however close they come. */
#include "handlers.h"

#include <string.h>

#include "audit.h"
#include "clearing.h"
#include "jsonget.h"
#include "log.h"
#include "loop.h"
#include "post_json.h"
#include "post_news.h"
#include "reply.h"
#include "store_posts.h"
#include "text.h"

enum { ROW_CAP = 8 << 20, TRIES_MAX = 5 };

enum outcome { NOT_SENT, CHANGED, ABSENT, MISMATCH, TOKEN_ENDED, CONTENDED, REFUSED };

struct change_call {
    struct posts_version version;
    struct posts_change change;
    struct request *request;
    struct slice if_match; /* data NULL: none, or "*" */
    unsigned tries;
    enum outcome outcome;
    enum status st; /* when it is REFUSED */
    bool maybe;     /* the outcome of a write is unknown */
    struct body *body;
    struct post told; /* to listeners; its texts in the arena */
};

#define CALL_OF(t, member)                                                                         \
    ((struct change_call *)(void *)((char *)(t)-offsetof(struct change_call, member)))

/* ---- the request ---- */

/* A merge patch (RFC 7396) may take away the author alone; a whole post needs the two others. */
static enum status read_body(struct request *r, bool whole, struct new_post *row)
{
    struct jsonget g;
    size_t title, content, author;
    static const char nobody[] = POST_NOBODY;
    enum status st = jsonget_parse(&g, r->body.data, r->body.len);
    if (st == STATUS_OK) {
        const char *titulo = jsonget_string(&g, "titulo", whole, 1, POST_TITLE_MAX, &title);
        const char *conteudo = jsonget_string(&g, "conteudo", whole, 1, POST_CONTENT_MAX, &content);
        const char *autor = jsonget_string(&g, "autor", false, 0, POST_AUTHOR_MAX, &author);
        if (!whole && jsonget_is_null(&g, "titulo"))
            jsonget_fail(&g, "titulo", "não pode ser removido");
        if (!whole && jsonget_is_null(&g, "conteudo"))
            jsonget_fail(&g, "conteudo", "não pode ser removido");
        if (author == 0 && (whole || autor || jsonget_is_null(&g, "autor"))) {
            autor = nobody;
            author = sizeof nobody - 1;
        }
        st = jsonget_finish(&g);
        row->titulo = (struct pg_text){titulo, title};
        row->conteudo = (struct pg_text){conteudo, content};
        row->autor = (struct pg_text){autor, author};
    }
    return st == STATUS_OK ? st : reply_jsonget(r, st, &g);
}

/* In the arena: the answer of a server may come when the client has gone. */
static enum status read_condition(struct request *r, struct slice *ret)
{
    struct slice given = r->headers[HEADER_IF_MATCH];
    if (!given.data || (given.len == 1 && *given.data == '*'))
        return STATUS_OK;
    const char *copy = arena_copy(&r->arena, given.data, given.len);
    if (!copy)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *ret = (struct slice){copy, given.len};
    return STATUS_OK;
}

/* Makes the call, as r->data. */
static enum status begin(struct request *r, enum posts_change_kind kind)
{
    struct change_call *call = arena_alloc(&r->arena, sizeof *call);
    if (!call)
        return reply_problem(r, STATUS_OVERLOADED, NULL);
    *call = (struct change_call){.request = r, .change.kind = kind, .st = STATUS_DATABASE_AWAY};
    r->data = call;
    if (!text_int(r->path_param.data, r->path_param.len, 1, INT64_MAX, &call->change.id))
        return reply_field(r, STATUS_BAD_REQUEST, "id", "deve ser um número inteiro positivo");
    call->change.actor = audit_who(r);
    return read_condition(r, &call->if_match);
}

static enum status update(struct request *r, bool whole)
{
    enum status st = begin(r, POSTS_UPDATE);
    if (st == STATUS_OK)
        st = read_body(r, whole, &((struct change_call *)r->data)->change.row);
    return st == STATUS_OK ? batch_join(r, BATCH_CHANGE) : st;
}

enum status h_posts_replace(struct request *r)
{
    return update(r, true);
}

enum status h_posts_patch(struct request *r)
{
    return update(r, false);
}

enum status h_posts_remove(struct request *r)
{
    enum status st = begin(r, POSTS_DELETE);
    return st == STATUS_OK ? batch_join(r, BATCH_CHANGE) : st;
}

/* ---- the condition ---- */

/* Strong comparison over a list of tags (RFC 9110 sections 8.8.3.2, 13.1.1); a tag of ours has
 * neither commas nor quotes within. */
static bool matches(struct slice list, const char *etag)
{
    const char *at = list.data, *end = list.data + list.len;
    size_t n = strlen(etag);
    while ((at = memmem(at, (size_t)(end - at), etag, n))) {
        bool weak = at - list.data >= 2 && at[-1] == '/' && at[-2] == 'W';
        if (!weak)
            return true;
        at += n;
    }
    return false;
}

static struct body *render(const struct post *p)
{
    struct buf text = buf_init(ROW_CAP);
    post_json(&text, p);
    struct body *body = buf_failed(&text) ? NULL : body_new(text.data, text.len);
    buf_release(&text);
    return body;
}

static bool condition_holds(const struct change_call *call, const struct post *row)
{
    struct body *body = render(row);
    bool holds = body && matches(call->if_match, body_tag(body));
    body_unref(body);
    return holds;
}

/* ---- reading and writing ---- */

static void refuse(struct change_call *call, enum status st)
{
    call->outcome = REFUSED;
    call->st = st;
}

static void start(struct change_call *call);

/* For the answer and the listeners. Of a removed one its id is all that is told, and of one without
 * memory. */
static void keep_row(struct change_call *call, const struct post *row)
{
    struct arena *arena = &call->request->arena;
    call->told = (struct post){.id = row->id};
    if (call->change.kind == POSTS_DELETE)
        return;
    call->body = render(row);
    const char *titulo = arena_copy(arena, row->titulo.data, row->titulo.len);
    const char *autor = arena_copy(arena, row->autor.data, row->autor.len);
    if (titulo && autor)
        call->told = (struct post){.id = row->id,
                                   .titulo = {titulo, row->titulo.len},
                                   .autor = {autor, row->autor.len},
                                   .data_criacao_us = row->data_criacao_us};
}

static void on_changed(struct posts_change *t, enum status st, enum posts_change_outcome outcome,
                       const struct post *row)
{
    struct change_call *call = CALL_OF(t, change);
    if (*t->error)
        log_error("post_refused", call->request->id, "%s", t->error);
    call->maybe = st == STATUS_DATABASE_AWAY;
    if (st != STATUS_OK)
        refuse(call, st);
    else if (outcome == POSTS_CHANGE_ACTOR)
        call->outcome = TOKEN_ENDED;
    else if (outcome == POSTS_CHANGE_DONE)
        call->outcome = CHANGED;
    else if (!call->if_match.data)
        call->outcome = ABSENT;
    else
        start(call); /* changed or gone since it was read */
    if (st == STATUS_OK && row)
        keep_row(call, row);
    batch_back(call->request->batch);
}

static void write_change(struct change_call *call)
{
    struct batch *b = call->request->batch;
    call->change.done = on_changed;
    enum status st = store_posts_change(b->loop->writes, &call->change);
    b->outstanding += st == STATUS_OK;
    if (st != STATUS_OK)
        refuse(call, st);
}

static void on_version(struct posts_version *t, enum status st, const struct post *row,
                       int64_t version)
{
    struct change_call *call = CALL_OF(t, version);
    call->change.version = version;
    if (st != STATUS_OK)
        refuse(call, st);
    else if (!row)
        call->outcome = ABSENT;
    else if (!condition_holds(call, row))
        call->outcome = MISMATCH;
    else
        write_change(call);
    batch_back(call->request->batch);
}

static void start(struct change_call *call)
{
    struct batch *b = call->request->batch;
    if (!call->if_match.data) {
        write_change(call);
        return;
    }
    if (call->tries++ == TRIES_MAX) {
        call->outcome = CONTENDED;
        return;
    }
    call->version.done = on_version;
    enum status st = store_posts_version(b->loop->reads, call->change.id, &call->version);
    b->outstanding += st == STATUS_OK;
    if (st != STATUS_OK)
        refuse(call, st);
}

static void send(struct batch *b)
{
    clearing_init(b->data, b);
    for (struct request *r = b->flying; r; r = r->batch_next) {
        r->batch = b;
        start(r->data);
    }
}

/* ---- after the commits ---- */

static enum status answer_changed(struct request *r, struct change_call *call)
{
    if (call->change.kind == POSTS_DELETE)
        return reply_constant(r, STATUS_NO_CONTENT, NULL, "", 0);
    return reply_tagged(r, call->body, (struct slice){NULL, 0});
}

static enum status answer_refused(struct request *r, const struct change_call *call)
{
    if (call->maybe)
        return reply_problem(r, STATUS_OUTCOME_UNKNOWN,
                             "O banco de dados não confirmou a gravação: confira antes de "
                             "repetir.");
    if (call->st == STATUS_INVALID)
        return reply_problem(r, STATUS_INVALID, "O banco de dados recusou esta mudança.");
    if (call->st == STATUS_DEADLINE)
        return reply_problem(r, STATUS_DEADLINE,
                             "O banco de dados não gravou a tempo; nada foi gravado.");
    return reply_problem(r, STATUS_DATABASE_AWAY, "O banco de dados não pôde gravar.");
}

static void answer(struct request *r, struct change_call *call)
{
    switch (call->outcome) {
    case CHANGED:
        answer_changed(r, call);
        break;
    case ABSENT:
        reply_problem(r, STATUS_NOT_FOUND, "Não há post com este id.");
        break;
    case MISMATCH:
        reply_problem(r, STATUS_PRECONDITION_FAILED,
                      "O post não é mais o que If-Match diz: leia-o de novo.");
        break;
    case TOKEN_ENDED:
        auth_refuse_token(r, "O token foi revogado.");
        break;
    case CONTENDED:
        reply_problem(r, STATUS_OVERLOADED, "O post está sendo mudado por muitos ao mesmo tempo.");
        break;
    default:
        answer_refused(r, call);
    }
    request_answer(r);
}

static void tell(struct batch *b, const struct change_call *call)
{
    bool removed = call->change.kind == POSTS_DELETE;
    if (call->outcome == CHANGED)
        post_news_add(&b->loop->news, removed ? "removido" : "mudado", &call->told);
}

static void answer_all(struct batch *b)
{
    for (struct request *r = b->flying; r; r = r->batch_next) {
        struct change_call *call = r->data;
        tell(b, call);
        if (r->state != REQUEST_ANSWERED && r->connection)
            answer(r, call);
        body_unref(call->body);
        call->body = NULL;
    }
    post_news_send(b->loop);
}

static bool any_written(const struct batch *b)
{
    for (const struct request *r = b->flying; r; r = r->batch_next) {
        const struct change_call *call = r->data;
        if (call->outcome == CHANGED || call->maybe)
            return true;
    }
    return false;
}

static void landed(struct batch *b)
{
    if (clearing_landed(b->data, any_written(b)))
        answer_all(b);
}

static void tick(struct batch *b, int64_t now_ms)
{
    (void)now_ms;
    clearing_tick(b->data);
}

const struct batch_type batch_change = {.name = "change",
                                        .data_size = sizeof(struct clearing),
                                        .send = send,
                                        .landed = landed,
                                        .tick = tick};
