#!/bin/sh
# run.sh [FOLDER]: both programs and the unit tests against musl, the C library of the images. The libraries
# are built with musl-gcc (Debian's musl-tools) of the sources of Debian's packages, those that differ most
# between Debian and Alpine of the newer suite, once, into FOLDER (build/musl): a few minutes. Nothing is installed; wants the packages of deps.sh' group musl.
set -eu
here=$(dirname "$0")
home=${1:-$here/../../build/musl}
mkdir -p "$home" && home=$(cd "$home" && pwd)
prefix=$home/prefix destdir='' linkage='--disable-shared --enable-static'
# shellcheck source=tests/musl/build.sh
. "$here/build.sh"

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

sources bookworm openssl postgresql-15 curl
sources trixie hiredis jansson libmicrohttpd check libsodium libjwt
kernel_headers
pkg_config --static
export CC="musl-gcc" CFLAGS="-O2 -I$prefix/include" LDFLAGS="-L$prefix/lib" CPPFLAGS="-I$prefix/include"
library openssl 'openssl_*.orig.tar.*z'
library libpq 'postgresql-15_*.orig.tar.*z*'
library hiredis 'hiredis_*.orig.tar.*z'
library jansson 'jansson_*.orig.tar.*z*'
library libmicrohttpd 'libmicrohttpd_*.orig.tar.*z'
library curl 'curl_*.orig.tar.*z'
library libsodium 'libsodium_*.orig.tar.*z*'
library libjwt 'libjwt_*.orig.tar.*z*'
library check 'check_*.orig.tar.*z'
unset CPPFLAGS
export BUILD="$home/alicerce"
make -s -C "$project" -j"$jobs" CC=musl-gcc WERROR=1 BUILD="$BUILD" CFLAGS="-isystem $prefix/include -isystem $prefix/include/hiredis" LDFLAGS="-L$prefix/lib" all "$BUILD/unit"
ldd "$BUILD/alicerce-api" | grep -q musl || { echo 'it is not linked against musl' >&2 && exit 1; }
exec "$BUILD/unit"
