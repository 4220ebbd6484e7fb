#!/bin/sh
# build.sh DEST: the page as the front serves it. A file of assets/ gets a digest of its content into its
# name, so that it may be cached for ever; all text is compressed beforehand.
set -eu
src=$(cd "$(dirname "$0")/static" && pwd)
dest=$1
rm -rf "$dest"
mkdir -p "$dest/assets"
cp "$src"/*.* "$dest"
for file in "$src"/assets/*; do
    name=${file##*/}
    digest=$(sha256sum "$file" | cut -c1-12)
    hashed=${name%.*}.$digest.${name##*.}
    cp "$file" "$dest/assets/$hashed"
    sed "s|/assets/$name\"|/assets/$hashed\"|" "$dest/index.html" >"$dest/index.new"
    mv "$dest/index.new" "$dest/index.html"
done
for file in "$dest"/*.html "$dest"/assets/*.css "$dest"/assets/*.js "$dest"/assets/*.svg; do
    gzip -9 -n -c "$file" >"$file.gz"
done
find "$dest" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
