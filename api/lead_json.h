/* lead_json: the form of a lead on the wire. */
#ifndef ALICERCE_LEAD_JSON_H
#define ALICERCE_LEAD_JSON_H

#include <stdbool.h>

#include "buf.h"
#include "store_leads.h"

bool lead_is_test(const struct lead *l);
/* {"leadgen_id":…: a row of a page, without the closing brace. hidden: without what tells of the
 * person. */
void lead_json_begin(struct buf *b, const struct lead *l, bool hidden);
/* The fields of its form as JSON: as Meta gave them, or with the names alone. */
void lead_json_fields(struct buf *b, struct pg_text campos, bool hidden);

#endif
