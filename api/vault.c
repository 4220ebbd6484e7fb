/* vault: owns the folder and its order: bytes are synced before the name, the name before anybody
 * is told. Of a bucket it owns the keys; what the store promises stands in its place: an object is
 * there as a whole or not at all, and kept once it says so. */
#include "vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_LEN = 40,    /* "novos/" and an id */
    FRESH_S = 60,     /* a file this young may be about to be locked */
    DEAD_S = 3600,    /* where files cannot be locked, one that was not written for so long */
    SWEEP_MAX = 1000, /* entries looked at in one go */
    FILE_CHUNK = 64 * 1024,
    OBJECT_CHUNK = 256 * 1024 /* 128 downloads at once: under 100 MiB with what waits of them */
};

struct vault {
    int dir;
    struct bucket *bucket; /* NULL: whole files lie in dir, too */
};

static bool make_dir(int at, const char *name)
{
    return mkdirat(at, name, 0750) == 0 || errno == EEXIST;
}

/* 256 folders, made at the start, so that no file ever waits for one. */
static bool make_folders(int dir, bool whole)
{
    char name[3];
    for (unsigned i = 0; whole && i < 256; i++) {
        snprintf(name, sizeof name, "%02x", i);
        if (!make_dir(dir, name))
            return false;
    }
    return make_dir(dir, "novos") && fsync(dir) == 0;
}

struct vault *vault_new(const char *path, struct bucket *bucket)
{
    struct vault *v = malloc(sizeof *v);
    if (!v) {
        bucket_free(bucket);
        return NULL;
    }
    make_dir(AT_FDCWD, path);
    v->bucket = bucket;
    v->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (v->dir < 0 || !make_folders(v->dir, !bucket)) {
        int error = errno;
        vault_free(v);
        errno = error;
        return NULL;
    }
    return v;
}

void vault_stop(struct vault *v, int64_t within_ms)
{
    if (v && v->bucket)
        bucket_stop(v->bucket, within_ms);
}

void vault_free(struct vault *v)
{
    if (!v)
        return;
    if (v->dir >= 0)
        close(v->dir);
    bucket_free(v->bucket);
    free(v);
}

const struct bucket *vault_bucket(const struct vault *v)
{
    return v->bucket;
}

int64_t vault_keep_ms(const struct vault *v, int64_t size)
{
    return v->bucket ? bucket_put_ms(v->bucket, size) : 0;
}

size_t vault_chunk(const struct vault *v)
{
    return v->bucket ? OBJECT_CHUNK : FILE_CHUNK;
}

enum status vault_failure(int error, char why[static VAULT_WHY])
{
    bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    snprintf(why, VAULT_WHY, "%s", strerror(error));
    return full ? STATUS_STORAGE_FULL : STATUS_STORAGE_AWAY;
}

static void new_path(char out[PATH_LEN], const char *id)
{
    snprintf(out, PATH_LEN, "novos/%.32s", id);
}

static void final_path(char out[PATH_LEN], const char *id)
{
    snprintf(out, PATH_LEN, "%.2s/%.32s", id, id);
}

int vault_begin(const struct vault *v, const char *id)
{
    char path[PATH_LEN];
    new_path(path, id);
    int fd = openat(v->dir, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd >= 0)
        flock(fd, LOCK_EX | LOCK_NB); /* where there are no locks, age has to do */
    return fd;
}

static bool sync_folder(const struct vault *v, const char *id)
{
    char name[3] = {id[0], id[1], '\0'};
    int fd = openat(v->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return good;
}

static enum status keep_here(const struct vault *v, const struct vault_new *f,
                             char why[static VAULT_WHY])
{
    char from[PATH_LEN], to[PATH_LEN];
    new_path(from, f->id);
    final_path(to, f->id);
    bool good =
        fsync(f->fd) == 0 && renameat(v->dir, from, v->dir, to) == 0 && sync_folder(v, f->id);
    return good ? STATUS_OK : vault_failure(errno, why);
}

enum status vault_keep(const struct vault *v, const struct vault_new *f, char why[static VAULT_WHY])
{
    char path[PATH_LEN];
    if (!v->bucket)
        return keep_here(v, f, why);
    final_path(path, f->id);
    enum status st = bucket_put(v->bucket, path, f->fd, f->size, f->sha256, why);
    new_path(path, f->id);
    if (st == STATUS_OK)
        unlinkat(v->dir, path, 0); /* if not: vault_sweep */
    return st;
}

void vault_drop(const struct vault *v, const char *id, int fd)
{
    char path[PATH_LEN];
    new_path(path, id);
    unlinkat(v->dir, path, 0);
    close(fd);
}

enum status vault_open(const struct vault *v, struct vault_file *f, char why[static VAULT_WHY])
{
    char path[PATH_LEN];
    struct stat s;
    f->fd = -1;
    f->tag[0] = '\0';
    if (v->bucket)
        return STATUS_OK;
    final_path(path, f->id);
    f->fd = openat(v->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (f->fd < 0) {
        bool gone = errno == ENOENT;
        vault_failure(errno, why);
        return gone ? STATUS_GONE : STATUS_STORAGE_AWAY;
    }
    if (fstat(f->fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size == f->size)
        return STATUS_OK;
    vault_close(f);
    snprintf(why, VAULT_WHY, "its size is not what it was");
    return STATUS_GONE;
}

enum status vault_read(const struct vault *v, struct vault_file *f, int64_t first, void *out,
                       size_t len, char why[static VAULT_WHY])
{
    if (v->bucket) {
        char key[PATH_LEN];
        struct bucket_part part = {.first = first, .size = f->size, .len = len};
        memcpy(part.tag, f->tag, sizeof part.tag);
        final_path(key, f->id);
        enum status st = bucket_get(v->bucket, key, &part, out, why);
        memcpy(f->tag, part.tag, sizeof f->tag);
        return st;
    }
    for (size_t got = 0; got < len;) {
        ssize_t n = pread(f->fd, (char *)out + got, len - got, first + (int64_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            snprintf(why, VAULT_WHY, "%s", n < 0 ? strerror(errno) : "it is shorter than it was");
            return STATUS_STORAGE_AWAY;
        }
        got += (size_t)n;
    }
    return STATUS_OK;
}

/* The last close of a file that was removed frees its blocks. */
void vault_close(struct vault_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

enum status vault_remove(const struct vault *v, const char *id, char why[static VAULT_WHY])
{
    char path[PATH_LEN];
    final_path(path, id);
    if (v->bucket)
        return bucket_remove(v->bucket, path, why);
    return unlinkat(v->dir, path, 0) == 0 || errno == ENOENT ? STATUS_OK
                                                             : vault_failure(errno, why);
}

/* Whose writer lives holds its lock. */
static bool is_dead(int fd, const struct stat *s)
{
    int64_t age = (int64_t)time(NULL) - s->st_mtime;
    if (age < FRESH_S)
        return false;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && age > DEAD_S);
}

static void sweep_one(int dir, const char *name)
{
    struct stat s;
    int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && is_dead(fd, &s))
        unlinkat(dir, name, 0);
    close(fd);
}

void vault_sweep(const struct vault *v)
{
    int fd = openat(v->dir, "novos", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        if (fd >= 0)
            close(fd);
        return;
    }
    struct dirent *entry;
    for (unsigned i = 0; i < SWEEP_MAX && (entry = readdir(list)); i++)
        if (*entry->d_name != '.')
            sweep_one(fd, entry->d_name);
    closedir(list);
}
