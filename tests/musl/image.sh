#!/bin/sh
# image.sh [ALPINE]: how large the backend image is on Alpine, where its packages cannot be had. Builds every
# shared library that the programs load there, and musl itself, with the options of Alpine's recipes and its
# compiler flags, of the sources of Debian's packages; builds the programs against them; runs docker/rootfs.sh
# as it is; runs both programs in nothing but what that made (chroot.py); prints each file and the sum. ALPINE is a
# folder with an unpacked minirootfs of Alpine: what it has of our files is then taken from there. Root (mount
# and chroot, both in a name space of their own); wants the packages of deps.sh' groups musl, build and run. Some ten
# minutes the first time, into build/musl-image.
#
# Alpine's recipes are those of aports, its flags those of abuild's default.conf. Not as there: zstd is built without
# what was learnt in a trial run, which makes it larger; musl, libpq and OpenSSL without Alpine's patches.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
alpine=${1:+$(cd "$1" && pwd)}
home=$here/../../build/musl-image
mkdir -p "$home" && home=$(cd "$home" && pwd)
root=$home/root
prefix=/usr destdir=$root linkage='--enable-shared --disable-static'
# shellcheck source=tests/musl/build.sh
. "$here/build.sh"
[ "$(id -u)" = 0 ] || { say FAILED 'it mounts and changes its root: run it as root' >&2 && exit 1; }

# abuild's default.conf, and what Alpine's gcc does unasked.
os='-Os -fstack-clash-protection -fstack-protector-strong -fPIC'
ld='-Wl,--as-needed,-O1,--sort-common,-z,relro,-z,now,-z,pack-relative-relocs,--hash-style=gnu,--eh-frame-hdr'
loader=ld-musl-$(uname -m).so.1

# Our own musl-gcc. The loader that it writes into programs is that of $root, so that what configure tries runs and
# finds its libraries in $root; the programs of the image are linked with the real name.
make_musl() {
    CFLAGS=$os LDFLAGS="$ld -Wl,-soname,libc.musl-$(uname -m).so.1" ./configure --prefix="$home/musl" \
        --syslibdir="$root/usr/lib" --enable-wrapper=gcc &&
        make -s -j"$jobs" && make -s install &&
        rm "$root/usr/lib/$loader" && cp "$home/musl/lib/libc.so" "$root/usr/lib/$loader" &&
        mkdir -p "$root/usr/etc" && echo "$root/usr/lib" >"$root/usr/etc/ld-musl-$(uname -m).path" &&
        ln -sf ../musl/bin/musl-gcc "$home/bin/cc"
}

make_zlib() {
    CFLAGS="$CFLAGS -O2" ./configure --prefix=/usr --shared && install_in .
}

make_openssl() {
    # shellcheck disable=SC2086 # several words
    ./Configure linux-"$(uname -m)" --prefix=/usr --libdir=lib --openssldir=/etc/ssl enable-ktls shared no-zlib \
        no-async no-comp no-idea no-mdc2 no-rc5 no-ec2m no-ssl3 no-seed no-weak-ssl-ciphers \
        enable-ec_nistp_64_gcc_128 no-tests $CFLAGS $LDFLAGS -Wa,--noexecstack &&
        make -s -j"$jobs" build_libs && install_in . install_dev
}

# Its Makefile has a folder for headers of its own, as Alpine's recipe has.
make_libpq() {
    CFLAGS="$(echo "$CFLAGS" | sed s/-Os/-O2/)" ./configure --prefix=/usr --libdir=/usr/lib \
        --includedir=/usr/include/postgresql --disable-rpath --without-readline --without-zlib --without-icu \
        --with-openssl --with-lz4=no --with-zstd=no --without-ldap &&
        make -s -C src/backend generated-headers && install_in src/include &&
        make -s -j"$jobs" -C src/common && make -s -j"$jobs" -C src/port &&
        make -s -j"$jobs" -C src/interfaces/libpq && install_in src/interfaces/libpq
}

make_hiredis() {
    set -- PREFIX=/usr DESTDIR="$root" DEBUG="$CFLAGS" LDFLAGS="$LDFLAGS"
    make -s -j"$jobs" dynamic hiredis.pc "$@" && make -s install "$@"
}

