#!/bin/sh
# inside.sh LAYER ROOTFS COMMAND...: where LAYER's libraries lie in /usr/lib, its bundle of certificates and its
# `cc` and `ldd` where Alpine has them, as in Alpine's build stage; COMMAND runs there. With LAYER "-" nothing is laid,
# but ROOTFS gets what a container engine gives it: /dev, /proc. image.sh runs this in a name space for mounts of its own.
set -eu
layer=$1 rootfs=$2
shift 2
if [ "$layer" = - ]; then
    mkdir -p "$rootfs/dev" "$rootfs/proc"
    mount --rbind /dev "$rootfs/dev"
    mount -t proc proc "$rootfs/proc"
else
    mount -t overlay overlay -o lowerdir="$layer/usr:/usr" /usr
    mount --bind "$layer/ca-certificates.crt" /etc/ssl/certs/ca-certificates.crt
    # Where Debian's musl looks for libraries; what musl itself has for it is in the layer.
    for path in /etc/ld-musl-*.path; do
        [ ! -e "$path" ] || mount --bind "$layer/path" "$path"
    done
fi
exec "$@"
