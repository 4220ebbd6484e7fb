/* store_auditoria: the audit log: who did what, to what, when, from where.
 *
 * What PostgreSQL itself does is noted in the same transaction, by the statement that does it
 * (sql/0011_operacao.sql: auditar); everything else beside it, by store_auditoria_note. A row never
 * holds a password, a token, or what a payload says of a person. */
#ifndef ALICERCE_STORE_AUDITORIA_H
#define ALICERCE_STORE_AUDITORIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"
#include "status.h"
#include "store_values.h"

#define AUDITORIA_ACOES(X)                                                                         \
    X(LOGIN, "login")                                                                              \
    X(LOGOUT, "logout")                                                                            \
    X(PASSWORD, "senha_mudada")                                                                    \
    X(ACCOUNT_CREATED, "conta_criada")                                                             \
    X(ACCOUNT_CHANGED, "conta_mudada")                                                             \
    X(ACCOUNT_REMOVED, "conta_removida")                                                           \
    X(POST_CREATED, "post_criado")                                                                 \
    X(POST_CHANGED, "post_mudado")                                                                 \
    X(POST_REMOVED, "post_removido")                                                               \
    X(REPLAYED, "entrega_reenviada")                                                               \
    X(REPLAYED_MANY, "entregas_reenviadas")                                                        \
    X(JOB_CREATED, "reenvio_criado")                                                               \
    X(JOB_CANCELLED, "reenvio_cancelado")                                                          \
    X(PAUSED, "fila_pausada")                                                                      \
    X(RESUMED, "fila_retomada")                                                                    \
    X(TEST_EVENT, "evento_de_teste")                                                               \
    X(BODY_READ, "corpo_lido")                                                                     \
    X(LEADS_EXPORTED, "leads_exportados")                                                          \
    X(FILE_STORED, "arquivo_enviado")                                                              \
    X(FILE_REMOVED, "arquivo_removido")

enum auditoria_acao {
#define X(name, text) AUDITORIA_##name,
    AUDITORIA_ACOES(X)
#undef X
        AUDITORIA_COUNT
};

/* "login". Static. */
const char *auditoria_acao_name(enum auditoria_acao acao);
bool auditoria_acao_known(const char *name);

enum { AUDITORIA_ADDRESS_MAX = 46, AUDITORIA_PAGE_MAX = 100 };

/* Who acts. */
struct auditoria_quem {
    int64_t id, desde;      /* account and generation of the token; id 0: the command line */
    const char *request_id; /* NULL for none */
    char endereco[AUDITORIA_ADDRESS_MAX]; /* the client's; "" for none */
};

/* For statements that note what they do: these are their first four parameters, of these types. */
#define AUDITORIA_TYPES PG_INT8, PG_INT8, PG_TEXT, PG_TEXT
#define AUDITORIA_QUEM  "auditoria_quem($1, $3, $4)" /* with the generation in $2 */
void store_auditoria_add(struct store_values *v, const struct auditoria_quem *quem);

/* Embedded in its owner, kept until done ran; done runs exactly once if and only if the call
 * returned STATUS_OK. STATUS_OK: committed. */
struct auditoria_ticket {
    void (*done)(struct auditoria_ticket *t, enum status st);
    enum status st; /* store's own */
};
/* One row, in a transaction of its own. alvo: "arquivo:…"; detalhe: a JSON object; NULL for none.
 */
enum status store_auditoria_note(struct pg *pg, const struct auditoria_quem *quem,
                                 enum auditoria_acao acao, const char *alvo, const char *detalhe,
                                 struct auditoria_ticket *t);

/* Zero or NULL is "any", times STORE_NO_TIME. */
struct auditoria_filter {
    int64_t ator_id;
    const char *ator, *acao;
    int64_t desde_us, ate_us;
    int64_t antes_us, antes_id; /* the page begins behind this row; antes_id 0: at the newest */
    int64_t limite;             /* up to AUDITORIA_PAGE_MAX + 1 */
};
/* Texts live during the call; data NULL for NULL. */
struct auditoria_registro {
    int64_t id, em_us, ator_id; /* ator_id 0: none */
    struct pg_text ator, papel, acao, alvo, detalhe, request_id, endereco;
};
struct auditoria_page {
    void (*registro)(struct auditoria_page *p, const struct auditoria_registro *row);
    void (*done)(struct auditoria_page *p, enum status st); /* last */
};
/* Newest first. */
enum status store_auditoria_page(struct pg *pg, const struct auditoria_filter *f,
                                 struct auditoria_page *p);

#endif
