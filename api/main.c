/* alicerce-api: flags, configuration, start and stop. The main thread applies migrations while the
 * loops already answer /health, then waits for a signal. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "cidr.h"
#include "config.h"
#include "first_account.h"
#include "hasher.h"
#include "log.h"
#include "loop.h"
#include "migrate.h"
#include "notify.h"
#include "offload.h"
#include "port.h"
#include "rate.h"
#include "rds.h"
#include "resident.h"
#include "server.h"
#include "steer.h"
#include "token.h"
#include "vault.h"

#define PROGRAM "alicerce-api"

enum {
    STACK_SIZE = 512 * 1024, /* musl's default is 131 KiB */
    CONNECT_TIMEOUT_MS = 5000,
    REDIS_TIMEOUT_MS = 500,
    STORE_STOP_MS = 6000, /* of the loops' 8 s to drain: their requests are answered after it */
    HEALTH_TIMEOUT_S = 2
};

static atomic_int stop_signal;

static void on_signal(int number)
{
    if (atomic_exchange(&stop_signal, number) != 0)
        _exit(128 + number); /* the second one: at once */
}

/* ---- flags ---- */

static void print_help(void)
{
    puts("Usage: " PROGRAM " [--migrate | --healthcheck | --check-config | --version | --help]\n"
         "\n"
         "The HTTP API of Alicerce. Without a flag it serves until SIGTERM or SIGINT.\n"
         "\n"
         "  --migrate       applies the SQL migrations and exits\n"
         "  --healthcheck   asks the running API's /health and exits with 0 or 69\n"
         "  --check-config  reads the configuration and exits\n"
         "  --version       prints the version\n"
         "  --help          prints this text\n"
         "\n"
         "Configuration comes from the environment:\n");
    config_print(CONFIG_API, stdout);
    puts("\nExit codes: 0 stopped as asked; 64 unknown flag; 65 a migration was changed after it "
         "was\n"
         "applied; 69 a server is away (--migrate, --healthcheck); 70 internal; 71 the port is "
         "taken\n"
         "or the system refused; 78 a variable or Redis' maxmemory-policy is wrong.");
}

static int away(const char *what)
{
    fprintf(stderr, PROGRAM ": %s\n", what);
    return EXIT_UNAVAILABLE;
}

/* "GET /health" over a socket of our own: containers have no curl. */
static int healthcheck(const struct config *c)
{
    static const char question[] = "GET /health HTTP/1.0\r\n\r\n";
    char answer[16] = "";
    struct timeval limit = {.tv_sec = HEALTH_TIMEOUT_S};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)c->port)};
    bool six = strchr(c->host, ':') != NULL;
    if (six)
        inet_pton(AF_INET6, strcmp(c->host, "::") == 0 ? "::1" : c->host, &v6.sin6_addr);
    else
        inet_pton(AF_INET, strcmp(c->host, "0.0.0.0") == 0 ? "127.0.0.1" : c->host, &v4.sin_addr);
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return away(strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    bool ok = connect(fd, six ? (void *)&v6 : (void *)&v4, six ? sizeof v6 : sizeof v4) == 0 &&
              send(fd, question, sizeof question - 1, MSG_NOSIGNAL) > 0 &&
              recv(fd, answer, sizeof answer - 1, MSG_WAITALL) > 0 &&
              strncmp(answer + 8, " 200", 4) == 0;
    close(fd);
    return ok ? EXIT_OK : away("/health did not answer 200");
}

static int migrate_once(const struct config *c)
{
    struct migrate_result result;
    enum status st = migrate_run(c->database_url, CONNECT_TIMEOUT_MS, &stop_signal, &result);
    if (st == STATUS_OK) {
        printf("%u migrations applied\n", result.applied);
        return EXIT_OK;
    }
    fprintf(stderr, PROGRAM ": DATABASE_URL: %s\n", result.message);
    return st == STATUS_CONFLICT   ? EXIT_MIGRATION
           : st == STATUS_INTERNAL ? EXIT_INTERNAL
                                   : EXIT_UNAVAILABLE;
}

/* ---- serving ---- */

