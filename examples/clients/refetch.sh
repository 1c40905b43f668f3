#!/usr/bin/env bash
# A client that handles conflicts well, with curl: refetch.sh URL
#
# It renames an item, by the version that it read, and places one order. After a conflict it reads the
# item again and applies its change to that; the order keeps its key through all tries.
set -euo pipefail

url=$1
most_tries=5
shortest=100 longest=5000 # bounds of the backoff, in milliseconds
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Prints the status, 000 for no response; leaves the response in $folder.
send() {
    curl --silent --max-time 10 --output "$folder/body" --dump-header "$folder/head" \
        --write-out '%{http_code}' --request "$1" "$url$2" "${@:3}" || true
}

header() { tr -d '\r' <"$folder/head" | awk -F ': ' -v name="$1" 'tolower($1) == name { print $2 }'; }

rename_item() {
    local read
    read=$(send GET /items/1)
    [ "$read" = 200 ] || { echo "$read" && return; }
    # jq does this better, where it is installed.
    sed 's/"name":"[^"]*"/"name":"lamp, by curl"/' "$folder/body" >"$folder/item"
    send PUT /items/1 --header "If-Match: $(header etag)" --json "@$folder/item"
}

place_order() { send POST /orders --header "Idempotency-Key: $1" --json '{"item_id":1}'; }

# Retry-After in milliseconds, whichever of its two forms it has.
asked_to_wait() {
    local value
    value=$(header retry-after)
    case $value in
    '') echo 0 ;;
    *[!0-9]*) echo "$(($(date -d "$value" +%s) * 1000 - $(date +%s%3N)))" ;;
    *) echo "$((value * 1000))" ;;
    esac
}

# By chance up to a bound that doubles, so that clients do not come back as one herd.
full_jitter() {
    local bound=$((shortest << $1))
    echo "$((RANDOM % (bound < longest ? bound : longest)))"
}

# insist LABEL COMMAND…: repeats the command until it passes.
insist() {
    local tries status wait
    for ((tries = 1; tries <= most_tries; tries++)); do
        : >"$folder/head"
        status=$("${@:2}")
        case $status in
        2??) echo "$1: $status, tries: $tries" && return ;;
        # Refusals that may pass when the request is repeated; after 000 it may have been applied, or not.
        000 | 409 | 412 | 429 | 503) ;;
        *) echo "$1: $status $(cat "$folder/body")" >&2 && exit 1 ;;
        esac
        [ "$tries" = "$most_tries" ] && break
        wait=$(($(asked_to_wait) + $(full_jitter "$tries")))
        sleep "$(printf '%d.%03d' $((wait > 0 ? wait / 1000 : 0)) $((wait > 0 ? wait % 1000 : 0)))"
    done
    echo "$1: gave up after $most_tries tries: $status" >&2
    exit 1
}

insist item rename_item
# One key for all tries: it is one order.
insist order place_order "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
