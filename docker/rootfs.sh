#!/bin/sh
# rootfs.sh DEST PROGRAM...: the file system of the backend image: the programs, every library that the
# loader would find for them, certificates, one user. Reads what ldd says, musl's or glibc's.
set -eu
dest=$1
shift

put() { # a file, with all that its name goes through followed
    mkdir -p "$dest$(dirname "$1")"
    cp -L "$1" "$dest$1"
}

for program in "$@"; do
    mkdir -p "$dest/usr/local/bin"
    cp "$program" "$dest/usr/local/bin/"
    libraries=$(ldd "$program")
    case $libraries in
    *'not found'*) echo "$libraries" >&2 && exit 1 ;;
    esac
    for file in $(echo "$libraries" | awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }'); do
        put "$file"
    done
done
put /etc/ssl/certs/ca-certificates.crt
mkdir -p "$dest/etc" "$dest/tmp" "$dest/var/lib/alicerce"
echo 'alicerce:x:10001:10001::/var/lib/alicerce:/sbin/nologin' >"$dest/etc/passwd"
echo 'alicerce:x:10001:' >"$dest/etc/group"
chmod 1777 "$dest/tmp"
chown 10001:10001 "$dest/var/lib/alicerce"
chmod 750 "$dest/var/lib/alicerce"
