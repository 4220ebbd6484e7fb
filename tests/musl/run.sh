#!/bin/sh
# run.sh [FOLDER]: both programs and the unit tests against musl, the C library of the images. The libraries
# are built with musl-gcc (Debian's musl-tools) of the sources of Debian's packages, those that differ most
# between Debian and Alpine of the newer suite, once, into FOLDER (build/musl): a few minutes. Nothing is installed; wants the packages of deps.sh' group musl.
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
home=${1:-$project/build/musl}
jobs=$(nproc)
# The mirror that this machine's apt uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
mkdir -p "$home/apt/lists/partial" "$home/prefix/include" "$home/log"
home=$(cd "$home" && pwd)
prefix=$home/prefix

say() {
    printf '  %-8s %s\n' "$1" "$2"
}

# sources SUITE PACKAGE...: by an apt with a list and state of its own: the machine's stay as they are.
sources() {
    fetched=$home/sources-$(echo "$*" | cksum | cut -d' ' -f1).done
    [ -e "$fetched" ] && return
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$home/apt/sources.list"
    suite=$1
    shift
    for verb in update "source --download-only $*"; do
        # shellcheck disable=SC2086 # several words
        (cd "$home" && apt-get -qq -o Dir::Etc::sourcelist="$home/apt/sources.list" \
            -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$home/apt/lists" \
            -o Dir::State::status=/dev/null \
            -o Dir::Cache="$home/apt" -o APT::Sandbox::User=root $verb) || return 1
    done
    touch "$fetched"
    say FETCHED "$* of Debian ($suite)"
}

# The kernel's headers are the same for every C library; musl-gcc looks only into musl's.
kernel_headers() {
    for name in linux asm-generic; do
        ln -sfn /usr/include/$name "$prefix/include/$name"
    done
    ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$prefix/include/asm"
}

# library NAME TARBALL: unpacks it and runs make_NAME in it, unless that was done.
library() {
    [ -e "$home/$1.done" ] && return
    began=$(date +%s)
    rm -rf "${home:?}/src/$1" && mkdir -p "$home/src/$1"
    tar -xf "$(find "$home" -maxdepth 1 -name "$2" | head -n 1)" -C "$home/src/$1" --strip-components=1
    (cd "$home/src/$1" && "make_$1") >"$home/log/$1" 2>&1 || {
        tail -n 30 "$home/log/$1" >&2
        say FAILED "$1 ($home/log/$1)" >&2
        exit 1
    }
    touch "$home/$1.done"
    say BUILT "$1, $(($(date +%s) - began)) s"
}

configure() {
    [ -x configure ] || autoreconf -fi || return 1
    ./configure --prefix="$prefix" --libdir="$prefix/lib" --disable-shared --enable-static "$@"
}

# Each one chain of &&: what fails in the middle must fail as a whole.
make_openssl() {
    ./Configure linux-"$(uname -m)" --prefix="$prefix" --libdir=lib no-shared no-tests no-module \
        no-engine no-legacy no-comp &&
        make -s -j"$jobs" build_libs && make -s install_dev
}

make_libpq() {
    ./configure --prefix="$prefix" --without-readline --without-zlib --without-icu --with-openssl &&
        make -s -C src/backend generated-headers && make -s -C src/include install &&
        make -s -j"$jobs" -C src/common && make -s -C src/common install &&
        make -s -j"$jobs" -C src/port && make -s -C src/port install &&
        make -s -j"$jobs" -C src/interfaces/libpq all-static-lib install-lib-static install-lib-pc &&
        install -m 644 src/interfaces/libpq/libpq-fe.h src/interfaces/libpq/libpq-events.h "$prefix/include"
}

make_hiredis() {
    make -s -j"$jobs" static hiredis.pc PREFIX="$prefix" USE_SSL=0 &&
        install -d "$prefix/include/hiredis" "$prefix/lib/pkgconfig" &&
        install -m 644 ./*.h "$prefix/include/hiredis" && install -m 644 libhiredis.a "$prefix/lib" &&
        install -m 644 hiredis.pc "$prefix/lib/pkgconfig"
}

make_jansson() {
    configure && make -s -j"$jobs" -C src && make -s -C src install && make -s install-pkgconfigDATA
}

make_libmicrohttpd() {
    configure --disable-https --disable-doc --disable-examples --disable-tools --disable-curl &&
        make -s -j"$jobs" && make -s install
}

make_check() {
    configure --disable-subunit &&
        make -s -j"$jobs" -C lib && make -s -j"$jobs" -C src && make -s -C src install &&
        install -m 644 check_stdint.h "$prefix/include" && install -m 644 check.pc "$prefix/lib/pkgconfig"
}

# HTTP and TLS alone, as the worker wants it.
make_curl() {
    configure --with-openssl="$prefix" --without-libpsl --without-brotli --without-zstd --without-zlib \
        --without-libidn2 --without-nghttp2 --disable-ldap --disable-docs --disable-manual \
        --disable-ftp --disable-file --disable-dict --disable-telnet --disable-tftp --disable-pop3 \
        --disable-imap --disable-smtp --disable-gopher --disable-mqtt --disable-rtsp --disable-smb &&
        make -s -j"$jobs" -C lib && make -s -C lib install && make -s -C include install &&
        make -s install-pkgconfigDATA
}

make_libsodium() {
    configure && make -s -j"$jobs" && make -s install
}

make_libb64() {
    make -s -C src libb64.a && cp -r include/b64 "$prefix/include/" && cp src/libb64.a "$prefix/lib/"
}

# Debian leaves out its base64 and brings a patch for libb64 instead, which ends up inside of the archive.
make_libjwt() {
    tar -xf "$(find "$home" -maxdepth 1 -name 'libjwt_1.17*.debian.tar.*z' | head -n 1)" &&
        for name in $(grep -v '^#' debian/patches/series); do
            patch -p1 -s <"debian/patches/$name" || return 1
        done &&
        configure --without-examples --disable-doxygen-doc &&
        make -s -j"$jobs" -C libjwt CPPFLAGS="-I../include $CPPFLAGS" &&
        make -s -C libjwt install && make -s -C include install &&
        mkdir -p b64 && (cd b64 && ar x "$prefix/lib/libb64.a" && ar r "$prefix/lib/libjwt.a" ./*.o)
}

# What is built here is found by a pkg-config of our own, which knows nothing else.
pkg_config() {
    mkdir -p "$home/bin"
    printf '#!/bin/sh\nPKG_CONFIG_LIBDIR=%s/lib/pkgconfig exec %s --static "$@"\n' \
        "$prefix" "$(command -v pkg-config)" >"$home/bin/pkg-config"
    chmod 755 "$home/bin/pkg-config"
}

sources bookworm openssl postgresql-15 curl
sources trixie hiredis jansson libmicrohttpd check libsodium libb64 libjwt
kernel_headers
pkg_config
export PKG_CONFIG="$home/bin/pkg-config"
export CC="musl-gcc" CFLAGS="-O2 -I$prefix/include" LDFLAGS="-L$prefix/lib" CPPFLAGS="-I$prefix/include"
PATH=$home/bin:$PATH
library openssl 'openssl_*.orig.tar.*z'
library libpq 'postgresql-15_*.orig.tar.*z*'
library hiredis 'hiredis_*.orig.tar.*z'
library jansson 'jansson_*.orig.tar.*z*'
library libmicrohttpd 'libmicrohttpd_*.orig.tar.*z'
library curl 'curl_*.orig.tar.*z'
library libsodium 'libsodium_*.orig.tar.*z*'
library libb64 'libb64_*.orig.tar.*z*'
library libjwt 'libjwt_*.orig.tar.*z*'
library check 'check_*.orig.tar.*z'
unset CPPFLAGS
export BUILD="$home/alicerce"
make -s -C "$project" -j"$jobs" CC=musl-gcc WERROR=1 BUILD="$BUILD" CFLAGS="-isystem $prefix/include -isystem $prefix/include/hiredis" LDFLAGS="-L$prefix/lib" all "$BUILD/unit"
ldd "$BUILD/alicerce-api" | grep -q musl || { echo 'it is not linked against musl' >&2 && exit 1; }
exec "$BUILD/unit"
