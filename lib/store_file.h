/* store_file: all SQL of the files that operators keep (table arquivos; store_arquivo is the
 * archive of deliveries). The bytes lie elsewhere. */
#ifndef ALICERCE_STORE_FILE_H
#define ALICERCE_STORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "hmac.h"
#include "pg.h"
#include "status.h"
#include "store_auditoria.h"

enum { FILE_ID_LEN = 32, FILE_PAGE_MAX = 100, FILE_SWEEP_MAX = 50 };

/* Texts live during the call. */
struct file_row {
    struct pg_text id, nome, tipo, sha256, criado_por;
    int64_t bytes, criado_us;
};

/* Embedded in its owner until done ran. */
struct file_query {
    /* n rows of a page, or one; usado: what all files take (page only). */
    void (*done)(struct file_query *q, enum status st, const struct file_row *rows, size_t n,
                 int64_t usado);
};

enum status store_file_by_id(struct pg *pg, struct pg_text id, struct file_query *q);
/* Newest first; behind (antes_us, antes_id) when that has data. */
enum status store_file_page(struct pg *pg, int64_t antes_us, struct pg_text antes_id,
                            int64_t limite, struct file_query *q);

enum file_outcome { FILE_OK, FILE_ACTOR, FILE_FULL, FILE_LATE, FILE_ABSENT };

struct file_change {
    /* Committed when st is STATUS_OK. row: of store_file_keep that went well, else NULL. */
    void (*done)(struct file_change *c, enum status st, enum file_outcome outcome,
                 const struct file_row *row);
    enum status st; /* from here store's own */
    enum file_outcome outcome;
    const void *result; /* a copy that is held until the commit */
};

struct file_new {
    struct pg_text id, nome, tipo;
    int64_t bytes;
    uint8_t sha256[SHA256_LEN];
};

/* Those of quem that ask: an account whose token counts no more changes nothing. What is kept or
 * removed is in the audit log by the same commit. */
enum status store_file_announce(struct pg *pg, const struct auditoria_quem *quem, struct pg_text id,
                                int64_t bytes, int64_t limite, struct file_change *c);
enum status store_file_keep(struct pg *pg, const struct auditoria_quem *quem,
                            const struct file_new *f, int64_t limite, struct file_change *c);
enum status store_file_remove(struct pg *pg, const struct auditoria_quem *quem, struct pg_text id,
                              struct file_change *c);

/* What lies in the store without being a file. Calls back with ids of FILE_ID_LEN, at most
 * FILE_SWEEP_MAX. */
struct file_sweep {
    void (*done)(struct file_sweep *s, enum status st, size_t n);
    char ids[FILE_SWEEP_MAX][FILE_ID_LEN + 1];
    size_t n; /* store's own */
    enum status st;
};
enum status store_file_sweep(struct pg *pg, struct file_sweep *s);
/* Its bytes are gone. Nobody waits for it: what is lost is swept again. */
void store_file_swept(struct pg *pg, struct pg_text id);

#endif
