# Sourced: the password, from the environment or from a file.
[ -n "${REDIS_PASSWORD:-}" ] || REDIS_PASSWORD=$(cat "${REDIS_PASSWORD_FILE:?REDIS_PASSWORD and REDIS_PASSWORD_FILE are both empty}")
