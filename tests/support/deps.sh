#!/bin/sh
# deps.sh: what this machine lacks to build, run or test Alicerce.
#
#   deps.sh check GROUP...    names what is missing, for apt and for apk; exit 1 if anything is
#   deps.sh install GROUP...  installs it with apt-get, as root or by sudo; else as check
#   deps.sh list GROUP...     every package of the groups, for apt
#
# The groups and their probes are the table below. No server is started and none is enabled by an
# install: PostgreSQL's package is told to create no cluster, Redis comes from redis-tools (whose
# redis-check-rdb is the server under another name) and the units of nginx and Docker are disabled again.
set -u

# group | probe | what it is | Debian | Alpine
table() {
    cat <<'END'
build|cmd gcc cc clang|a C compiler|gcc|gcc
build|cmd make|GNU make|make|make
build|cmd pkg-config|pkg-config|pkg-config|pkgconf
build|header stdio.h|the C library's headers|libc6-dev|musl-dev
build|lib libmicrohttpd|libmicrohttpd (HTTP)|libmicrohttpd-dev|libmicrohttpd-dev
build|lib libpq|libpq (PostgreSQL)|libpq-dev|libpq-dev
build|lib hiredis|hiredis (Redis)|libhiredis-dev|hiredis-dev
build|lib jansson|jansson (JSON)|libjansson-dev|jansson-dev
build|lib libcurl|libcurl (Graph API, S3)|libcurl4-openssl-dev|curl-dev
build|lib libjwt|libjwt (tokens)|libjwt-dev|libjwt2-dev
build|lib libsodium|libsodium (Argon2id)|libsodium-dev|libsodium-dev
build|lib libcrypto|libcrypto (HMAC, SHA-256)|libssl-dev|openssl-dev
run|cmd python3|Python 3|python3|python3
run|postgres|the PostgreSQL server|postgresql|postgresql
run|redis|the Redis server|redis-tools|redis
run|sbin nginx|nginx (the front)|nginx-light|nginx
test|lib check|Check (unit tests)|check|check-dev
web|cmd node|Node.js (builds the page)|nodejs|nodejs
web|cmd npm|npm (builds the page)|npm|npm
browser|cmd chromium chromium-browser|Chromium (drives the page)|chromium|chromium
fuzz|fuzzer|clang with libFuzzer|clang libclang-rt-dev|clang compiler-rt
lint|cmd clang|clang|clang|clang
lint|cmd clang-format|clang-format|clang-format|clang-extra-tools
lint|cmd clang-tidy|clang-tidy|clang-tidy|clang-extra-tools
lint|cmd cppcheck|cppcheck|cppcheck|cppcheck
bench|cmd wrk|wrk (load)|wrk|wrk
bench|cmd nginx|nginx (yardstick)|nginx-light|nginx
bench|cmd redis-benchmark|redis-benchmark (yardstick)|redis-tools|redis
compose|sbin dockerd|the Docker engine|docker.io|docker
compose|cmd docker-compose|docker-compose|docker-compose|docker-cli-compose
compose|sbin iptables|iptables|iptables|iptables
compose|sbin debootstrap|debootstrap (stand-ins for images)|debootstrap|debootstrap
compose|cmd openssl|openssl (certificates for a test)|openssl|openssl
compose|cmd curl|curl|curl|curl
musl|cmd musl-gcc|musl-gcc|musl-tools|gcc
musl|cmd bison|bison (libpq from source)|bison|bison
musl|cmd flex|flex (libpq from source)|flex|flex
musl|cmd perl|perl (OpenSSL from source)|perl|perl
musl|cmd autoreconf|autoconf|autoconf automake|autoconf automake
musl|cmd libtoolize|libtool|libtool|libtool
musl|cmd xz|xz|xz-utils|xz
musl|cmd bzip2|bzip2|bzip2|bzip2
musl|cmd openssl|openssl (certificates for a test)|openssl|openssl
END
}

