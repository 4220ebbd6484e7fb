#!/bin/sh
# As the official image's: sources *.envsh and runs *.sh of /docker-entrypoint.d in order, if executable.
set -e
case ${1:-} in nginx*)
    for file in $(find /docker-entrypoint.d -follow -type f | sort -V); do
        [ -x "$file" ] || { echo "$0: ignoring $file, not executable" && continue; }
        case $file in
        *.envsh) . "$file" ;;
        *.sh) "$file" ;;
        esac
    done
    ;;
esac
exec "$@"
