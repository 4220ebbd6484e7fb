/* disk: a disk that is slow or full, for one server of a test (LD_PRELOAD). Two files in the folder
 * ALICERCE_DISK turn it on and off while the server runs:
 *   slow   has milliseconds: each fsync and fdatasync takes so much longer
 *   full   a PostgreSQL relation (a file under base/) cannot grow: ENOSPC, which it reports as
 *          SQLSTATE 53100. The log (pg_wal) is spared, as where it has a disk of its own; without
 *          room for that PostgreSQL ends, which is another fault. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *switch_path(const char *name, char room[static 512])
{
    const char *folder = getenv("ALICERCE_DISK");
    snprintf(room, 512, "%s/%s", folder ? folder : "/nonexistent", name);
    return room;
}

static void dawdle(void)
{
    char path[512];
    long ms = 0;
    FILE *f = fopen(switch_path("slow", path), "re");
    if (!f)
        return;
    if (fscanf(f, "%ld", &ms) != 1)
        ms = 0;
    fclose(f);
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int no_room(int fd, off_t end)
{
    char path[512], file[512];
    struct stat st;
    if (access(switch_path("full", path), F_OK) != 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, file, sizeof file - 1);
    if (n < 0 || fstat(fd, &st) != 0)
        return 0;
    file[n] = '\0';
    return strstr(file, "/base/") && end > st.st_size;
}

static off_t size_of(const struct iovec *v, int n)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += v[i].iov_len;
    return (off_t)sum;
}

int fsync(int fd)
{
    dawdle();
    return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    dawdle();
    return REAL(fdatasync)(fd);
}

#define WRITES(pwrite, pwritev, fallocate, off_t)                                                  \
    ssize_t pwrite(int fd, const void *data, size_t len, off_t at)                                 \
    {                                                                                              \
        if (no_room(fd, at + (off_t)len)) {                                                        \
            errno = ENOSPC;                                                                        \
            return -1;                                                                             \
        }                                                                                          \
        return REAL(pwrite)(fd, data, len, at);                                                    \
    }                                                                                              \
    ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)                                \
    {                                                                                              \
        if (no_room(fd, at + size_of(v, n))) {                                                     \
            errno = ENOSPC;                                                                        \
            return -1;                                                                             \
        }                                                                                          \
        return REAL(pwritev)(fd, v, n, at);                                                        \
    }                                                                                              \
    int fallocate(int fd, off_t at, off_t len)                                                     \
    {                                                                                              \
        return no_room(fd, at + len) ? ENOSPC : REAL(fallocate)(fd, at, len);                      \
    }

WRITES(pwrite, pwritev, posix_fallocate, off_t)
#ifdef __GLIBC__ /* musl has one set only */
WRITES(pwrite64, pwritev64, posix_fallocate64, off64_t)
#endif