have_cmd() {
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

have_sbin() { # a plain user's path lacks these folders
    (PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin && have_cmd "$@")
}

have_header() {
    for cc in "${CC:-cc}" gcc clang; do
        have_cmd "$cc" && echo "#include <$1>" | "$cc" -E - >/dev/null 2>&1 && return 0
    done
    return 1
}

have_postgres() {
    have_cmd initdb && return 0
    for initdb in /usr/lib/postgresql/*/bin/initdb /usr/libexec/postgresql*/initdb; do
        [ -x "$initdb" ] && return 0
    done
    return 1
}

have_fuzzer() {
    have_cmd clang || return 1
    echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null
}

probe() {
    kind=$1
    shift
    case $kind in
    cmd) have_cmd "$@" ;;
    sbin) have_sbin "$@" ;;
    lib) pkg-config --exists "$1" 2>/dev/null ;;
    header) have_header "$1" ;;
    postgres) have_postgres ;;
    redis) have_cmd redis-server redis-check-rdb ;;
    fuzzer) have_fuzzer ;;
    esac
}

# Rows of the groups in $groups, without the first column.
rows() {
    table | while IFS='|' read -r group rest; do
        case " $groups " in
        *" $group "*) echo "$rest" ;;
        esac
    done
}

missing() {
    rows | while IFS='|' read -r test what apt apk; do
        # shellcheck disable=SC2086 # a probe is a word and its arguments
        probe $test || echo "$what|$apt|$apk"
    done
}

# Column $1 of what is missing, each package once, on one line.
packages() {
    echo "$lacking" | cut -d'|' -f"$1" | tr ' ' '\n' | awk 'NF && !seen[$0]++' | tr '\n' ' ' |
        sed 's/ $//'
}

name_missing() {
    echo "$lacking" | sed 's/|.*//; s/^/missing: /'
    echo "  Debian, Ubuntu:  apt-get install $(packages 2)"
    echo "  Alpine:          apk add $(packages 3)"
} >&2

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

can_install() {
    have_cmd apt-get || return 1
    [ "$(id -u)" = 0 ] && return 0
    have_cmd sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null
}

# The package brings a "main" cluster and starts it, unless it is told not to (pg_createcluster(1)).
no_main_cluster() {
    dropin=/etc/postgresql-common/createcluster.d/alicerce-install.conf
    # shellcheck disable=SC2016 # $1 is that of the inner shell
    as_root sh -c 'mkdir -p "${1%/*}" && echo "create_main_cluster = false" >"$1"' sh "$dropin"
}

# Keeps the packages' scripts from starting services (invoke-rc.d's policy layer), unless the
# machine has a policy of its own.
no_starts() {
    policy=/usr/sbin/policy-rc.d
    [ -e $policy ] && policy= && return
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
}

# shellcheck disable=SC2317 # called by the trap
tidy_up() {
    as_root rm -f "$dropin" "$policy"
    as_root rmdir --ignore-fail-on-non-empty "${dropin%/*}"
}

# Of those that packages here bring, the ones that are there.
services() {
    for name in nginx dockerd; do
        have_sbin $name && echo $name
    done
}

# Those that were not there before: nobody wants them started with the machine.
disable_new() {
    have_cmd systemctl || return 0
    for name in $(services); do
        echo "$had" | grep -qx "$name" && continue
        case $name in
        nginx) as_root systemctl disable -q nginx >&2 ;;
        dockerd) as_root systemctl disable -q docker.service docker.socket containerd.service >&2 ;;
        esac
    done
}

install_missing() {
    apts=$(packages 2)
    had=$(services)
    echo "installing: $apts" >&2
    policy='' dropin=''
    trap tidy_up EXIT
    trap 'exit 130' INT TERM HUP
    no_main_cluster
    no_starts
    # shellcheck disable=SC2086 # several words
    { apt update && apt -o Dpkg::Use-Pty=0 install --no-install-recommends $apts; } >&2 || return 1
    disable_new
}

verb=${1:-}
[ $# -gt 0 ] && shift
groups="$*"
case $verb in
list)
    lacking=$(rows | cut -d'|' -f2-)
    packages 2
    echo
    exit 0
    ;;
check | install) ;;
*)
    sed -n '3,5s/^# *//p' "$0" >&2
    exit 64
    ;;
esac

lacking=$(missing)
[ -z "$lacking" ] && exit 0
if [ "$verb" = install ] && can_install; then
    install_missing || exit 1
    lacking=$(missing)
    [ -z "$lacking" ] && exit 0
fi
name_missing
exit 1
