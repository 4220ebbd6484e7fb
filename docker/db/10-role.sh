#!/bin/sh
# Runs once, when the database is made: the programs' role is no superuser, and the superuser has no
# password, so that it can only come through the socket inside of the container.
set -eu
psql -v ON_ERROR_STOP=1 --no-psqlrc -q --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE alicerce LOGIN PASSWORD :'password';
ALTER DATABASE alicerce OWNER TO alicerce;
ALTER ROLE postgres PASSWORD NULL;
SQL
