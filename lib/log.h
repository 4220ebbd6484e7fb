/* log: one line per event on standard error, JSON or text.
 *
 * The only global of the house. Thread-safe: a line is one write(2) of at most LOG_LINE bytes.
 * Secrets never reach it: callers pass names of variables, not their values. */
#ifndef ALICERCE_LOG_H
#define ALICERCE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TEXT };
enum { LOG_LINE = 2048 };

/* `program` is static. Before the first call: info, json. */
void log_setup(const char *program, enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

/* event: a stable short name ("pg_lost"). id: request or delivery id, or NULL. The rest is a printf
 * message in English; it is escaped, cut to fit, and never spans lines.
 * JSON: {"ts":"…Z","nivel":"warn","programa":"alicerce-api","evento":"pg_lost","id":"…","msg":"…"}
 */
__attribute__((format(printf, 4, 5))) void log_event(enum log_level level, const char *event,
                                                     const char *id, const char *fmt, ...);
#define log_debug(...) (log_enabled(LOG_DEBUG) ? log_event(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...)  log_event(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_event(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__)

/* At most `per_second` events in each second for one call site's limiter; suppressed ones are
 * counted and the count is told with the next line that passes. */
struct log_limit {
    int64_t second;
    unsigned passed, suppressed;
};
bool log_limit_pass(struct log_limit *l, unsigned per_second, unsigned *ret_suppressed);

#endif