make_zstd() {
    make -s -j"$jobs" -C lib lib-mt CFLAGS="$(echo "$CFLAGS" | sed s/-Os/-O3/) -flto=auto" &&
        make -s -C lib install-pc install-shared install-includes PREFIX=/usr DESTDIR="$root"
}

# By hand: its own makefiles are CMake's. libcurl loads what unpacks, not what packs.
make_brotli() {
    for part in common dec; do
        # shellcheck disable=SC2046,SC2086
        $CC $CFLAGS $LDFLAGS -shared -Wl,-soname,libbrotli$part.so.1 -Ic/include -o "$root/usr/lib/libbrotli$part.so.1" \
            c/$part/*.c $([ $part = common ] || echo -lbrotlicommon) &&
            ln -sf libbrotli$part.so.1 "$root/usr/lib/libbrotli$part.so" &&
            printf 'Name: %s\nDescription: brotli\nVersion: 1\nLibs: -lbrotli%s\n' $part $part \
                >"$root/usr/lib/pkgconfig/libbrotli$part.pc" || return 1
    done
    cp -r c/include/brotli "$root/usr/include/"
}

make_cares() {
    configure --disable-tests && make -s -j"$jobs" && install_in .
}

make_nghttp2() {
    CFLAGS="$CFLAGS -ffat-lto-objects -flto=auto" configure --enable-lib-only --disable-examples --disable-werror &&
        make -s -j"$jobs" && install_in .
}

# stand_in SONAME PREFIX LIST HEADER.in [MAP]: what rootfs.sh is to leave out need not be built. Its header, and a
# library with the functions that LIST names, by the versions of MAP, are enough to link with.
# shellcheck disable=SC2086 # MAP is a word or none
stand_in() {
    header=${4##*/} link=${1%%.so*}.so map=${5:+-Wl,--version-script=$5}
    grep -oh "\b$2[A-Za-z0-9_]*" "$3" | sort -u | sed 's/.*/int &(void) { return 0; }/' >names.c &&
        cc -shared -fPIC -w -Wl,-soname,"$1" $map -o "$root/usr/lib/$1" names.c &&
        ln -sf "$1" "$root/usr/lib/$link" &&
        sed 's/@DEFINE_IOVEC_T@/#include <sys\/uio.h>\ntypedef struct iovec giovec_t;/
            s/"@[A-Z_]*VERSION@"/"3.8.9"/; s/@[A-Z_]*NUMBER[A-Z_]*@/0x030809/; s/@[A-Z_]*@/3/' "$4" >"${header%.in}" &&
        printf 'Name: %s\nDescription: a stand-in\nVersion: 3.8.9\nLibs: -l%s\n' "$1" "${link#lib}" | sed 's/\.so$//' \
            >"$root/usr/lib/pkgconfig/${link%.so}.pc"
}

make_libidn2() {
    stand_in libidn2.so.0 idn2_ lib/idn2.map lib/idn2.h.in lib/idn2.map && cp idn2.h "$root/usr/include/"
}

make_libpsl() {
    stand_in libpsl.so.5 psl_ include/libpsl.h.in include/libpsl.h.in && cp libpsl.h "$root/usr/include/"
}

make_gnutls() {
    stand_in libgnutls.so.30 gnutls_ lib/libgnutls.map lib/includes/gnutls/gnutls.h.in lib/libgnutls.map &&
        cp -r lib/includes/gnutls "$root/usr/include/" && cp gnutls.h "$root/usr/include/gnutls/"
}

make_libmicrohttpd() {
    configure --enable-largefile --disable-curl --enable-https --enable-messages --disable-doc --disable-examples \
        --disable-tools && make -s -j"$jobs" && install_in .
}

# Alpine's words for the bundle of certificates, too.
make_curl() {
    configure --enable-ares --enable-ipv6 --enable-unix-sockets --enable-websockets --with-libidn2 --with-nghttp2 \
        --with-openssl --with-brotli --with-zstd --with-zlib --with-libpsl --disable-ldap --without-libssh2 \
        --with-ca-bundle=/etc/ssl/cert.pem --with-pic --disable-docs --disable-manual &&
        make -s -j"$jobs" -C lib && install_in lib && install_in include && install_in . install-pkgconfigDATA
}

