/* redact: takes the persons out of a payload, for those who may see what came in but not from whom.
 *
 * An allowlist, so that what nobody thought of is hidden: of all texts and numbers only those stay
 * that stand under a key which names no person (redact_key), and look like an id, a word or a time.
 * One pass over the text; nothing is built but the output. Pure functions. */
#ifndef ALICERCE_REDACT_H
#define ALICERCE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

#define REDACT_MARK "[oculto]"

/* Does this key, as it stands between its quotes, name no person? */
bool redact_key(const char *key, size_t len);

/* Appends JSON text without white space, with REDACT_MARK in place of every text and number that
 * may not be shown. Keys that are no plain names become the mark, too, each with a number of its
 * own. false, and nothing appended, for what is no JSON (jsonscan_check); out may fail at its cap.
 */
bool redact_json(struct buf *out, const char *text, size_t len);

#endif
