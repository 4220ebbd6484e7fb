/* job_archive: an update without an id that would make a key: kept as an event under a digest.
 *
 * The digest is of what is the same when Meta delivers the update again, alone or among others: the
 * object, the list, the entry's id and the update; not the entry's time, which is that of sending.
 */
#include <string.h>

#include "buf.h"
#include "hmac.h"
#include "jobs.h"
#include "text.h"

enum { PREFIX = 5, KEY_LEN = PREFIX + 2 * SHA256_LEN };

static void add_line(struct buf *b, const char *data, size_t len)
{
    buf_add(b, data, len);
    buf_char(b, '\n');
}

static struct pg_text digest_key(const struct job_update *u, struct arena *arena)
{
    uint8_t digest[SHA256_LEN];
    struct buf b = buf_init(4 * (u->body.len + u->context.len) + 4 * JOBS_ID_MAX);
    add_line(&b, u->objeto.data, u->objeto.len);
    add_line(&b, u->list, strlen(u->list));
    add_line(&b, u->entidade.data, u->entidade.len);
    if (u->context.type != JSONSCAN_NONE) {
        jsonscan_canonical(u->context, &b);
        buf_char(&b, '\n');
    }
    jsonscan_canonical(u->body, &b);
    char *key = buf_failed(&b) ? NULL : arena_alloc(arena, KEY_LEN);
    if (key) {
        sha256(b.data, b.len, digest);
        memcpy(key, "hash:", PREFIX);
        text_hex(digest, sizeof digest, key + PREFIX);
    }
    buf_release(&b);
    return (struct pg_text){key, KEY_LEN};
}

enum status job_archive(const struct job_update *u, struct job_rows *rows)
{
    struct new_evento *evento = job_add_evento_of(u, rows);
    if (!evento)
        return STATUS_OVERLOADED;
    evento->chave = digest_key(u, rows->arena);
    evento->ocorrido_us = job_time_of(u);
    job_describe(u, evento, rows->arena);
    return evento->chave.data ? STATUS_OK : STATUS_OVERLOADED;
}
