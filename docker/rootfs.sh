#!/bin/sh
# rootfs.sh DEST PROGRAM...: the file system of the backend image: the programs, every library that the
# loader would find for them, certificates, one user. Reads what ldd says, musl's or glibc's. Wants cc and nm.
set -eu
dest=$1
shift
hollow=$(mktemp -d)
trap 'rm -rf "$hollow"' EXIT

put() { # a file, with all that its name goes through followed
    mkdir -p "$dest$(dirname "$1")"
    cp -L "$1" "$dest$1"
}

libraries() { # of one program, with full names
    needs=$(ldd "$1")
    case $needs in
    *'not found'*) echo "$needs" >&2 && return 1 ;;
    esac
    echo "$needs" | awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }'
}

# hollow_library NAME PREFIX LIBRARY...: a library of that name with the functions that those libraries want of it, by
# their versions; each does nothing and returns -1250 (GnuTLS' "unimplemented", no success anywhere), or a text.
hollow_library() {
    name=$1 prefix=$2
    shift 2
    nm -D --undefined-only "$@" | sed -n "s/.* U \($prefix[A-Za-z0-9_]*\)@*\([A-Za-z0-9_.]*\)\$/\1 \2/p" | sort -u >"$hollow/wanted"
    awk '/strerror|version/ { print "const char *" $1 "(void) { return \"left out\"; }"; next }
        { print "int " $1 "(void) { return -1250; }" }' "$hollow/wanted" | sort -u >"$hollow/hollow.c"
    awk '$2 { of[$2] = of[$2] " " $1 ";" } END { for (v in of) print v " {" of[v] " };" }' "$hollow/wanted" >"$hollow/versions"
    set --
    [ ! -s "$hollow/versions" ] || set -- -Wl,--version-script="$hollow/versions"
    cc -shared -nostdlib -fno-builtin -w -Os -s -Wl,-soname="$name" "$@" -o "$hollow/$name" "$hollow/hollow.c"
}

# What is loaded and never run, and what that loads in turn, 6 MB: GnuTLS, by libmicrohttpd (TLS ends at the front; what
# the programs themselves speak is OpenSSL's); the lists of domains for cookies and the tables for names of hosts that
# are not ASCII, by libcurl (which is asked for neither).
all=$(for program in "$@"; do libraries "$program"; done | sort -u)
for pair in libgnutls.so.30:gnutls_ libpsl.so.5:psl_ libidn2.so.0:idn2_; do
    # shellcheck disable=SC2086 # one word each
    case $all in
    */"${pair%:*}"*) hollow_library "${pair%:*}" "${pair#*:}" $all ;;
    esac
done
export LD_LIBRARY_PATH="$hollow"

for program in "$@"; do
    mkdir -p "$dest/usr/local/bin"
    cp "$program" "$dest/usr/local/bin/"
    for file in $(libraries "$program"); do
        case $file in
        "$hollow"/*) mkdir -p "$dest/usr/lib" && cp "$file" "$dest/usr/lib/" ;;
        *) put "$file" ;;
        esac
    done
done
put /etc/ssl/certs/ca-certificates.crt
ln -sf certs/ca-certificates.crt "$dest/etc/ssl/cert.pem" # its other name on Alpine, which a libcurl may have been built with
mkdir -p "$dest/etc" "$dest/tmp" "$dest/var/lib/alicerce"
echo 'alicerce:x:10001:10001::/var/lib/alicerce:/sbin/nologin' >"$dest/etc/passwd"
echo 'alicerce:x:10001:' >"$dest/etc/group"
chmod 1777 "$dest/tmp"
chown 10001:10001 "$dest/var/lib/alicerce"
chmod 750 "$dest/var/lib/alicerce"
