/* csv: one cell of a CSV file (RFC 4180) that is safe to open in a spreadsheet. Pure. */
#ifndef ALICERCE_CSV_H
#define ALICERCE_CSV_H

#include <stddef.h>

struct buf;

/* Appends it in quotes. A text that a spreadsheet would take for a formula, because it begins (also
 * behind blanks) with one of = + - @ or their full-width forms, or with a tab or line break, gets
 * an apostrophe before it (OWASP, "CSV Injection"). s is valid UTF-8; NULL: an empty cell. */
void csv_cell(struct buf *b, const char *s, size_t len);

#endif
