/* bucket: owns the libcurl handles, which are kept between calls with their connections; what an
 * answer must be to be believed; when a call is made again; and the gate before a store that does
 * not answer.
 *
 * libcurl signs Host as it sends it, and the headers that are given here. It would not send the
 * digest of a body (7.88, Debian 12: and sign that of nothing; 8.x: sign none), so it is given. A
 * header that is to be left out ("Expect:") would be signed by 7.88, so none is. */
#include "bucket.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bucket_text.h"
#include "ev.h"
#include "log.h"
#include "text.h"

enum {
    IDLE_MAX = 8, /* handles that are kept: as many as threads */
    TRIES = 3,
    PAUSE_MS = 150, /* before the second try, twice that before the third, up to half more */
    CONNECT_MS = 2000,
    SILENCE_S = 10, /* a transfer that brings nothing for so long */
    URL_CAP = 1024,
    HEADER_CAP = 128,     /* If-Match with an ETag, or a digest */
    HEAD_MAX = 64 * 1024, /* all header lines of an answer */
    TEXT_CAP = 1024       /* as much of an error's body as is looked at */
};

struct bucket {
    struct bucket_options o;
    char sigv4[64];
    _Atomic int64_t stop_at_ms;    /* 0: not yet */
    _Atomic int64_t away_until_ms; /* 0: it answers */
    pthread_mutex_t mutex;         /* guards the rest */
    CURL *idle[IDLE_MAX];
    unsigned n_idle;
};

enum verb { PUT, GET, DELETE };
static const char *const verbs[] = {[PUT] = "PUT", [GET] = "GET", [DELETE] = "DELETE"};

/* One call, and one attempt at it after the other. */
struct call {
    struct bucket *bucket;
    enum verb verb;
    const char *key;
    char *why;
    /* PUT */
    int fd;
    int64_t size;
    const uint8_t *sha256;
    /* GET */
    struct bucket_part *part;
    char *out;
    /* of the attempt */
    CURL *easy;
    long status;
    int64_t sent;
    size_t got, head, n_text;
    int local; /* errno of a file that could not be read */
    char text[TEXT_CAP];
};

/* What became of an attempt. */
enum outcome {
    DONE,   /* c->status and the body are good */
    FAILED, /* it would be no better a second time */
    AGAIN,  /* it might be */
    SILENT  /* there was no answer: the same, and the store is away */
};

static int64_t now_ms(void)
{
    return ev_clock_us() / 1000;
}

static bool stopped(struct bucket *b)
{
    int64_t at = atomic_load(&b->stop_at_ms);
    return at != 0 && now_ms() >= at;
}

/* ---- the gate ---- */

/* false: it was away a moment ago, and another one asks. */
static bool gate_enter(struct bucket *b)
{
    int64_t until = atomic_load(&b->away_until_ms), now = now_ms();
    return until == 0 || (now >= until && atomic_compare_exchange_strong(&b->away_until_ms, &until,
                                                                         now + BUCKET_AWAY_MS));
}

static void gate_tell(struct bucket *b, bool answers, const char *why)
{
    int64_t before = atomic_exchange(&b->away_until_ms, answers ? 0 : now_ms() + BUCKET_AWAY_MS);
    if (answers && before)
        log_info("storage_back", NULL, "STORAGE_URL=%s answers", b->o.url);
    else if (!answers && !before)
        log_warn("storage_away", NULL, "STORAGE_URL=%s: %s: files answer 503 until it is back",
                 b->o.url, why);
}

bool bucket_there(const struct bucket *b)
{
    return atomic_load(&b->away_until_ms) == 0;
}

/* ---- libcurl's questions ---- */

static size_t on_send(char *to, size_t size, size_t n, void *ctx)
{
    struct call *c = ctx;
    int64_t left = c->size - c->sent;
    size_t want = left < (int64_t)(size * n) ? (size_t)left : size * n;
    ssize_t got = want ? pread(c->fd, to, want, c->sent) : 0;
    if (got < 0 || (want && got == 0)) {
        c->local = got < 0 ? errno : EIO;
        return CURL_READFUNC_ABORT;
    }
    c->sent += got;
    return (size_t)got;
}

