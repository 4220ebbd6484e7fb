/* log: owns the house's only global, set once at start before there are threads.
 *
 * A line is built on the stack and written at once; nothing is allocated, errno is kept. Whatever
 * bytes a message holds, the line is valid UTF-8, and valid JSON in that format. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "jsonput.h"
#include "text.h"

enum {
    LOG_NAME = 64, /* most of an event's name, once escaped */
    LOG_ID = 192   /* most of an id: X-Request-Id has up to 128 */
};

static struct {
    const char *program;
    enum log_level level;
    enum log_format format;
} setup = {.program = "alicerce", .level = LOG_INFO, .format = LOG_JSON};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(const char *program, enum log_level level, enum log_format format)
{
    setup.program = program;
    setup.level = level;
    setup.format = format;
}

bool log_enabled(enum log_level level)
{
    return level >= setup.level;
}

/* Length of the character at s, 0 when it is not valid UTF-8. */
static size_t character(const char *s, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (text_utf8(s, n, NULL))
            return n;
    return 0;
}

/* U+0000 to U+001F, U+007F, and U+0080 to U+009F, which terminals obey too. */
static bool is_control(const char *s, size_t n)
{
    unsigned char c = (unsigned char)s[0];
    return n == 1 ? c < 0x20 || c == 0x7f : n == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0;
}

/* What the character takes once jsonput has escaped it, at most. */
static size_t escaped_size(const char *s, size_t n)
{
    if (n == 1 && (unsigned char)s[0] < 0x20)
        return 6; /* \u001f */
    return n == 1 && (*s == '"' || *s == '\\') ? 2 : n;
}

/* Copies characters of s while they fit in `room` once escaped; what is not UTF-8 becomes U+FFFD,
 * and a control character a '?' in the text format. Returns the length. out holds `room` bytes. */
static size_t clean(char *out, size_t room, const char *s, size_t len)
{
    size_t done = 0;
    while (len > 0) {
        size_t n = character(s, len), take = n > 0 ? n : 1, put = n;
        const char *from = s;
        if (n == 0) {
            from = "\xef\xbf\xbd";
            put = 3;
        } else if (setup.format == LOG_TEXT && is_control(s, n)) {
            from = "?";
            put = 1;
        }
        size_t cost = setup.format == LOG_JSON ? escaped_size(from, put) : put;
        if (cost > room)
            break;
        memcpy(out + done, from, put);
        done += put;
        room -= cost;
        s += take;
        len -= take;
    }
    return done;
}

static void put_string(struct buf *b, const char *s, size_t len, size_t room)
{
    char text[LOG_LINE];
    size_t n = clean(text, room, s, len);
    if (setup.format == LOG_JSON)
        jsonput_string(b, text, n);
    else
        buf_add(b, text, n);
}

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void put_head_json(struct buf *b, enum log_level level, const char *event, const char *id)
{
    buf_lit(b, "{\"ts\":");
    jsonput_time(b, now_us());
    buf_lit(b, ",\"nivel\":\"");
    buf_str(b, level_names[level]);
    buf_lit(b, "\",\"programa\":");
    put_string(b, setup.program, strlen(setup.program), LOG_NAME);
    buf_lit(b, ",\"evento\":");
    put_string(b, event, strlen(event), LOG_NAME);
    if (id) {
        buf_lit(b, ",\"id\":");
        put_string(b, id, strlen(id), LOG_ID);
    }
    buf_lit(b, ",\"msg\":");
}

/* 2026-11-22T02:30:00.123456Z warn alicerce-api pg_lost [id] message */
static void put_head_text(struct buf *b, enum log_level level, const char *event, const char *id)
{
    char *time = buf_reserve(b, TEXT_TIME_LEN);
    text_time(now_us(), time);
    buf_advance(b, TEXT_TIME_LEN);
    buf_char(b, ' ');
    buf_str(b, level_names[level]);
    buf_char(b, ' ');
    put_string(b, setup.program, strlen(setup.program), LOG_NAME);
    buf_char(b, ' ');
    put_string(b, event, strlen(event), LOG_NAME);
    if (id) {
        buf_lit(b, " [");
        put_string(b, id, strlen(id), LOG_ID);
        buf_char(b, ']');
    }
    buf_char(b, ' ');
}

static void write_line(const struct buf *b)
{
    while (write(STDERR_FILENO, b->data, b->len) < 0 && errno == EINTR)
        ;
}

void log_event(enum log_level level, const char *event, const char *id, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    int saved = errno; /* a caller may log first and look at errno after */
    char msg[LOG_LINE], line[LOG_LINE];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof msg ? (size_t)n : sizeof msg - 1;
    /* Full from the start: size is cap, so that nothing is ever allocated. */
    struct buf b = {.data = line, .size = sizeof line, .cap = sizeof line};
    bool json = setup.format == LOG_JSON;
    (json ? put_head_json : put_head_text)(&b, level, event, id);
    put_string(&b, msg, len, sizeof line - b.len - strlen("\"\"}\n"));
    buf_str(&b, json ? "}\n" : "\n");
    write_line(&b);
    errno = saved;
}

bool log_limit_pass(struct log_limit *l, unsigned per_second, unsigned *ret_suppressed)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    if (l->second != ts.tv_sec) {
        l->second = ts.tv_sec;
        l->passed = 0;
    }
    if (l->passed >= per_second) {
        l->suppressed++;
        return false;
    }
    l->passed++;
    *ret_suppressed = l->suppressed;
    l->suppressed = 0;
    return true;
}
