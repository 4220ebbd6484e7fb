/* vault: where the bytes of files lie: a folder, STORAGE_DIR, or the bucket of STORAGE_URL.
 *
 *     STORAGE_DIR/novos/ID        being written, locked by its writer (flock)
 *     STORAGE_DIR/ab/abcdef…      whole, synced, named by its id, which is random: nothing of a
 *                                 client's is ever part of a path
 *     STORAGE_URL/ab/abcdef…      the same as an object; it comes in by way of novos/, so that its
 *                                 length and digest are known before the store is asked
 *
 * Several processes may share either. All but vault_new and the questions block: for the threads of
 * offload alone. What fails says why, in English, for the log. */
#ifndef ALICERCE_VAULT_H
#define ALICERCE_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bucket.h"
#include "hmac.h"
#include "status.h"

struct vault;

enum { VAULT_WHY = BUCKET_WHY };

/* Makes the folders that are missing. bucket: NULL, or where whole files go; the vault's from here
 * on, also when this fails. NULL with errno. */
struct vault *vault_new(const char *dir, struct bucket *bucket);
/* Calls to a bucket end then: for the end of the process. NULL is fine. */
void vault_stop(struct vault *v, int64_t within_ms);
void vault_free(struct vault *v);

/* Is it a bucket? NULL: no. */
const struct bucket *vault_bucket(const struct vault *v);
/* How long vault_keep of so many bytes may take; 0: no longer than any other step. */
int64_t vault_keep_ms(const struct vault *v, int64_t size);
/* Bytes that are best read at once. */
size_t vault_chunk(const struct vault *v);

/* STORAGE_FULL or STORAGE_AWAY, with its text. */
enum status vault_failure(int error, char why[static VAULT_WHY]);

/* A new file to be written, or -1 with errno. */
int vault_begin(const struct vault *v, const char *id);

struct vault_new {
    const char *id;
    int fd; /* from vault_begin */
    int64_t size;
    uint8_t sha256[SHA256_LEN];
};
/* Makes it safe under its name, for good. The descriptor stays the caller's. STATUS_OK, or
 * STORAGE_FULL or STORAGE_AWAY, and then it may be there or not. */
enum status vault_keep(const struct vault *v, const struct vault_new *f,
                       char why[static VAULT_WHY]);
/* Takes back what was begun. */
void vault_drop(const struct vault *v, const char *id, int fd);

struct vault_file {
    const char *id; /* the caller's */
    int64_t size;   /* that it must have */
    int fd;         /* -1: not open, or in the bucket */
    char tag[BUCKET_TAG];
};
/* To read; f has id and size. STATUS_OK; GONE: it is not there, or its size is another;
 * STORAGE_AWAY. Of a bucket the first vault_read tells. */
enum status vault_open(const struct vault *v, struct vault_file *f, char why[static VAULT_WHY]);
/* len bytes from `first` on, all of them. As vault_open. */
enum status vault_read(const struct vault *v, struct vault_file *f, int64_t first, void *out,
                       size_t len, char why[static VAULT_WHY]);
void vault_close(struct vault_file *f);

/* STATUS_OK when it is not there any more. */
enum status vault_remove(const struct vault *v, const char *id, char why[static VAULT_WHY]);
/* Removes what writers that are gone have begun. */
void vault_sweep(const struct vault *v);

#endif