sources trixie musl zlib openssl hiredis jansson libsodium libjwt libzstd libidn2 libpsl gnutls28 \
    libmicrohttpd
sources forky postgresql-18 brotli c-ares nghttp2 curl
kernel_headers
pkg_config
library musl 'musl_*'
export CC="$home/musl/bin/musl-gcc" CFLAGS="$os" CPPFLAGS="-I$root/usr/include" LDFLAGS="$ld,--allow-shlib-undefined -L$root/usr/lib"
library zlib 'zlib_*'
library openssl 'openssl_*'
library libpq 'postgresql-18_*'
library hiredis 'hiredis_*'
library jansson 'jansson_*'
library libsodium 'libsodium_*'
library libjwt 'libjwt_*'
library zstd 'libzstd_*'
library brotli 'brotli_*'
library cares 'c-ares_*'
library nghttp2 'nghttp2_*'
library libidn2 'libidn2_*'
library libpsl 'libpsl_*'
library gnutls 'gnutls28_*'
library libmicrohttpd 'libmicrohttpd_*'
library curl 'curl_*'
unset CPPFLAGS

# The programs, as Dockerfile.backend builds them; the loader's name is that of the image. What a library needs of
# others the loader will find; ld would look for it among this machine's.
programs="$home/alicerce/alicerce-api $home/alicerce/alicerce-worker"
make -s -C "$project" -j"$jobs" WERROR=1 BUILD="$home/alicerce" CFLAGS="-isystem $root/usr/include" \
    LDFLAGS="-L$root/usr/lib -Wl,--eh-frame-hdr,--allow-shlib-undefined -Wl,--dynamic-linker=/lib/$loader" all
# shellcheck disable=SC2086 # two words
strip $programs

# What lies over /usr while rootfs.sh runs: the libraries, and of ALPINE's what it has of them.
layer=$home/layer lib=$home/layer/usr/lib
rm -rf "$layer" && mkdir -p "$lib" "$layer/usr/bin"
cp -a "$root"/usr/lib/*.so* "$lib/"
find "$lib" -type f -exec strip {} +
cp /etc/ssl/certs/ca-certificates.crt "$layer/"
of_alpine=''
for name in ${alpine:+"$loader" libcrypto.so.3 libssl.so.3 libz.so.1 ca-certificates.crt}; do
    theirs=$(find "$alpine" -name "$name" | head -n 1)
    [ -n "$theirs" ] || continue
    [ "$name" = ca-certificates.crt ] && ours=$layer/$name || ours=$(readlink -f "$lib/$name")
    cp -L "$theirs" "$ours"
    of_alpine="$of_alpine ${ours##*/} $name"
done
printf '/lib\n/usr/local/lib\n/usr/lib\n' >"$layer/path"
printf '#!/bin/sh\nexec /lib/%s --list "$@"\n' "$loader" >"$layer/usr/bin/ldd" # what Alpine's is
ln -s "$CC" "$layer/usr/bin/cc"
chmod 755 "$layer/usr/bin/ldd"

rootfs=$home/rootfs
rm -rf "$rootfs"
# shellcheck disable=SC2086 # two words
unshare -m --propagation private sh "$here/inside.sh" "$layer" "$rootfs" sh "$project/docker/rootfs.sh" "$rootfs" $programs
(cd "$rootfs" && find . -type f -printf '%s %P\n') | sort -rn >"$home/files"
awk -v theirs=" $of_alpine " '{ file = $2; sub(".*/", "", file); sum += $1
        printf "%9d  %s%s\n", $1, $2, index(theirs, " " file " ") ? " (Alpine)" : "" }
    END { printf "%9d  bytes, %d files: %.1f MB\n", sum, NR, sum / 1e6 }' "$home/files"
unshare -m --propagation private sh "$here/inside.sh" - "$rootfs" python3 -B "$here/chroot.py" "$rootfs"
[ "$(awk '{ sum += $1 } END { print sum }' "$home/files")" -le 15000000 ] || { say FAILED 'that is more than 15 MB' >&2 && exit 1; }
