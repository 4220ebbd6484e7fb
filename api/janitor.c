/* janitor: owns the pace and one step: ask, remove on a thread, say what is gone. */
#include "janitor.h"

#include <stddef.h>
#include <stdlib.h>

#include "log.h"
#include "loop.h"
#include "offload.h"
#include "store_file.h"
#include "vault.h"

enum { EVERY_MS = 60000, AGAIN_MS = 1000 };

struct janitor {
    struct offload_job job;
    struct file_sweep sweep;
    struct loop *loop;
    int64_t next_ms;
    bool busy;
    bool gone[FILE_SWEEP_MAX];
    char why[VAULT_WHY]; /* the last one is not */
};

static void work(struct offload_job *job)
{
    struct janitor *j = (struct janitor *)(void *)job;
    const struct vault *v = j->loop->app->vault;
    for (size_t i = 0; i < j->sweep.n; i++)
        j->gone[i] = vault_remove(v, j->sweep.ids[i], j->why) == STATUS_OK;
    vault_sweep(v);
}

static void on_removed(struct offload_job *job)
{
    struct janitor *j = (struct janitor *)(void *)job;
    size_t n = 0;
    j->busy = false;
    for (size_t i = 0; i < j->sweep.n; i++)
        if (j->gone[i] && ++n)
            store_file_swept(j->loop->writes, (struct pg_text){j->sweep.ids[i], FILE_ID_LEN});
    if (n > 0)
        log_info("files_swept", NULL, "%zu leftovers were removed", n);
    if (n < j->sweep.n)
        log_warn("files_left", NULL, "%zu leftovers stay for now: %s", j->sweep.n - n, j->why);
    if (n == FILE_SWEEP_MAX)
        j->next_ms = 0; /* there are more */
}

static void on_asked(struct file_sweep *s, enum status st, size_t n)
{
    struct janitor *j = (struct janitor *)(void *)((char *)s - offsetof(struct janitor, sweep));
    (void)n;
    if (st != STATUS_OK) {
        j->busy = false;
        return;
    }
    j->job = (struct offload_job){.ev = j->loop->ev, .work = work, .done = on_removed};
    offload_submit(j->loop->app->stores, &j->job);
}

/* What a process takes and then has no time for waits a minute for the next one. */
static bool may_begin(const struct janitor *j)
{
    const struct app *app = j->loop->app;
    return app->vault && !j->busy && !atomic_load_explicit(&app->stopping, memory_order_relaxed);
}

void janitor_tick(struct janitor *j, int64_t now_ms)
{
    if (!j || !may_begin(j) || now_ms < j->next_ms)
        return;
    j->next_ms = now_ms + EVERY_MS;
    j->sweep.done = on_asked;
    j->busy = store_file_sweep(j->loop->writes, &j->sweep) == STATUS_OK;
    if (!j->busy)
        j->next_ms = now_ms + AGAIN_MS;
}

struct janitor *janitor_new(struct loop *loop)
{
    struct janitor *j = calloc(1, sizeof *j);
    if (j)
        j->loop = loop;
    return j;
}

void janitor_free(struct janitor *j)
{
    free(j);
}