/* libcurl begins again when a kept connection turns out to be dead. */
static int on_seek(void *ctx, curl_off_t at, int from)
{
    struct call *c = ctx;
    if (from != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    c->sent = at;
    return CURL_SEEKFUNC_OK;
}

/* Anything but all of it ends the transfer. */
static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct call *c = ctx;
    size_t len = size * n;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->status);
    if (c->verb == GET && c->status == 206) {
        if (len > c->part->len - c->got)
            return 0;
        memcpy(c->out + c->got, data, len);
        c->got += len;
        return len;
    }
    if (c->verb == GET && c->status == 200) /* the whole object, which nobody has asked for */
        return 0;
    size_t room = TEXT_CAP - c->n_text, taken = len < room ? len : room;
    memcpy(c->text + c->n_text, data, taken);
    c->n_text += taken;
    return len;
}

static size_t on_head(char *data, size_t size, size_t n, void *ctx)
{
    (void)data;
    struct call *c = ctx;
    c->head += size * n;
    return c->head > HEAD_MAX ? 0 : size * n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    struct call *call = ctx;
    return stopped(call->bucket);
}

/* ---- one attempt ---- */

static bool add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* All of them are signed. */
static bool make_headers(const struct call *c, struct curl_slist **ret)
{
    char line[HEADER_CAP], hex[2 * SHA256_LEN + 1] = "";
    uint8_t nothing[SHA256_LEN];
    sha256("", 0, nothing);
    text_hex(c->verb == PUT ? c->sha256 : nothing, SHA256_LEN, hex);
    snprintf(line, sizeof line, "x-amz-content-sha256: %s", hex);
    if (!add(ret, line))
        return false;
    if (c->verb != GET || !*c->part->tag)
        return true;
    snprintf(line, sizeof line, "If-Match: %s", c->part->tag);
    return add(ret, line);
}

static bool set_verb(CURL *e, struct call *c)
{
    char range[48]; /* two numbers of 19 digits */
    if (c->verb == DELETE)
        return curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "DELETE") == CURLE_OK;
    if (c->verb == GET) {
        snprintf(range, sizeof range, "%" PRId64 "-%" PRId64, c->part->first,
                 c->part->first + (int64_t)c->part->len - 1);
        return curl_easy_setopt(e, CURLOPT_RANGE, range) == CURLE_OK;
    }
    return curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->size) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READFUNCTION, on_send) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READDATA, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SEEKDATA, c) == CURLE_OK;
}

/* No signals: there are other threads. HTTP/1.1: a connection for each call, nothing to share.
 * 0 would be no limit. */
static bool set_limits(CURL *e, int64_t left_ms)
{
    return curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(left_ms > 0 ? left_ms : 1)) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S) == CURLE_OK;
}

static bool set_signature(CURL *e, const struct bucket *b)
{
    return curl_easy_setopt(e, CURLOPT_AWS_SIGV4, b->sigv4) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USERNAME, b->o.access_key) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PASSWORD, b->o.secret_key) == CURLE_OK;
}

static bool prepare(struct call *c, struct curl_slist *headers, int64_t left_ms)
{
    CURL *e = c->easy;
    char url[URL_CAP];
    int n = snprintf(url, sizeof url, "%s/%s", c->bucket->o.url, c->key);
    return n < (int)sizeof url && curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USERAGENT, "alicerce/" ALICERCE_VERSION) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERDATA, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_XFERINFODATA, c) == CURLE_OK && set_limits(e, left_ms) &&
           set_signature(e, c->bucket) && set_verb(e, c);
}

__attribute__((format(printf, 2, 3))) static void say(struct call *c, const char *fmt, ...)
{
    char text[BUCKET_WHY - 8];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    snprintf(c->why, BUCKET_WHY, "%s: %s", verbs[c->verb], text);
}

