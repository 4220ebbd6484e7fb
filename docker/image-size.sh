#!/bin/sh
# image-size.sh IMAGE...: what is in an image, from the files that enter it: the size of every regular file
# (a hard link counts once), the largest first, and their sum, which is what it takes on disk. No
# compression, no metadata.
set -eu
for image in "$@"; do
    id=$(docker create "$image" true)
    docker export "$id" | tar -tv | awk -v image="$image" '
        /^-/ { print $3, $6; sum += $3; n++ }
        END { printf "%d %s: %d files, %.1f MB (%.1f MiB)\n", sum, image, n, sum / 1e6, sum / 1048576 }' |
        sort -rn | head -n "${LINES_SHOWN:-20}"
    docker rm "$id" >/dev/null
done
