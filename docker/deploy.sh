#!/bin/sh
# deploy.sh: replaces every backend by a new one without losing a request, then worker and front if theirs
# has changed. As many new backends as there are old ones are started beside them, where the front does not
# find them; those that are healthy and ready get the name that it looks for, and then the old ones are
# stopped one by one, each with the time to drain. When a new one does not get ready, all new ones are
# removed again and nothing has changed.
#
#   BUILD=no docker/deploy.sh                 the images are there already
#   ALICERCE_VERSION=0.1.0 docker/deploy.sh   another version: to roll back, too
#   READY_SECONDS=120                         how long a new one may take
set -eu
cd "$(dirname "$0")/.."
: "${BUILD:=yes}" "${READY_SECONDS:=120}"

if docker compose version >/dev/null 2>&1; then
    compose() { docker compose "$@"; }
else
    compose() { docker-compose "$@"; }
fi

say() {
    printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$*"
}

count() {
    echo "$#"
}

networks_of() {
    docker inspect -f '{{range $name, $net := .NetworkSettings.Networks}}{{$name}}{{"\n"}}{{end}}' "$1"
}

address_of() { # a container's, on the network that the front is on, too
    docker inspect -f "{{with index .NetworkSettings.Networks \"$network\"}}{{.IPAddress}}{{end}}" "$1"
}

rejoin() { # container, and --alias NAME or nothing: without one the front does not find it
    joining=$1
    shift
    docker network disconnect "$network" "$joining"
    docker network connect "$@" "$network" "$joining"
}

start_apart() {
    rejoin "$1"
    for other in $networks; do # docker-compose 1.29 connects all but one of them only when it starts
        networks_of "$1" | grep -qxF "$other" || docker network connect "$other" "$1"
    done
    docker start "$1" >/dev/null
}

is_ready() { # healthy is that it lives; ready that it has its servers
    [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = healthy ] &&
        docker exec "$front" wget -q -T 3 -O /dev/null "http://$(address_of "$1"):3000/status" 2>/dev/null
}

wait_ready() {
    until is_ready "$1"; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        sleep 0.5
    done
}

give_up() {
    say "$1 did not get ready within $READY_SECONDS s: its last words, and then everything as it was"
    docker logs --tail 20 "$1" >&2
    # shellcheck disable=SC2086 # ids
    docker rm -f $new >/dev/null
    exit 1
}

[ "$BUILD" = no ] || compose build backend frontend
old=$(compose ps -q backend)
front=$(compose ps -q frontend | head -n 1)
if [ -z "$old" ] || [ -z "$front" ]; then
    say 'nothing runs yet: starting all'
    compose up -d
    exit
fi

# shellcheck disable=SC2086
n=$(count $old)
say "$n backends: as many new ones are started beside them"
# Never --no-deps: Compose 2 counts what a service depends on as a part of its settings, and a later `up`
# would find all of them changed, and recreate them at once.
compose up --no-start --no-recreate --scale backend=$((2 * n)) backend
new=$(compose ps -aq backend | grep -vxF "$old")
network=$(networks_of "$front" | grep 'app-network$')
networks=$(networks_of "$(echo "$old" | head -n 1)")
until=$(($(date +%s) + READY_SECONDS))
# shellcheck disable=SC2086 # ids
trap 'docker rm -f $new >/dev/null; exit 130' INT TERM HUP
for id in $new; do
    start_apart "$id"
done
for id in $new; do
    wait_ready "$id" || give_up "$id"
done
for id in $new; do
    rejoin "$id" --alias backend
done
trap - INT TERM HUP
sleep 3 # the front looks names up every second
for id in $old; do
    docker stop -t 20 "$id" >/dev/null
    docker rm "$id" >/dev/null
    say "replaced $(echo "$id" | cut -c1-12)"
done

# The rest as the file has it now. The queue keeps what comes while the worker is replaced. The front has
# the machine's port to itself: only when its image or settings have changed is it away for a second, and
# so are PostgreSQL and Redis.
# shellcheck disable=SC2046
compose up -d --scale backend="$n" --scale worker="$(count $(compose ps -q worker))"
say 'done'
