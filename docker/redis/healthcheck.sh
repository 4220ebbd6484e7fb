#!/bin/sh
set -eu
. /alicerce/password.sh
[ "$(REDISCLI_AUTH=$REDIS_PASSWORD redis-cli -h 127.0.0.1 ping)" = PONG ]
