/* main: the worker's command line and its start. Migrations first, for the loop's statements are
 * prepared against them. */
#include <stdio.h>
#include <string.h>

#include "backoff.h"
#include "command.h"
#include "command_fila.h"
#include "config.h"
#include "ev.h"
#include "log.h"
#include "loop.h"
#include "migrate.h"
#include "notify.h"
#include "rds.h"
#include "servers.h"
#include "stop.h"

#define PROGRAM "alicerce-worker"

enum { POLICY_WAIT_MS = 1000 };

static const char usage[] =
    "usage: " PROGRAM " [--migrate | --healthcheck | --check-config | --version | --help]\n"
    "       " PROGRAM " fila status | pausar | retomar | mortas | reenviar | entregas | eventos\n"
    "\n"
    "Drains the queue of webhook deliveries from Redis into PostgreSQL.\n"
    "\n"
    "  --migrate       apply the database's migrations and exit\n"
    "  --healthcheck   exit 0 when the worker at METRICS_PORT is well, or, without that\n"
    "                  variable, when PostgreSQL and Redis can be reached; 69 when not\n"
    "  --check-config  read the environment and exit\n"
    "  --version       print the version\n"
    "  --help          print this\n"
    "\n"
    "  fila status                    what waits, is in hand, is tried again, is dead\n"
    "  fila pausar [--por NAME]       nothing is claimed any more; the intake goes on\n"
    "  fila retomar                   ends the pause\n"
    "  fila mortas                    dead letters, newest first\n"
    "       [--motivo REASON] [--desde T] [--ate T] [--limite N] [--antes ID]\n"
    "  fila reenviar ID...            runs deliveries through today's code: adds what is new\n"
    "  fila reenviar --desde T --ate T (one may do)\n"
    "       [--estado morta|processada] [--motivo REASON] [--formulario ID] [--limite N]\n"
    "       [--esperar SECONDS] [--progresso]\n"
    "  fila entregas                  the archive, newest first\n"
    "       [--id ID] [--estado STATE] [--desde T] [--ate T] [--limite N] [--antes ID]\n"
    "  fila eventos                   events, newest first\n"
    "       [--id ID | --entrega ID | --formulario ID | --campo PATH=VALUE | --valor VALUE]\n"
    "       [--desde T] [--ate T] [--limite N] [--antes ID]\n"
    "\n"
    "All take --json. T is RFC 3339 or YYYY-MM-DD (UTC); --ate is not part of it. A page has 50\n"
    "rows, at most 1000; --antes goes on behind the last one. reenviar by filter takes dead "
    "letters\n"
    "unless it is told otherwise, oldest first, at most 10000; --esperar tells what became of "
    "them.\n"
    "--motivo is the whole reason. PATH is members in a row, anywhere in the payload: form_id=1 "
    "or\n"
    "value.form_id=1; --valor is a text or number anywhere.\n"
    "\n"
    "SIGTERM and SIGINT finish what is in hand and stop; a second one stops at once.\n"
    "\n";

static const char exit_codes[] =
    "\n"
    "Exit codes:\n"
    "  0   done\n"
    "  64  unknown flag or argument\n"
    "  65  an applied migration was changed since\n"
    "  66  fila: there is no such id, the others were dealt with\n"
    "  69  --migrate, --healthcheck, fila: a server cannot be reached\n"
    "  70  a failure inside\n"
    "  71  METRICS_PORT is taken, or no memory, descriptors or threads\n"
    "  75  fila reenviar: the time of --esperar is over and some still wait\n"
    "  78  a variable, or Redis' maxmemory-policy, is wrong\n";

/* ---- what the program can be asked for ---- */

static enum exit_code work(const struct config *c);

static enum exit_code check_config(const struct config *c)
{
    (void)c;
    puts("the configuration is good");
    return EXIT_OK;
}

static const struct {
    const char *flag; /* NULL for none */
    enum exit_code (*run)(const struct config *c);
} commands[] = {
    {NULL, work},
    {"--migrate", command_migrate},
    {"--healthcheck", command_healthcheck},
    {"--check-config", check_config},
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static enum exit_code run(const char *flag)
{
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (!same(commands[i].flag, flag))
            continue;
        struct config *c = config_load(CONFIG_WORKER, stderr);
        if (!c)
            return EXIT_BAD_CONFIG;
        /* A command says itself what went wrong, in one line. */
        log_setup(PROGRAM, flag ? LOG_ERROR : c->log_level, c->log_format);
        enum exit_code code = commands[i].run(c);
        config_free(c);
        return code;
    }
    fprintf(stderr, PROGRAM ": unknown argument \"%s\": see " PROGRAM " --help\n", flag);
    return EXIT_USAGE;
}

/* ---- working ---- */

static enum exit_code check_policy(const struct config *c)
{
    char policy[32];
    struct rds_options o = servers_rds(c);
    if (rds_check_policy(&o, POLICY_WAIT_MS, policy) != STATUS_NOT_CONFIGURED)
        return EXIT_OK;
    fprintf(stderr,
            PROGRAM ": Redis (REDIS_URL) has maxmemory-policy %s and may throw deliveries away: "
                    "set it to noeviction\n",
            policy);
    return EXIT_BAD_CONFIG;
}

/* EXIT_OK also when a stop was asked for. Says once that it waits. */
static enum exit_code migrate(const struct config *c)
{
    struct backoff backoff = {.seed = (uint64_t)ev_clock_us()};
    struct migrate_result result = {0};
    enum status st;
    while ((st = migrate_run(c->database_url, SERVERS_CONNECT_MS, &stop_asked, &result)) ==
               STATUS_DATABASE_AWAY &&
           atomic_load(&stop_asked) == 0) {
        if (backoff.failures == 0)
            log_warn("database_away", NULL, "waiting for DATABASE_URL: %s", result.message);
        int64_t now_ms = ev_clock_us() / 1000;
        backoff_failed(&backoff, now_ms);
        stop_sleep(backoff.next_ms - now_ms);
    }
    if (st == STATUS_CONFLICT || st == STATUS_INTERNAL)
        return command_migration_failed(st, result.message);
    if (result.applied)
        log_info("migrated", NULL, "%u applied", result.applied);
    return EXIT_OK;
}

static enum exit_code work(const struct config *c)
{
    enum exit_code code = check_policy(c);
    if (code != EXIT_OK)
        return code;
    notify_systemd("READY=1"); /* it waits for its servers by itself, as long as it takes */
    code = migrate(c);
    if (code != EXIT_OK)
        return code;
    return atomic_load(&stop_asked) ? EXIT_OK : loop_run(c);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts(PROGRAM " " ALICERCE_VERSION);
        return EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        config_print(CONFIG_WORKER, stdout);
        fputs(exit_codes, stdout);
        return EXIT_OK;
    }
    bool fila = argc > 1 && strcmp(argv[1], "fila") == 0;
    if (argc > 2 && !fila) {
        fputs(PROGRAM ": too many arguments: see " PROGRAM " --help\n", stderr);
        return EXIT_USAGE;
    }
    if (!stop_install()) {
        fputs(PROGRAM ": no descriptors left: raise the limit (ulimit -n)\n", stderr);
        return EXIT_OS;
    }
    return (int)(fila ? command_fila(argc - 2, argv + 2) : run(argc > 1 ? argv[1] : NULL));
}
