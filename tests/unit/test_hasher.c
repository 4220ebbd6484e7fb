/* Unit tests of hasher: an ev of our own gets the jobs back. */
#include <check.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "api/hasher.h"

Suite *suite_hasher(void);

static struct ev *ev;
static struct hasher *hasher;
static unsigned back, stopped;
static enum status last;

/* ---- no memory for a hash: two calls that stand here before the libraries' ---- */

static atomic_bool no_memory;

/* As libsodium 1.0.18 answers then: as if the password differed. */
int crypto_pwhash_str_verify(const char str[crypto_pwhash_STRBYTES], const char *const password,
                             unsigned long long len)
{
    int (*real)(const char *, const char *, unsigned long long);
    *(void **)&real = dlsym(RTLD_NEXT, "crypto_pwhash_str_verify");
    return atomic_load(&no_memory) ? -1 : real(str, password, len);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t from)
{
    void *(*real)(void *, size_t, int, int, int, off_t);
    *(void **)&real = dlsym(RTLD_NEXT, "mmap");
    if (len < HASHER_MEMORY || !atomic_load(&no_memory))
        return real(at, len, protection, flags, fd, from);
    errno = ENOMEM;
    return MAP_FAILED;
}

/* ---- the loop ---- */

static void on_tick(void *ctx, int64_t now_ms)
{
    (void)ctx;
    (void)now_ms;
}

static void set_up(void)
{
    ev = ev_new(on_tick, NULL);
    hasher = hasher_new();
    back = stopped = 0;
}

static void tear_down(void)
{
    hasher_free(hasher);
    ev_free(ev);
}

static void on_done(struct hasher_job *job, enum status st)
{
    static const char zero[sizeof job->password];
    back++;
    stopped += st == STATUS_STOPPING;
    last = st;
    ck_assert_msg(memcmp(job->password, zero, sizeof zero) == 0, "the password stays in memory");
}

static void fill(struct hasher_job *job, enum hasher_task task, const char *password)
{
    job->ev = ev;
    job->task = task;
    job->done = on_done;
    job->password_len = strlen(password);
    memcpy(job->password, password, job->password_len);
}

static enum status run(struct hasher_job *job, enum hasher_task task, const char *password)
{
    unsigned before = back;
    fill(job, task, password);
    ck_assert_int_eq(hasher_submit(hasher, job), STATUS_OK);
    while (back == before) /* Check's time-out bounds it */
        ev_run_once(ev, true);
    return last;
}

START_TEST(a_hash_matches_its_password_alone)
{
    struct hasher_job job = {0};
    ck_assert_int_eq(run(&job, HASHER_MAKE, "um cavalo anda em L"), STATUS_OK);
    ck_assert_int_eq(strncmp(job.hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    ck_assert_int_eq(run(&job, HASHER_VERIFY, "um cavalo anda em L"), STATUS_OK);
    ck_assert_int_eq(run(&job, HASHER_VERIFY, "um cavalo anda em l"), STATUS_UNAUTHORIZED);
    ck_assert_int_eq(run(&job, HASHER_VERIFY, ""), STATUS_UNAUTHORIZED);
}
END_TEST

START_TEST(two_hashes_of_one_password_differ)
{
    struct hasher_job a = {0}, b = {0};
    run(&a, HASHER_MAKE, "a mesma de sempre");
    run(&b, HASHER_MAKE, "a mesma de sempre");
    ck_assert_str_ne(a.hash, b.hash);
}
END_TEST

START_TEST(nobodys_hash_matches_nothing)
{
    struct hasher_job job = {0};
    ck_assert_int_eq(run(&job, HASHER_VERIFY, "qualquer coisa"), STATUS_UNAUTHORIZED);
    ck_assert_int_eq(run(&job, HASHER_VERIFY, ""), STATUS_UNAUTHORIZED);
}
END_TEST

START_TEST(a_broken_hash_matches_nothing)
{
    struct hasher_job job = {.hash = "$argon2id$v=19$m=1"};
    ck_assert_int_eq(run(&job, HASHER_VERIFY, "qualquer coisa"), STATUS_UNAUTHORIZED);
}
END_TEST

/* libsodium says of it that the password differs: it would count as a guess. */
START_TEST(without_memory_a_password_is_not_wrong)
{
    struct hasher_job job = {0};
    ck_assert_int_eq(run(&job, HASHER_MAKE, "um cavalo anda em L"), STATUS_OK);
    atomic_store(&no_memory, true);
    ck_assert_int_eq(run(&job, HASHER_VERIFY, "um cavalo anda em L"), STATUS_OVERLOADED);
    job.hash[0] = 0; /* an address that is not known tells nothing by it */
    ck_assert_int_eq(run(&job, HASHER_VERIFY, "um cavalo anda em L"), STATUS_OVERLOADED);
    atomic_store(&no_memory, false);
    ck_assert_int_eq(run(&job, HASHER_VERIFY, "um cavalo anda em L"), STATUS_UNAUTHORIZED);
}
END_TEST

/* Submitting takes microseconds and a hash milliseconds, so the queue fills. */
START_TEST(the_queue_is_bounded_and_all_that_was_taken_comes_back)
{
    enum { MANY = HASHER_QUEUE_MAX * 4 };
    struct hasher_job *jobs = calloc(MANY, sizeof *jobs);
    unsigned taken = 0, refused = 0;
    for (unsigned i = 0; i < MANY; i++) {
        fill(&jobs[i], HASHER_VERIFY, "x");
        enum status st = hasher_submit(hasher, &jobs[i]);
        taken += st == STATUS_OK;
        refused += st == STATUS_OVERLOADED;
    }
    ck_assert_uint_ge(refused, 1);
    ck_assert_uint_eq(taken + refused, MANY);
    ck_assert_uint_ge(taken, HASHER_QUEUE_MAX);
    hasher_free(hasher); /* hands back what waits */
    hasher = NULL;
    for (int i = 0; i < 10 && back < taken; i++)
        ev_run_once(ev, false);
    ck_assert_uint_eq(back, taken);
    ck_assert_uint_ge(stopped, 1);
    free(jobs);
}
END_TEST

/* Processor time of this process' threads of so much niceness, in ticks (proc(5), stat). */
static unsigned long ticks_of(long niceness)
{
    unsigned long sum = 0;
    DIR *tasks = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *e; (e = readdir(tasks));) {
        char path[300], text[1024];
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
        text[n] = 0;
        if (f)
            fclose(f);
        const char *rest = strrchr(text, ')'); /* the name before it may hold anything */
        unsigned long user, system;
        long nice;
        if (rest &&
            sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %ld",
                   &user, &system, &nice) == 3 &&
            nice == niceness)
            sum += user + system;
    }
    closedir(tasks);
    return sum;
}

