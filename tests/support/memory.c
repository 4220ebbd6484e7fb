/* memory: a program that finds no memory at one place (LD_PRELOAD). In the folder ALICERCE_MEMORY a
 * file of this name turns it on while the program runs:
 *   copy   PQcopyResult, with which a store keeps a statement's answer until its commit */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int is_on(const char *name)
{
    char path[512];
    const char *folder = getenv("ALICERCE_MEMORY");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/nonexistent", name);
    return access(path, F_OK) == 0;
}

void *PQcopyResult(const void *result, int flags);
void *PQcopyResult(const void *result, int flags)
{
    void *(*real)(const void *, int);
    *(void **)&real = dlsym(RTLD_NEXT, "PQcopyResult");
    return is_on("copy") ? NULL : real(result, flags);
}
