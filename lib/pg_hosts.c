/* pg_hosts: owns the parsed connection string and the addresses found for its hosts.
 *
 * libpq resolves names inside PQconnectPoll, blocking; giving it hostaddr avoids that. One host
 * with several addresses becomes several entries of host, hostaddr and port. */
#include "pg_hosts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "dns.h"

enum { MAX_HOSTS = 8, MAX_KEYWORDS = 64, LIST_MAX = 8192 };

struct host {
    struct pg_hosts *owner;
    char name[256];
    char port[16];
    struct dns_query *query; /* NULL when none is out */
    struct dns_answer answer;
};

struct pg_hosts {
    struct ev *ev;
    void (*done)(void *ctx, const char *error);
    void *ctx;
    PQconninfoOption *options;
    struct host host[MAX_HOSTS];
    int n, waiting;
};

static const char *option(const struct pg_hosts *h, const char *keyword)
{
    for (PQconninfoOption *o = h->options; o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val ? o->val : "";
    return "";
}

/* Copies the i-th item of a comma-separated list; the last one when the list is shorter. */
static bool list_item(const char *list, int i, char *out, size_t size)
{
    for (; i > 0 && strchr(list, ','); i--)
        list = strchr(list, ',') + 1;
    size_t n = strcspn(list, ",");
    if (n >= size)
        return false;
    memcpy(out, list, n);
    out[n] = 0;
    return true;
}

static int list_length(const char *list)
{
    int n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static bool read_hosts(struct pg_hosts *h)
{
    const char *names = option(h, "host"), *ports = option(h, "port");
    h->n = list_length(names);
    if (h->n > MAX_HOSTS)
        return false;
    for (int i = 0; i < h->n; i++) {
        h->host[i].owner = h;
        if (!list_item(names, i, h->host[i].name, sizeof h->host[i].name) ||
            !list_item(ports, i, h->host[i].port, sizeof h->host[i].port))
            return false;
    }
    return true;
}

struct pg_hosts *pg_hosts_new(struct ev *ev, const char *conninfo,
                              void (*done)(void *ctx, const char *error), void *ctx)
{
    struct pg_hosts *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->ev = ev;
    h->done = done;
    h->ctx = ctx;
    h->options = PQconninfoParse(conninfo, NULL);
    if (!h->options || !read_hosts(h)) {
        pg_hosts_free(h);
        return NULL;
    }
    return h;
}

void pg_hosts_cancel(struct pg_hosts *h)
{
    for (int i = 0; i < h->n; i++) {
        if (h->host[i].query)
            dns_cancel(h->host[i].query);
        h->host[i].query = NULL;
    }
    h->waiting = 0;
}

void pg_hosts_free(struct pg_hosts *h)
{
    if (!h)
        return;
    pg_hosts_cancel(h);
    PQconninfoFree(h->options);
    free(h);
}

static void finish(struct pg_hosts *h)
{
    const char *error = "no host";
    for (int i = 0; i < h->n; i++) {
        if (h->host[i].answer.n) {
            h->done(h->ctx, NULL);
            return;
        }
        if (h->host[i].answer.error)
            error = h->host[i].answer.error;
    }
    h->done(h->ctx, error);
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
    struct host *host = ctx;
    host->query = NULL;
    host->answer = *answer;
    if (--host->owner->waiting == 0)
        finish(host->owner);
}

void pg_hosts_resolve(struct pg_hosts *h)
{
    bool given = *option(h, "hostaddr");
    for (int i = 0; i < h->n; i++) {
        struct host *host = &h->host[i];
        host->answer = (struct dns_answer){.n = 0};
        if (given || dns_literal(host->name)) {
            host->answer.n = 1;
            continue;
        }
        host->query = dns_resolve(h->ev, host->name, on_answer, host);
        if (host->query)
            h->waiting++;
        else
            host->answer.error = "no resolver";
    }
    if (h->waiting == 0)
        finish(h);
}

static void add_item(struct buf *list, const char *item, bool first)
{
    if (!first)
        buf_char(list, ',');
    buf_str(list, item);
}

/* Of all addresses of all hosts. */
static unsigned count(const struct pg_hosts *h)
{
    unsigned n = 0;
    for (int i = 0; i < h->n; i++)
        n += (unsigned)h->host[i].answer.n;
    return n;
}

static void write_nth(const struct pg_hosts *h, unsigned nth, bool first, struct buf *names,
                      struct buf *addresses, struct buf *ports)
{
    const struct host *host = h->host;
    for (; nth >= (unsigned)host->answer.n; host++)
        nth -= (unsigned)host->answer.n;
    add_item(names, host->name, first);
    add_item(addresses, host->answer.address[nth], first);
    add_item(ports, host->port, first);
}

/* host, hostaddr and port as lists of equal length, beginning with the address `first`. */
static void write_lists(const struct pg_hosts *h, unsigned first, struct buf *names,
                        struct buf *addresses, struct buf *ports)
{
    unsigned n = count(h);
    for (unsigned i = 0; i < n; i++)
        write_nth(h, (first + i) % n, i == 0, names, addresses, ports);
    buf_char(names, 0);
    buf_char(addresses, 0);
    buf_char(ports, 0);
}

static void add_keyword(const char **keywords, const char **values, int *n, const char *keyword,
                        const char *value)
{
    if (value && *value && *n < MAX_KEYWORDS - 1) {
        keywords[*n] = keyword;
        values[(*n)++] = value;
    }
}

static bool is_list(const char *keyword)
{
    return strcmp(keyword, "host") == 0 || strcmp(keyword, "port") == 0;
}

PGconn *pg_hosts_connect(struct pg_hosts *h, const char *application, unsigned failures)
{
    struct buf names = buf_init(LIST_MAX), addresses = buf_init(LIST_MAX),
               ports = buf_init(LIST_MAX);
    const char *keywords[MAX_KEYWORDS] = {0}, *values[MAX_KEYWORDS] = {0};
    int n = 0;
    unsigned first = *option(h, "hostaddr") ? 0 : failures; /* given ones keep their order */
    write_lists(h, first, &names, &addresses, &ports);
    for (PQconninfoOption *o = h->options; o->keyword; o++)
        if (!is_list(o->keyword))
            add_keyword(keywords, values, &n, o->keyword, o->val);
    add_keyword(keywords, values, &n, "host", names.data);
    add_keyword(keywords, values, &n, "port", ports.data);
    /* All empty (literals only): left out, libpq takes the hosts as they are. */
    if (addresses.data && strspn(addresses.data, ",") < addresses.len - 1)
        add_keyword(keywords, values, &n, "hostaddr", addresses.data);
    add_keyword(keywords, values, &n, "fallback_application_name", application);
    add_keyword(keywords, values, &n, "client_encoding", "UTF8");
    /* libpq's default looks for Kerberos credentials in files, blocking, at every connect. */
    if (!*option(h, "gssencmode"))
        add_keyword(keywords, values, &n, "gssencmode", "disable");
    PGconn *conn = buf_failed(&names) ? NULL : PQconnectStartParams(keywords, values, 0);
    buf_release(&names);
    buf_release(&addresses);
    buf_release(&ports);
    return conn;
}