/* Planted once: all at the lowest priority, and on a busy machine nobody can sign in. */
START_TEST(a_flood_alone_is_hashed_at_the_lowest_priority)
{
    enum { FEW = 8, MANY = HASHER_CALM + 16 };
    struct hasher_job job = {0}, *jobs = calloc(MANY, sizeof *jobs);
    ck_assert_ptr_nonnull(jobs);
    for (int i = 0; i < FEW; i++)
        run(&job, HASHER_VERIFY, "x");
    ck_assert_uint_gt(ticks_of(5), 0);
    ck_assert_uint_eq(ticks_of(19), 0);
    for (unsigned i = 0; i < MANY; i++) {
        fill(&jobs[i], HASHER_VERIFY, "x");
        ck_assert_int_eq(hasher_submit(hasher, &jobs[i]), STATUS_OK);
    }
    while (back < FEW + MANY) /* Check's time-out bounds it */
        ev_run_once(ev, true);
    ck_assert_uint_gt(ticks_of(19), 0);
    free(jobs);
}
END_TEST

/* Planted once: without the count a crowd that comes at once finds the one free place, all of it.
 */
START_TEST(on_the_way_are_some_for_each_free_place)
{
    enum { MOST = HASHER_WAY * HASHER_QUEUE_MAX };
    for (unsigned i = 0; i < MOST; i++)
        ck_assert(hasher_enter(hasher));
    ck_assert(!hasher_enter(hasher));
    hasher_leave(hasher);
    ck_assert(hasher_enter(hasher));
    for (unsigned i = 0; i < MOST; i++)
        hasher_leave(hasher);
}
END_TEST

START_TEST(nobody_sets_out_for_a_full_queue)
{
    enum { MANY = HASHER_QUEUE_MAX * 2 };
    struct hasher_job *jobs = calloc(MANY, sizeof *jobs);
    ck_assert_ptr_nonnull(jobs);
    ck_assert(!hasher_full(hasher));
    enum status st = STATUS_OK;
    for (unsigned i = 0; i < MANY && st == STATUS_OK; i++) {
        fill(&jobs[i], HASHER_VERIFY, "x");
        st = hasher_submit(hasher, &jobs[i]);
    }
    ck_assert_int_eq(st, STATUS_OVERLOADED);
    ck_assert(hasher_full(hasher)); /* a hash takes longer than this */
    ck_assert(!hasher_enter(hasher));
    hasher_free(hasher);
    hasher = NULL;
    ev_run_once(ev, false);
    free(jobs);
}
END_TEST

Suite *suite_hasher(void)
{
    Suite *s = suite_create("hasher");
    TCase *c = tcase_create("hasher");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, a_hash_matches_its_password_alone);
    tcase_add_test(c, two_hashes_of_one_password_differ);
    tcase_add_test(c, nobodys_hash_matches_nothing);
    tcase_add_test(c, a_broken_hash_matches_nothing);
    tcase_add_test(c, without_memory_a_password_is_not_wrong);
    tcase_add_test(c, the_queue_is_bounded_and_all_that_was_taken_comes_back);
    tcase_add_test(c, a_flood_alone_is_hashed_at_the_lowest_priority);
    tcase_add_test(c, on_the_way_are_some_for_each_free_place);
    tcase_add_test(c, nobody_sets_out_for_a_full_queue);
    suite_add_tcase(s, c);
    return s;
}
