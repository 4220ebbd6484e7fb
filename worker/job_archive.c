/* job_archive: an update of a form that nobody knows: kept as an event under a digest of itself.
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

static struct pg_text digest_key(const struct job_update *u, struct arena *arena)
{
    uint8_t digest[SHA256_LEN];
    struct buf b = buf_init(4 * u->body.len + 4 * JOBS_ID_MAX);
    buf_add(&b, u->objeto.data, u->objeto.len);
    buf_char(&b, '\n');
    buf_str(&b, u->list);
    buf_char(&b, '\n');
    buf_add(&b, u->entidade.data, u->entidade.len);
    buf_char(&b, '\n');
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

/* A change has its time in the value, a message in itself. */
static int64_t time_of(const struct job_update *u)
{
    static const char *const names[] = {"created_time", "timestamp"};
    struct jsonscan v[2];
    jsonscan_pick(strcmp(u->list, "changes") == 0 ? u->value : u->body, 2, names, v);
    int64_t created = job_time_us(v[0]);
    return created != STORE_NO_TIME ? created : job_time_us(v[1]);
}

enum status job_archive(const struct job_update *u, struct job_rows *rows)
{
    struct new_evento *evento = job_add_evento_of(u, rows);
    if (!evento)
        return STATUS_OVERLOADED;
    evento->chave = digest_key(u, rows->arena);
    evento->ocorrido_us = time_of(u);
    return evento->chave.data ? STATUS_OK : STATUS_OVERLOADED;
}
