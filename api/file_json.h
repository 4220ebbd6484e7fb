/* file_json: the form of a file on the wire. */
#ifndef ALICERCE_FILE_JSON_H
#define ALICERCE_FILE_JSON_H

#include "buf.h"
#include "store_file.h"

void file_json(struct buf *b, const struct file_row *f);

#endif
