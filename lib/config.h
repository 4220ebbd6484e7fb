/* config: the environment, read once at start into a struct through one table (config_options.c).
 *
 * Every variable has one row: name, type, default, bounds, which program reads it, meaning. --help
 * prints the table. A variable X that is secret or a URL may instead come from the file named by
 * X_FILE (one trailing newline is dropped). Both set is an error. An empty value counts as not set.
 */
#ifndef ALICERCE_CONFIG_H
#define ALICERCE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "log.h"

enum config_program { CONFIG_API = 1, CONFIG_WORKER = 2, CONFIG_BOTH = 3 };

/* Exit codes of both programs (sysexits.h); documented in --help and the man pages. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_USAGE = 64,       /* unknown flag or argument */
    EXIT_MIGRATION = 65,   /* an applied SQL file was changed */
    EXIT_NOT_FOUND = 66,   /* fila: an id that is not there */
    EXIT_UNAVAILABLE = 69, /* --migrate, --healthcheck, fila: the server is away */
    EXIT_INTERNAL = 70,    /* a failure inside */
    EXIT_OS = 71,          /* the port is taken, no memory, no threads */
    EXIT_UNFINISHED = 75,  /* fila reenviar --esperar: not all is done yet */
    EXIT_BAD_CONFIG = 78   /* a variable, or Redis' maxmemory-policy, is wrong */
};

enum posts_write { POSTS_WRITE_OPEN, POSTS_WRITE_TOKEN };

struct config {
    /* both */
    char *database_url; /* DATABASE_URL */
    char *redis_host;   /* REDIS_HOST, REDIS_PORT, REDIS_PASSWORD, or what REDIS_URL says */
    int64_t redis_port;
    char *redis_user;         /* from REDIS_URL; NULL for none */
    char *redis_password;     /* NULL for none */
    int64_t redis_db;         /* from REDIS_URL; 0 */
    enum log_level log_level; /* LOG_LEVEL debug|info|warn|error */
    enum log_format log_format;
    char *meta_app_secret; /* META_APP_SECRET: one, or two separated by a comma; NULL for none */
    /* worker */
    char *meta_access_token; /* META_ACCESS_TOKEN; NULL: no lead is looked up */
    char *graph_url;         /* GRAPH_URL: http(s), no slash at its end */
    /* api */
    char *host;              /* HOST, an IPv4 or IPv6 address */
    int64_t port;            /* PORT 1..65535 */
    int64_t threads;         /* THREADS 1..64; 0 at default means cores, resolved by config_load */
    int64_t posts_cache_ttl; /* POSTS_CACHE_TTL 1..86400, seconds */
    char *meta_verify_token; /* NULL for none */
    int64_t request_timeout_ms;   /* REQUEST_TIMEOUT_MS 100..60000 */
    char *frontend_url;           /* FRONTEND_URL: http(s) origin, no trailing slash kept */
    char *jwt_secret;             /* JWT_SECRET: one, or two separated by a comma; NULL for none */
    enum posts_write posts_write; /* POSTS_WRITE open|token */
    char *admin_email;            /* of the first account; NULL for none */
    char *admin_password;         /* set only together with admin_email */
    char *trusted_proxies;        /* TRUSTED_PROXIES: a list for cidr_parse_list */
    char *storage_dir;            /* STORAGE_DIR: where files lie, or only come in */
    char *storage_access_key; /* STORAGE_ACCESS_KEY, STORAGE_SECRET_KEY: set when storage_url is */
    char *storage_secret_key;
    char *storage_region;    /* STORAGE_REGION */
    char *storage_url;       /* STORAGE_URL: http(s), no slash at its end; NULL: a folder */
    int64_t arquivo_max;     /* ARQUIVO_MAX: bytes of one file */
    int64_t arquivos_limite; /* ARQUIVOS_LIMITE: bytes of all files */
    int64_t rate_limit;      /* RATE_LIMIT 0..1000000 requests a minute; 0: no limit */
    /* worker */
    int64_t fila_tentativas;         /* FILA_TENTATIVAS 1..20 */
    int64_t entregas_retencao_dias;  /* ENTREGAS_RETENCAO_DIAS 0..36500; 0: for ever */
    int64_t auditoria_retencao_dias; /* AUDITORIA_RETENCAO_DIAS 30..36500 */
    char *metrics_host;              /* METRICS_HOST, an IPv4 or IPv6 address */
    int64_t metrics_port;            /* METRICS_PORT 1..65535; 0: none */
};

/* Reads the environment for `program`. NULL after printing one line to `err` that names the
 * variable, what it got (never for a secret) and what it wants. */
struct config *config_load(enum config_program program, FILE *err);
void config_free(struct config *c);
/* The table, as --help shows it: name, default, meaning. */
void config_print(enum config_program program, FILE *out);

#endif