/* There was an answer, or a part of one. */
static bool heard(const struct call *c)
{
    return c->head > 0;
}

static enum outcome on_error(struct call *c, CURLcode code)
{
    if (c->local) {
        say(c, "%s", strerror(c->local));
        return FAILED;
    }
    if (stopped(c->bucket)) {
        say(c, "the process ends");
        return FAILED;
    }
    if (c->verb == GET && c->status == 200) {
        say(c, "the store sends whole objects where a range was asked for");
        return FAILED;
    }
    if (!heard(c)) {
        say(c, "%s", curl_easy_strerror(code));
        return SILENT;
    }
    say(c, "%ld, then %s: %zu bytes came", c->status, curl_easy_strerror(code), c->got);
    return AGAIN;
}

static const char *header(CURL *e, const char *name)
{
    struct curl_header *found;
    return curl_easy_header(e, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value
                                                                               : NULL;
}

/* All of what was asked for, and of the object that was asked before. */
static enum outcome check_part(struct call *c)
{
    struct bucket_part *p = c->part;
    const char *tag = header(c->easy, "ETag");
    if (c->got != p->len || !bucket_range_is(header(c->easy, "Content-Range"), p->first,
                                             p->first + (int64_t)p->len - 1, p->size)) {
        say(c, "%zu of %zu bytes came, or they are not those that were asked for", c->got, p->len);
        return AGAIN;
    }
    if (!tag || !*tag || strlen(tag) >= sizeof p->tag || (*p->tag && strcmp(tag, p->tag) != 0)) {
        say(c, "it has no ETag, or another one than before");
        return FAILED;
    }
    memcpy(p->tag, tag, strlen(tag) + 1);
    return DONE;
}

static bool is_good(const struct call *c, const char *code)
{
    bool absent = c->status == 404 && strcmp(code, "NoSuchKey") == 0;
    return c->verb == GET      ? c->status == 206 || absent
           : c->verb == DELETE ? c->status == 204 || c->status == 200 || absent
                               : c->status == 200;
}

static enum outcome on_answer(struct call *c)
{
    char code[BUCKET_CODE];
    bucket_code(c->text, c->n_text, code);
    if (is_good(c, code))
        return c->status == 206 ? check_part(c) : DONE;
    if (c->status == 403)
        say(c, "403 %s: STORAGE_ACCESS_KEY, STORAGE_SECRET_KEY, STORAGE_REGION, the clock", code);
    else if (c->status == 404 || c->status / 100 == 3)
        say(c, "%ld %s: no such bucket as STORAGE_URL says", c->status, code);
    else
        say(c, "%ld %s", c->status, code);
    return c->status == 429 || (c->status / 100 == 5 && c->status != 507) ? AGAIN : FAILED;
}

static CURL *take_handle(struct bucket *b)
{
    pthread_mutex_lock(&b->mutex);
    CURL *e = b->n_idle ? b->idle[--b->n_idle] : NULL;
    pthread_mutex_unlock(&b->mutex);
    return e ? e : curl_easy_init();
}

/* Its connections stay. */
static void give_handle(struct bucket *b, CURL *e)
{
    curl_easy_reset(e);
    pthread_mutex_lock(&b->mutex);
    bool kept = b->n_idle < IDLE_MAX;
    if (kept)
        b->idle[b->n_idle++] = e;
    pthread_mutex_unlock(&b->mutex);
    if (!kept)
        curl_easy_cleanup(e);
}

static enum outcome attempt(struct call *c, int64_t left_ms)
{
    struct curl_slist *headers = NULL;
    enum outcome outcome = FAILED;
    c->sent = 0;
    c->got = c->head = c->n_text = 0;
    c->status = 0;
    say(c, "no memory");
    c->easy = take_handle(c->bucket);
    if (c->easy && make_headers(c, &headers) && prepare(c, headers, left_ms)) {
        CURLcode code = curl_easy_perform(c->easy);
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->status);
        outcome = code == CURLE_OK ? on_answer(c) : on_error(c, code);
    }
    if (c->easy)
        give_handle(c->bucket, c->easy);
    curl_slist_free_all(headers);
    return outcome;
}

