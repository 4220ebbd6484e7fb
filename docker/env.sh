#!/bin/sh
# env.sh: makes .env of .env.docker with secrets of its own, or fills in those that an .env lacks. What
# has a value keeps it. `SECRETS=files` keeps the values in secrets/ (see compose.secrets.yml).
set -eu
umask 077
cd "$(dirname "$0")/.."

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

value_of() { # the last line counts, as in compose
    sed -n "s/^$1=//p" .env | tail -n 1
}

set_value() { # name, value of [0-9a-zA-Z./:-] only
    if grep -q "^$1=" .env; then
        sed -i "s|^$1=.*|$1=$2|" .env
    else
        echo "$1=$2" >>.env
    fi
}

fill() {
    [ -n "$(value_of "$1")" ] && return
    set_value "$1" "$(random)"
    echo "$1: made"
}

to_file() { # name of the variable, of the file
    value=$(value_of "$1")
    [ -n "$value" ] || { echo "$1: empty, and a file of a secret must not be: fill it in .env first" >&2 && exit 1; }
    if [ "$value" != in-secrets ]; then
        printf '%s\n' "$value" >"secrets/$2"
        set_value "$1" in-secrets # a word, because it must not be empty
        echo "$1: moved into secrets/$2"
    fi
    [ -e "secrets/$2" ] || { echo "secrets/$2 is missing: put the value of $1 in it" >&2 && exit 1; }
}

if [ ! -e .env ]; then
    cp .env.docker .env
    echo ".env: made of .env.docker"
fi
chmod 600 .env
for name in POSTGRES_PASSWORD REDIS_PASSWORD JWT_SECRET META_VERIFY_TOKEN; do
    fill $name
done
[ -n "$(value_of META_APP_SECRET)" ] || echo "META_APP_SECRET: empty; Meta's App Dashboard has it (until then /webhook answers 503)"

if [ "${SECRETS:-}" = files ]; then
    mkdir -p secrets
    to_file POSTGRES_PASSWORD postgres_password
    to_file REDIS_PASSWORD redis_password
    to_file JWT_SECRET jwt_secret
    to_file META_VERIFY_TOKEN meta_verify_token
    to_file META_APP_SECRET meta_app_secret
    files=docker-compose.yml:docker/compose.secrets.yml
    if [ -n "$(value_of STORAGE_SECRET_KEY)" ]; then
        to_file STORAGE_ACCESS_KEY storage_access_key
        to_file STORAGE_SECRET_KEY storage_secret_key
        files=$files:docker/compose.storage-secrets.yml
    fi
    printf 'postgresql://alicerce:%s@db:5432/alicerce\n' "$(cat secrets/postgres_password)" >secrets/database_url
    # The containers' users must be able to read them: the folder keeps everyone else out.
    chmod 700 secrets && chmod 444 secrets/*
    set_value COMPOSE_FILE "$files"
    echo "COMPOSE_FILE: $files"
fi
