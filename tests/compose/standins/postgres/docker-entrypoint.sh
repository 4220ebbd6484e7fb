#!/bin/sh
# Understands of the official image's entry point: POSTGRES_USER, _PASSWORD, _DB, _INITDB_ARGS,
# _HOST_AUTH_METHOD, each also as *_FILE, and the init folder (*.sh, *.sql) run once against a server that
# listens on its socket alone. Runs as the user it is given; as root it goes on as postgres.
set -eu
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" && chown postgres "$PGDATA" && chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
case ${1:-} in -*) set -- postgres "$@" ;; esac
[ "${1:-}" = postgres ] || exec "$@"

from_file() {
    eval "value=\${$1:-} path=\${$1_FILE:-}"
    if [ -n "$value" ] && [ -n "$path" ]; then
        echo "error: both $1 and $1_FILE are set (but are exclusive)" >&2 && exit 1
    fi
    [ -z "$path" ] || value=$(cat "$path")
    [ -n "$value" ] || value=${2:-}
    eval "export $1=\$value"
    unset "$1_FILE"
}
from_file POSTGRES_PASSWORD
from_file POSTGRES_USER postgres
from_file POSTGRES_DB "$POSTGRES_USER"
from_file POSTGRES_INITDB_ARGS
: "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    [ -n "$POSTGRES_PASSWORD" ] || { echo 'Error: Database is uninitialized and superuser password is not specified.' >&2 && exit 1; }
    mkdir -p "$PGDATA" && chmod 700 "$PGDATA"
    (umask 077 && printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/pwfile)
    # shellcheck disable=SC2086 # several words
    initdb -D "$PGDATA" --username="$POSTGRES_USER" --pwfile=/tmp/pwfile $POSTGRES_INITDB_ARGS
    rm /tmp/pwfile
    printf '\nhost all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
    sed -i "s/^#listen_addresses.*/listen_addresses = '*'/" "$PGDATA/postgresql.conf"
    export PGPASSWORD="$POSTGRES_PASSWORD"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    [ "$POSTGRES_DB" = postgres ] || psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$POSTGRES_USER" -d postgres \
        -c "CREATE DATABASE \"$POSTGRES_DB\""
    for file in /docker-entrypoint-initdb.d/*; do
        echo "$0: $file"
        case $file in
        *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
        *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$file" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
