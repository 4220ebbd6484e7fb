/* store_usuarios: all SQL text of accounts. Structs in, structs out. Every call takes a ticket as
 * in store_posts; rows live during done only.
 *
 * Who changes an account names itself with the generation of its token: the statement that changes
 * also asks whether that still counts, so neither a lost Redis nor a race lets an old one pass. It
 * writes the row of the audit log, too. */
#ifndef ALICERCE_STORE_USUARIOS_H
#define ALICERCE_STORE_USUARIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "pg.h"
#include "status.h"
#include "store_auditoria.h"

enum { USUARIOS_PAGE_MAX = 100 };

struct usuario {
    int64_t id;
    struct pg_text nome, email;
    enum account_role papel;
    bool ativo;
    int64_t tokens_desde, criado_em_us;
    struct pg_text senha; /* the hash; of store_usuarios_by_email and _secret alone */
};

extern const struct pg_statement *const store_usuarios_statements[];

struct usuarios_ticket {
    void (*done)(struct usuarios_ticket *t, enum status st, const struct usuario *rows, size_t n);
};
/* None or one. email: folded. */
enum status store_usuarios_by_email(struct pg *pg, struct pg_text email, struct usuarios_ticket *t);
enum status store_usuarios_by_id(struct pg *pg, int64_t id, struct usuarios_ticket *t);
/* Those that there are, by id. */
enum status store_usuarios_by_ids(struct pg *pg, const int64_t *ids, size_t n,
                                  struct usuarios_ticket *t);
enum status store_usuarios_secret(struct pg *pg, int64_t id, struct usuarios_ticket *t);
/* By id, those above `after`; limit <= USUARIOS_PAGE_MAX + 1. */
enum status store_usuarios_page(struct pg *pg, int64_t after, int64_t limit,
                                struct usuarios_ticket *t);

enum usuario_outcome {
    USUARIO_OK,
    USUARIO_ACTOR,     /* the token of who asks counts no more */
    USUARIO_ABSENT,    /* no such account */
    USUARIO_TAKEN,     /* the address is another account's */
    USUARIO_LAST_ADMIN /* no active administrator would be left */
};

struct usuario_change {
    /* committed when st is STATUS_OK. row: the account as it is now (as it was, when it was
     * removed); NULL for every outcome but USUARIO_OK. */
    void (*done)(struct usuario_change *t, enum status st, enum usuario_outcome outcome,
                 const struct usuario *row);
    const void *result; /* the store's own: held until the commit */
    enum status st;
    bool unsynced;
};

enum status store_usuarios_create(struct pg *pg, const struct auditoria_quem *actor,
                                  struct pg_text nome, struct pg_text email,
                                  enum account_role papel, const char *senha,
                                  struct usuario_change *t);

struct usuario_fields {
    bool own;            /* one's own password, by one's own wish: for the audit log */
    struct pg_text nome; /* data NULL: as it is */
    const enum account_role *papel;
    const char *senha;
    const bool *ativo;
};
enum status store_usuarios_change(struct pg *pg, const struct auditoria_quem *actor, int64_t id,
                                  const struct usuario_fields *f, struct usuario_change *t);
enum status store_usuarios_remove(struct pg *pg, const struct auditoria_quem *actor, int64_t id,
                                  struct usuario_change *t);

/* The first account, if there is none: connects, waits, disconnects; for the start of the program.
 * hash is called only when there is none. STATUS_OK with *ret_made, STATUS_DATABASE_AWAY (again
 * later), STATUS_INTERNAL with ret_message. */
enum status store_usuarios_first(const char *conninfo, const char *nome, const char *email,
                                 bool (*hash)(void *ctx, char *ret, size_t size), void *ctx,
                                 bool *ret_made, char ret_message[256]);

#endif
