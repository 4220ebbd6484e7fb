/* store_posts: all SQL text of posts. Structs in, structs out; PGresult stays here.
 *
 * Every call takes a ticket that its owner embeds and keeps until done ran; done runs exactly once
 * if and only if the call returned STATUS_OK. Rows live during done only. */
#ifndef ALICERCE_STORE_POSTS_H
#define ALICERCE_STORE_POSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store_auditoria.h"

enum { POSTS_PAGE_MAX = 100 };

struct post {
    int64_t id;
    struct pg_text titulo, conteudo, autor;
    int64_t data_criacao_us;
};

/* Which page: newest first, ids below `before` (INT64_MAX for the first). */
struct posts_query {
    int64_t before;
    int64_t limit;        /* 1..POSTS_PAGE_MAX + 1 */
    struct pg_text autor; /* data NULL: any */
    struct pg_text busca; /* data NULL: none; websearch syntax, Portuguese */
};

struct posts_ticket {
    void (*done)(struct posts_ticket *t, enum status st, const struct post *rows, size_t n);
};

/* Prepared on the connections for reads and for writes. */
extern const struct pg_statement *const store_posts_reads[];
extern const struct pg_statement *const store_posts_writes[];

/* One page. With `busca` it is planned with its values: give it a connection of its own. */
enum status store_posts_page(struct pg *pg, const struct posts_query *q, struct posts_ticket *t);

/* The posts among n <= 1000 ids, each once and by id; missing ones are left out. */
enum status store_posts_by_ids(struct pg *pg, const int64_t *ids, size_t n, struct posts_ticket *t);

struct new_post {
    struct pg_text titulo, conteudo, autor;
};

struct posts_insert {
    /* ids in the order of the input; committed when st is STATUS_OK. */
    void (*done)(struct posts_insert *t, enum status st, const int64_t *ids, size_t n,
                 int64_t data_criacao_us);
    enum status st; /* the store's own from here */
    bool unsynced;  /* the sync could not be queued: the query's answer is the last */
    int64_t *ids;
    size_t n;
    int64_t data_criacao_us;
    char error[160]; /* the server's words, for the log; "" without any */
};

/* All or none, in a transaction of its own; n <= 1000. In done: STATUS_DATABASE_AWAY, the
 * connection was lost and the outcome is unknown; STATUS_INVALID, a row was refused for what it
 * holds. */
enum status store_posts_insert(struct pg *pg, const struct new_post *rows, size_t n,
                               struct posts_insert *t);

enum posts_once_outcome { POSTS_ONCE_NEW, POSTS_ONCE_AGAIN, POSTS_ONCE_OTHER, POSTS_ONCE_GONE };

struct posts_once {
    /* row is set for NEW and AGAIN. */
    void (*done)(struct posts_once *t, enum status st, enum posts_once_outcome outcome,
                 const struct post *row);
    const void *result; /* the store's own: held until the commit */
    enum status st;
    bool unsynced;
    char error[160];
};

/* The same under an Idempotency-Key (24 h): `digest` stands for the request's meaning. */
enum status store_posts_insert_once(struct pg *pg, struct pg_text key, const uint8_t digest[32],
                                    const struct new_post *row, struct posts_once *t);

/* One post with what tells whether it was changed since. */
struct posts_version {
    /* row NULL: no such post. version > 0. */
    void (*done)(struct posts_version *t, enum status st, const struct post *row, int64_t version);
};
enum status store_posts_version(struct pg *pg, int64_t id, struct posts_version *t);

enum posts_change_kind { POSTS_UPDATE, POSTS_DELETE };
enum posts_change_outcome {
    POSTS_CHANGE_DONE,
    POSTS_CHANGE_ABSENT, /* no such post, or not in this version any more */
    POSTS_CHANGE_ACTOR   /* the token of who asks counts no more */
};

struct posts_change {
    /* committed when st is STATUS_OK. row: as it is now (as it was, when it was deleted). */
    void (*done)(struct posts_change *t, enum status st, enum posts_change_outcome outcome,
                 const struct post *row);
    enum posts_change_kind kind;
    int64_t id, version; /* version 0: any */
    struct new_post row; /* data NULL: as it is */
    struct auditoria_quem actor;
    const void *result; /* the store's own from here: held until the commit */
    enum status st;
    bool unsynced;
    char error[160]; /* the server's words, for the log; "" without any */
};
/* In a transaction of its own, with its row in the audit log. */
enum status store_posts_change(struct pg *pg, struct posts_change *t);

struct posts_count {
    void (*done)(struct posts_count *t, enum status st, int64_t total);
};
/* How many posts there are: exact, at a cost that does not grow with the table. */
enum status store_posts_count(struct pg *pg, struct posts_count *t);

#endif
