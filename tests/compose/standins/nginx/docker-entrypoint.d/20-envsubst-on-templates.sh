#!/bin/sh
# templates/X.template → conf.d/X, with the variables whose names NGINX_ENVSUBST_FILTER matches.
set -eu
from=/etc/nginx/templates to=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d $from ] || exit 0
[ -w "$to" ] || { echo "$0: ERROR: $from exists, but $to is not writable" && exit 0; }
names=$(awk -v filter="${NGINX_ENVSUBST_FILTER:-}" 'BEGIN { for (n in ENVIRON) if (n ~ filter) printf "${%s} ", n }')
find $from -follow -type f -name '*.template' | while read -r template; do
    name=${template#"$from"/}
    mkdir -p "$to/$(dirname "$name")"
    envsubst "$names" <"$template" >"$to/${name%.template}"
done
