#!/bin/sh
# Turns the SQL files given into a C file with one `struct migration` each, in the order of their names.
# The text goes as numbers, so that no byte of it needs escaping.
set -eu
echo '#include "migrate.h"'
i=0
for f in "$@"; do
    printf 'static const unsigned char sql_%d[] = {' "$i"
    od -An -v -tu1 "$f" | sed 's/  */,/g; s/^,//; s/$/,/'
    echo '0};'
    i=$((i + 1))
done
echo 'const struct migration migrations[] = {'
i=0
for f in "$@"; do
    printf '    {"%s", (const char *)sql_%d, sizeof sql_%d - 1},\n' "$(basename "$f" .sql)" "$i" "$i"
    i=$((i + 1))
done
echo '};'
echo 'const unsigned n_migrations = sizeof migrations / sizeof migrations[0];'