/* While PostgreSQL is away the loops answer 503 and this tries again. */
static int migrate_until_done(struct app *app)
{
    struct migrate_result result;
    bool told = false;
    while (!atomic_load(&stop_signal)) {
        enum status st =
            migrate_run(app->config->database_url, CONNECT_TIMEOUT_MS, &stop_signal, &result);
        if (st == STATUS_OK && first_account(app->config) == STATUS_DATABASE_AWAY) {
            st = STATUS_DATABASE_AWAY;
            snprintf(result.message, sizeof result.message, "it was gone again after a moment");
        }
        if (st == STATUS_OK) {
            if (result.newer)
                log_warn("migrate_newer", NULL, "%u migrations here are newer than this program",
                         result.newer);
            atomic_store_explicit(&app->schema_ready, 1, memory_order_release);
            return EXIT_OK;
        }
        if (st == STATUS_CONFLICT || st == STATUS_INTERNAL) {
            log_error("migrate_failed", NULL, "%s", result.message);
            return st == STATUS_CONFLICT ? EXIT_MIGRATION : EXIT_INTERNAL;
        }
        if (!told && st != STATUS_STOPPING)
            log_warn("migrate_wait", NULL,
                     "DATABASE_URL: %s; start PostgreSQL or correct the address: I keep trying",
                     result.message);
        told = true;
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    }
    return EXIT_OK;
}

static void split_secrets(struct app *app)
{
    const char *secret = app->config->meta_app_secret;
    while (secret && *secret && app->n_meta_secrets < META_SECRETS_MAX) {
        size_t n = strcspn(secret, ",");
        app->meta_secrets[app->n_meta_secrets++] = hmac_key_new(secret, n);
        secret += n + (secret[n] == ',');
    }
    if (app->n_meta_secrets == 0)
        log_warn("meta_secret", NULL, "META_APP_SECRET is not set: POST /webhook answers 503");
}

/* What the loops share for tokens, passwords and limits. */
static bool prepare_auth(struct app *app)
{
    const struct config *c = app->config;
    cidr_parse_list(c->trusted_proxies, &app->proxies); /* config has looked at it */
    app->hasher = hasher_new();
    if (c->jwt_secret)
        app->tokens = token_keys_new(c->jwt_secret);
    else
        log_warn("jwt_secret", NULL, "JWT_SECRET is not set: routes that want a token answer 503");
    if (c->rate_limit)
        app->rate = rate_new(c->rate_limit);
    return app->hasher && (app->tokens || !c->jwt_secret) && (app->rate || !c->rate_limit);
}

static void release_auth(struct app *app)
{
    hasher_free(app->hasher);
    token_keys_free(app->tokens);
    rate_free(app->rate);
}

/* Without STORAGE_URL none of libcurl is touched. A call takes a little less than a request, which
 * then can tell what became of it. false: no memory. */
static bool open_bucket(const struct config *c, struct bucket **ret)
{
    if (!c->storage_url)
        return true;
    int64_t timeout_ms = c->request_timeout_ms - c->request_timeout_ms / 8;
    *ret = bucket_new(&(struct bucket_options){.url = c->storage_url,
                                               .region = c->storage_region,
                                               .access_key = c->storage_access_key,
                                               .secret_key = c->storage_secret_key,
                                               .timeout_ms = timeout_ms});
    return *ret != NULL;
}

/* Without a folder the rest works. */
static bool prepare_files(struct app *app)
{
    const struct config *c = app->config;
    const char *dir = c->storage_dir;
    struct bucket *bucket = NULL;
    app->offload = offload_new(OFFLOAD_THREADS);
    app->stores = c->storage_url ? offload_new(OFFLOAD_THREADS_MAX) : app->offload;
    if (!app->offload || !app->stores || !open_bucket(c, &bucket))
        return false;
    app->vault = vault_new(dir, bucket);
    if (!app->vault)
        log_warn("storage_dir", NULL, "STORAGE_DIR=%s: %s: no file can be kept or read", dir,
                 strerror(errno));
    else if (bucket)
        log_info("storage", NULL, "files lie in STORAGE_URL=%s (STORAGE_REGION=%s)", c->storage_url,
                 c->storage_region);
    else
        log_info("storage", NULL, "files lie in STORAGE_DIR=%s", dir);
    return true;
}

/* Nothing waits any more; what is under way comes back to its loop. */
static void stop_files(struct app *app)
{
    vault_stop(app->vault, 0);
    offload_stop(app->offload);
    offload_stop(app->stores);
}

static void release_files(struct app *app)
{
    if (app->stores != app->offload)
        offload_free(app->stores);
    offload_free(app->offload);
    vault_free(app->vault);
}

