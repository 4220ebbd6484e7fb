/* fila_args: the words behind `alicerce-worker fila`. Pure. */
#ifndef ALICERCE_FILA_ARGS_H
#define ALICERCE_FILA_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store_arquivo.h"

enum fila_word {
    FILA_STATUS,
    FILA_PAUSAR,
    FILA_RETOMAR,
    FILA_MORTAS,
    FILA_REENVIAR,
    FILA_ENTREGAS,
    FILA_EVENTOS,
    FILA_WORDS
};

enum {
    FILA_IDS_MAX = 10000,     /* on one command line */
    FILA_PAGE_MAX = 1000,     /* rows of a page */
    FILA_LIMIT_MAX = 1000000, /* deliveries sent again by one command */
    FILA_WAIT_MAX_S = 3600
};

struct fila_args {
    enum fila_word word;
    bool json, progresso;
    struct arquivo_filter filter;
    char caminho[256]; /* the filter's */
    const char *por;
    int64_t id;        /* entregas, eventos: this one alone; 0 for none */
    int64_t esperar_s; /* 0: not */
    char *const *ids;  /* reenviar: as they stand on the command line, checked */
    size_t n_ids;
    unsigned seen; /* from here the parser's own: options that were read */
    const char *valor;
};

/* false: `why` (200 bytes) says what is wrong. Texts of ret are argv's, or its
 * own: it is not to be copied. The ids are moved to the front of argv. */
bool fila_args_parse(int argc, char **argv, struct fila_args *ret, char *why);
/* RFC 3339, or a day alone, which begins at 0:00 UTC. */
bool fila_args_time(const char *text, int64_t *ret_us);

#endif
