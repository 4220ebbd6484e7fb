#!/bin/sh
# A request to every route every EVERY seconds, one line each: time, what was asked, how long it took, what
# came back. For people to look at; wants nothing but busybox' (or GNU's) ordinary tools.
set -u
: "${URL:=http://localhost}" "${EVERY:=15}" "${ROUNDS:=0}" # 0: for ever
trap 'exit 0' TERM INT

hmac_pad() { # the key XOR byte $1, 64 bytes of it, as printf escapes. Keys of up to 64 bytes.
    printf %s "$META_APP_SECRET" | od -An -v -tu1 | tr -s ' \n' '\n' | awk -v pad="$1" '
        function xor(a, b,  r, i) { for (i = 1; i < 256; i *= 2) { if (a % 2 != b % 2) r += i; a = int(a / 2); b = int(b / 2) } return r }
        NF { printf "\\%03o", xor($1, pad); n++ }
        END { for (; n < 64; n++) printf "\\%03o", pad }'
}

signature() { # of the text $1: HMAC-SHA256 (RFC 2104)
    inner=$({ printf "$(hmac_pad 54)"; printf %s "$1"; } | sha256sum | cut -c1-64 | sed 's/../\\x&/g')
    { printf "$(hmac_pad 92)"; printf "$(hex_to_octal "$inner")"; } | sha256sum | cut -c1-64
}

hex_to_octal() { # \x41 is not POSIX printf's
    echo "$1" | tr -d x | tr '\\' '\n' | awk '
        function digit(c) { return index("0123456789abcdef", c) - 1 }
        length($0) == 2 { printf "\\%03o", digit(substr($0, 1, 1)) * 16 + digit(substr($0, 2, 1)) }'
}

now_ms() {
    cut -d' ' -f1 /proc/uptime | tr -d .
}

shown=90 # bytes of an answer
ask() { # label, path, wget's further arguments
    label=$1 path=$2
    shift 2
    began=$(now_ms)
    if wget -q -T 10 -O /tmp/answer "$@" "$URL$path" 2>/tmp/error; then
        said=$(head -c "$shown" /tmp/answer | tr '\n' ' ')
    else
        said="FALHOU: $(tail -n 1 /tmp/error | cut -c1-90)"
    fi
    printf '%s  %-28s %5s ms  %s\n' "$(date -u +%H:%M:%S)" "$label" "$((($(now_ms) - began) * 10))" "$said"
}

deliver() {
    body="{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"time\":$1,\"changes\":[{\"field\":\"leadgen\",\"value\":{\"leadgen_id\":\"9$1\",\"page_id\":\"1\",\"form_id\":\"2\",\"created_time\":$1}}]}]}"
    ask 'POST /webhook' /webhook --header "X-Hub-Signature-256: sha256=$(signature "$body")" \
        --header 'Content-Type: application/json' --post-data "$body"
}

json_text() { # $1 between quotes
    printf '"%s"' "$(printf %s "$1" | sed 's/["\\]/\\&/g')"
}

token='' token_until=0
sign_in() { # a token lives 15 minutes
    [ "$1" -ge "$token_until" ] || return 0
    shown=0 # nothing of a token
    ask 'POST /api/auth/login' /api/auth/login --header 'Content-Type: application/json' --post-data \
        "{\"email\":$(json_text "$ADMIN_EMAIL"),\"senha\":$(json_text "$ADMIN_PASSWORD")}"
    shown=90
    token=$(sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' /tmp/answer)
    [ -z "$token" ] || token_until=$(($1 + 600))
}

operators() { # what an operator's page asks for; the stream is looked at for a second
    sign_in "$1"
    shown=30 # little of what may be personal
    for path in /api/auth/eu /api/leads /api/entregas /api/eventos /api/fila /api/amostras /api/reenvios \
        /api/arquivos /api/usuarios /api/auditoria; do
        ask "GET $path" "$path" --header "Authorization: Bearer $token"
    done
    shown=90
    began=$(now_ms)
    timeout 1 wget -q -O /tmp/answer --header "Authorization: Bearer $token" "$URL/api/ao-vivo" 2>/tmp/error
    said=$(tr '\n' ' ' </tmp/answer | cut -c1-90)
    printf '%s  %-28s %5s ms  %s\n' "$(date -u +%H:%M:%S)" 'GET /api/ao-vivo' \
        "$((($(now_ms) - began) * 10))" "${said:-FALHOU: $(head -n 1 /tmp/error)}"
}

round=0
while :; do
    round=$((round + 1)) stamp=$(date +%s)
    ask 'GET /health' /health
    ask 'GET /status' /status
    ask 'GET /api/posts' '/api/posts?limite=1'
    ask 'GET /api/posts/cache' /api/posts/cache
    ask 'GET /api/posts/1' /api/posts/1
    ask 'POST /api/posts' /api/posts --header 'Content-Type: application/json' \
        --post-data "{\"titulo\":\"Rodada $round\",\"conteudo\":\"Enviado em $stamp\",\"autor\":\"cliente\"}"
    ask 'GET /api/contador' /api/contador
    ask 'POST /api/contadores/cliente' /api/contadores/cliente --header 'Content-Type: application/json' \
        --post-data '{"incremento":1}'
    ask 'GET /api/contadores/cliente' /api/contadores/cliente
    ask 'GET /api/stats' /api/stats
    [ -z "${META_VERIFY_TOKEN:-}" ] || ask 'GET /webhook' \
        "/webhook?hub.mode=subscribe&hub.verify_token=$META_VERIFY_TOKEN&hub.challenge=$stamp"
    [ -z "${META_APP_SECRET:-}" ] || deliver "$stamp"
    [ -z "${ADMIN_EMAIL:-}" ] || [ -z "${ADMIN_PASSWORD:-}" ] || operators "$stamp"
    touch /tmp/round
    [ "$round" = "$ROUNDS" ] && exit 0
    sleep "$EVERY" &
    wait $! # so that a signal is heard at once
done
