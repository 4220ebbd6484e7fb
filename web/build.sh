#!/bin/sh
# build.sh [DEST | packages]: the page as the front serves it: files of assets/ have a digest of their content in their
# names, so that they may be cached for ever; all text is compressed beforehand.
#
# The work is done in build/web and again only when web/ or docs/openapi.yaml changed; DEST gets a copy.
# Several may call at once: one works, the others wait. Wants node and npm; npm's own settings say where
# packages come from.
set -eu
web=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$web")
out=$root/build/web
dest=${1:-}
mkdir -p "$out"

digest() { # of names and contents of what follows
    find "$@" -type f ! -path '*/node_modules/*' ! -path "$web/src/gen/*" ! -path "$web/e2e/*" ! -name '*.test.*' \
        -exec sha256sum {} + | sort -k2 | sha256sum | cut -d' ' -f1
}

# The packages' own wish, told before npm begins: Debian 12 has 18.20, Debian 11 has 12.
node_is_new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null || {
        echo "web/build.sh: the page's build wants node and npm: sh tests/support/deps.sh install web" >&2
        return 1
    }
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 18 || (a === 18 && b >= 18) ? 0 : 1)' || {
        echo "web/build.sh: the page's build wants Node.js 18.18 or newer; here is $(node --version) ($(command -v node))" >&2
        return 1
    }
}

install_packages() {
    node_is_new_enough
    packages=$(digest "$web/package.json" "$web/package-lock.json" "$web/.npmrc")
    # "modules" tells what node_modules holds; it lies in there, so that both go together
    [ "$(cat "$web/node_modules/.alicerce" 2>/dev/null)" = "$packages" ] && return
    echo "  NPM   web/node_modules" >&2
    (cd "$web" && npm ci --no-audit --no-fund --loglevel=error >&2)
    echo "$packages" >"$web/node_modules/.alicerce"
}

compress() {
    find "$1" -type f \( -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '*.svg' -o -name '*.json' \) |
        while read -r file; do
            gzip -9 -n -c "$file" >"$file.gz"
        done
}

build() {
    wanted=$(digest "$web" "$root/docs/openapi.yaml")
    [ "$(cat "$out/page.of" 2>/dev/null)" = "$wanted" ] && return
    install_packages
    echo "  VITE  build/web/page" >&2
    rm -f "$out/page.of"
    (cd "$web" && npm run -s build -- --logLevel warn >&2)
    compress "$out/page"
    echo "$wanted" >"$out/page.of"
}

copy() {
    rm -rf "$dest"
    mkdir -p "$dest"
    (cd "$out/page" && cp -R ./* "$dest") # without .vite, which is for the size check
    find "$dest" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
}

case $dest in '' | /*) ;; *) dest=$PWD/$dest ;; esac
exec 9>"$out/lock"
if command -v flock >/dev/null; then flock 9; fi
if [ "${1:-}" = packages ]; then
    install_packages
    exit
fi
build
[ -z "$dest" ] || copy
