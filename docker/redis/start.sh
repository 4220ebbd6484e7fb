#!/bin/sh
# Redis as the queue wants it. The password goes in by standard input: arguments can be read by all.
set -eu
. /alicerce/password.sh
quoted=$(printf %s "$REDIS_PASSWORD" | sed 's/[\\"]/\\&/g')
unset REDIS_PASSWORD
exec redis-server - <<END
dir /data
appendonly yes
appendfsync always
maxmemory ${REDIS_MAXMEMORY:-256mb}
maxmemory-policy noeviction
save ""
tcp-keepalive 60
requirepass "$quoted"
END
