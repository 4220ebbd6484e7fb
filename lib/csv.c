/* csv: owns the rules of a cell. */
#include "csv.h"

#include <stdbool.h>
#include <string.h>

#include "buf.h"

static bool begins(const char *s, size_t len, const char *what)
{
    size_t n = strlen(what);
    return n <= len && memcmp(s, what, n) == 0;
}

/* Length of the blank at s that a spreadsheet may cut off: a space, U+00A0, U+3000, U+FEFF, the
 * zero-width ones from U+200B. */
static size_t blank_at(const char *s, size_t len)
{
    static const char *const blanks[] = {" ",      "\u00a0", "\u3000", "\ufeff",
                                         "\u200b", "\u200c", "\u200d"};
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++)
        if (begins(s, len, blanks[i]))
            return strlen(blanks[i]);
    return 0;
}

static bool is_formula(const char *s, size_t len)
{
    static const char *const starts[] = {"=",  "+",      "-",      "@",      "\t",    "\r",
                                         "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"};
    for (size_t n; (n = blank_at(s, len)) > 0; s += n)
        len -= n;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (begins(s, len, starts[i]))
            return true;
    return false;
}

void csv_cell(struct buf *b, const char *s, size_t len)
{
    if (!s)
        return;
    buf_str(b, is_formula(s, len) ? "\"'" : "\"");
    while (len > 0) {
        const char *quote = memchr(s, '"', len);
        size_t n = quote ? (size_t)(quote - s) + 1 : len;
        buf_add(b, s, n);
        if (quote)
            buf_char(b, '"');
        s += n;
        len -= n;
    }
    buf_char(b, '"');
}