/* ---- a call ---- */

static int64_t pause_of(unsigned n)
{
    int64_t ms = PAUSE_MS << n;
    return ms + ev_clock_us() % (ms / 2); /* so that many do not come back at once */
}

static void sleep_ms(int64_t ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static enum outcome attempts(struct call *c, int64_t most_ms)
{
    int64_t end = now_ms() + most_ms;
    for (unsigned n = 0;; n++) {
        enum outcome outcome = attempt(c, end - now_ms());
        int64_t pause = pause_of(n);
        bool last = outcome == DONE || outcome == FAILED || n + 1 == TRIES || stopped(c->bucket) ||
                    now_ms() + pause + CONNECT_MS / 2 > end;
        if (last)
            return outcome;
        sleep_ms(pause);
    }
}

static enum status run(struct call *c, int64_t most_ms)
{
    struct bucket *b = c->bucket;
    bool ends = stopped(b);
    if (ends || !gate_enter(b)) {
        say(c, ends ? "the process ends" : "the store did not answer a moment ago");
        return STATUS_STORAGE_AWAY;
    }
    enum outcome outcome = attempts(c, most_ms);
    if (outcome != FAILED || heard(c))
        gate_tell(b, outcome != SILENT, c->why);
    if (outcome != DONE)
        return c->status == 507 ? STATUS_STORAGE_FULL : STATUS_STORAGE_AWAY;
    return c->status == 404 && c->verb == GET ? STATUS_GONE : STATUS_OK;
}

int64_t bucket_put_ms(const struct bucket *b, int64_t size)
{
    int64_t ms = b->o.timeout_ms + size / BUCKET_PUT_BYTES_MS;
    return ms < BUCKET_PUT_MS ? ms : BUCKET_PUT_MS;
}

enum status bucket_put(struct bucket *b, const char *key, int fd, int64_t size,
                       const uint8_t sha256[SHA256_LEN], char why[static BUCKET_WHY])
{
    struct call c = {
        .bucket = b, .verb = PUT, .key = key, .why = why, .fd = fd, .size = size, .sha256 = sha256};
    return run(&c, bucket_put_ms(b, size));
}

enum status bucket_get(struct bucket *b, const char *key, struct bucket_part *part, void *out,
                       char why[static BUCKET_WHY])
{
    struct call c = {.bucket = b, .verb = GET, .key = key, .why = why, .part = part, .out = out};
    enum status st = run(&c, b->o.timeout_ms);
    if (st == STATUS_GONE)
        snprintf(why, BUCKET_WHY, "GET: there is no such object");
    return st;
}

enum status bucket_remove(struct bucket *b, const char *key, char why[static BUCKET_WHY])
{
    struct call c = {.bucket = b, .verb = DELETE, .key = key, .why = why};
    return run(&c, b->o.timeout_ms);
}

/* ---- life ---- */

struct bucket *bucket_new(const struct bucket_options *o)
{
    struct bucket *b = calloc(1, sizeof *b);
    if (!b || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(b);
        return NULL;
    }
    b->o = *o;
    snprintf(b->sigv4, sizeof b->sigv4, "aws:amz:%s:s3", o->region);
    pthread_mutex_init(&b->mutex, NULL);
    return b;
}

void bucket_stop(struct bucket *b, int64_t within_ms)
{
    atomic_store(&b->stop_at_ms, now_ms() + within_ms);
}

void bucket_free(struct bucket *b)
{
    if (!b)
        return;
    while (b->n_idle)
        curl_easy_cleanup(b->idle[--b->n_idle]);
    pthread_mutex_destroy(&b->mutex);
    free(b);
}
