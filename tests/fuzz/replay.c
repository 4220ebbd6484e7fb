/* Runs a fuzz target over the files of folders, as a regression test: `replay_X FOLDER...`. Each
 * file is also cut short at several places, which costs nothing and finds reads past the end. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4 << 20, CUTS = 16 };

/* In memory of exactly its size, so that ASan sees one byte too many. */
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static unsigned run_file(const char *path, uint8_t *room)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t size = fread(room, 1, INPUT_MAX, f);
    fclose(f);
    run_copy(room, size);
    for (unsigned i = 1; i <= CUTS && i <= size; i++)
        run_copy(room, size - (size < CUTS ? i : size * i / CUTS));
    return 1;
}

static unsigned run_folder(const char *folder, uint8_t *room)
{
    char path[4096];
    unsigned n = 0;
    DIR *dir = opendir(folder);
    if (!dir) {
        perror(folder);
        exit(EXIT_FAILURE);
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        n += run_file(path, room);
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    uint8_t *room = malloc(INPUT_MAX);
    unsigned n = 0;
    for (int i = 1; room && i < argc; i++)
        n += run_folder(argv[i], room);
    free(room);
    printf("%s: %u inputs\n%d passed, %d failed\n", argv[0], n, n > 0, n == 0);
    return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
