# build.sh: what run.sh and image.sh share: getting the sources, building each library once. To be read in
# (`. build.sh`) after $home, the folder for it all, $prefix, where the libraries are to lie, $destdir, what goes
# before that on this machine, and $linkage, configure's words for static or shared libraries.
# shellcheck shell=sh disable=SC2154
project=$(cd "$here/../.." && pwd)
jobs=$(nproc)
unset LIBRARY_PATH CPATH C_INCLUDE_PATH # what this machine's compiler is told of, not musl-gcc
mkdir -p "$home/apt/lists/partial" "$home/bin" "$home/log" "$destdir$prefix/include"

say() {
    printf '  %-8s %s\n' "$1" "$2"
}

# An apt with a list and state of its own: the machine's stay as they are.
own_apt() {
    tool=$1
    shift
    "$tool" -qq -o Dir::Etc::sourcelist="$home/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$home/apt/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$home/apt" \
        -o APT::Sandbox::User=root "$@"
}

# The newest version whose archive is there: a mirror may name one that it does not have yet.
source_of() {
    own_apt apt-cache showsrc --only-source "$1" | sed -n 's/^Version: //p' | sort -rVu >"$home/apt/versions"
    while read -r version; do
        (cd "$home" && own_apt apt-get source --tar-only "$1=$version") 2>>"$home/log/sources" && return
    done <"$home/apt/versions"
    return 1
}

# sources SUITE PACKAGE...: their upstream archives, from the mirror that this machine's apt uses.
sources() {
    fetched=$home/sources-$(echo "$*" | cksum | cut -d' ' -f1).done
    [ -e "$fetched" ] && return
    # shellcheck disable=SC2016 # apt's own words
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$home/apt/sources.list"
    suite=$1
    shift
    own_apt apt-get update || return 1
    for package in "$@"; do
        source_of "$package" || { say FAILED "no source of $package in $suite" >&2 && return 1; }
    done
    touch "$fetched"
    say FETCHED "$* of Debian ($suite)"
}

# The kernel's headers are the same for every C library; musl-gcc looks only into musl's.
kernel_headers() {
    for name in linux asm-generic; do
        ln -sfn /usr/include/$name "$destdir$prefix/include/$name"
    done
    ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$destdir$prefix/include/asm"
}

# What is built here is found by a pkg-config of our own, which knows nothing else. Its words go before all others.
pkg_config() {
    printf '#!/bin/sh\nPKG_CONFIG_LIBDIR=%s PKG_CONFIG_SYSROOT_DIR=%s exec %s %s "$@"\n' \
        "$destdir$prefix/lib/pkgconfig" "$destdir" "$(command -v pkg-config)" "$*" >"$home/bin/pkg-config"
    chmod 755 "$home/bin/pkg-config"
    export PKG_CONFIG="$home/bin/pkg-config"
    PATH=$home/bin:$PATH
}

# library NAME TARBALL: unpacks it and runs make_NAME in it, unless that was done. libtool's own notes of what was
# built are thrown away: they know nothing of $destdir.
library() {
    [ -e "$home/$1.done" ] && return
    began=$(date +%s)
    rm -rf "${home:?}/src/$1"
    mkdir -p "$home/src/$1"
    tar -xf "$(find "$home" -maxdepth 1 -name "$2" | head -n 1)" -C "$home/src/$1" --strip-components=1
    (cd "$home/src/$1" && "make_$1") >"$home/log/$1" 2>&1 || {
        tail -n 30 "$home/log/$1" >&2
        say FAILED "$1 ($home/log/$1)" >&2
        exit 1
    }
    rm -f "$destdir$prefix"/lib/*.la
    touch "$home/$1.done"
    say BUILT "$1, $(($(date +%s) - began)) s"
}

# Below, each one chain of &&: what fails in the middle must fail as a whole.
configure() {
    [ -x configure ] || autoreconf -fi || return 1
    # shellcheck disable=SC2086 # several words
    ./configure --prefix="$prefix" --libdir="$prefix/lib" $linkage "$@"
}

install_in() { # FOLDER of the source, or its target
    make -s -C "$1" "${2:-install}" DESTDIR="$destdir"
}

make_jansson() {
    configure && make -s -j"$jobs" -C src && install_in src && install_in . install-pkgconfigDATA
}

make_libsodium() {
    configure && make -s -j"$jobs" && install_in .
}

# Debian's copy of its source has no base64: ours stands in.
make_libjwt() {
    cp "$project/tests/musl/base64.c" "$project/tests/musl/base64.h" libjwt/ &&
        configure --without-examples --disable-doxygen-doc &&
        make -s -j"$jobs" -C libjwt CPPFLAGS="-I../include $CPPFLAGS" &&
        install_in libjwt && install_in include
}