static bool start_threads(struct app *app, pthread_t *threads)
{
    pthread_attr_t attr;
    sigset_t all, before;
    unsigned started = 0;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    while (started < app->n_loops &&
           pthread_create(&threads[started], &attr, loop_run, app->loops[started]) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return started == app->n_loops;
}

enum { STARTED_STEPS = 3 }; /* of STEER_EVERY_MS: the servers are connected, if they are there */

static void steer_until_signal(struct steer *steer)
{
    static const struct timespec every = {.tv_nsec = STEER_EVERY_MS * 1000000L};
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGINT);
    sigprocmask(SIG_BLOCK, &block, &before);
    for (unsigned steps = 0; !atomic_load(&stop_signal); steps++) {
        bool wait_on = steer->app->n_loops > 1 || steps <= STARTED_STEPS;
        pselect(0, NULL, NULL, NULL, wait_on ? &every : NULL, &before);
        steer_step(steer);
        if (steps == STARTED_STEPS)
            resident_trim();
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static int run_loops(struct app *app)
{
    pthread_t threads[64] = {0}; /* THREADS is at most 64 */
    if (!start_threads(app, threads)) {
        fprintf(stderr, PROGRAM ": THREADS=%u: cannot start threads: %s\n", app->n_loops,
                strerror(errno));
        _exit(EXIT_OS);
    }
    log_info("started", NULL, "listening on %s:%lld with %u loops", app->config->host,
             (long long)app->config->port, app->n_loops);
    notify_systemd("READY=1");
    struct steer steer;
    steer_init(&steer, app);
    int code = migrate_until_done(app);
    if (code == EXIT_OK)
        steer_until_signal(&steer);
    notify_systemd("STOPPING=1");
    log_info("stopping", NULL, "draining");
    vault_stop(app->vault, STORE_STOP_MS);
    atomic_store(&app->stopping, 1);
    for (unsigned i = 0; i < app->n_loops; i++)
        pthread_join(threads[i], NULL);
    return code;
}

static int serve(const struct config *c)
{
    struct app app = {.config = c, .n_loops = (unsigned)c->threads};
    struct loop *loops[64] = {NULL};
    int code = EXIT_OS;
    app.loops = loops;
    resident_trim(); /* what libraries needed to begin with would add to the peak */
    /* Asked for before the loops start: SO_REUSEPORT would share it with another program of the
     * same user without a word. */
    int taken = port_taken(c->host, (uint16_t)c->port);
    if (taken) {
        fprintf(stderr,
                PROGRAM ": PORT=%lld: %s on HOST=%s: stop the other program or choose another\n",
                (long long)c->port, strerror(taken), c->host);
        return EXIT_OS;
    }
    split_secrets(&app);
    unsigned made = 0;
    if (!prepare_auth(&app) || !prepare_files(&app))
        fprintf(stderr, PROGRAM ": no memory for JWT_SECRET, RATE_LIMIT or the queues\n");
    else
        while (made < app.n_loops && (loops[made] = loop_new(&app, made)))
            made++;
    if (made == app.n_loops)
        code = run_loops(&app);
    hasher_stop(app.hasher); /* before the loops, which get its jobs back */
    stop_files(&app);        /* likewise */
    for (unsigned i = 0; i < made; i++)
        loop_free(loops[i]);
    release_files(&app);
    for (unsigned i = 0; i < app.n_meta_secrets; i++)
        hmac_key_free(app.meta_secrets[i]);
    release_auth(&app);
    return code;
}

static int check_redis(const struct config *c)
{
    char policy[32];
    struct rds_options o = {.host = c->redis_host,
                            .port = (int)c->redis_port,
                            .user = c->redis_user,
                            .password = c->redis_password};
    if (rds_check_policy(&o, REDIS_TIMEOUT_MS, policy) != STATUS_NOT_CONFIGURED)
        return EXIT_OK; /* away: the loops keep trying and check again */
    fprintf(stderr,
            PROGRAM ": REDIS_URL: maxmemory-policy is %s and may drop deliveries: set it to "
                    "noeviction\n",
            policy);
    return EXIT_BAD_CONFIG;
}

static void prepare_process(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct rlimit files;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    const char *flag = argc > 1 ? argv[1] : "";
    if (argc > 2 || (argc == 2 && !*flag))
        flag = "?";
    if (strcmp(flag, "--help") == 0) {
        print_help();
        return EXIT_OK;
    }
    if (strcmp(flag, "--version") == 0) {
        puts(PROGRAM " " ALICERCE_VERSION);
        return EXIT_OK;
    }
    bool migrate = strcmp(flag, "--migrate") == 0, health = strcmp(flag, "--healthcheck") == 0,
         check = strcmp(flag, "--check-config") == 0;
    if (*flag && !migrate && !health && !check) {
        fprintf(stderr, PROGRAM ": unknown arguments; see --help\n");
        return EXIT_USAGE;
    }
    prepare_process();
    struct config *c = config_load(CONFIG_API, stderr);
    if (!c)
        return EXIT_BAD_CONFIG;
    log_setup(PROGRAM, c->log_level, c->log_format);
    int code = check     ? EXIT_OK
               : health  ? healthcheck(c)
               : migrate ? migrate_once(c)
                         : check_redis(c);
    if (code == EXIT_OK && !*flag)
        code = serve(c);
    config_free(c);
    return code;
}
