#!/usr/bin/env bash
# Registers a username with curl and its own retries: URL USERNAME RETRIES.
set -euo pipefail

url=$1 username=$2 retries=$3
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT

start=$EPOCHREALTIME
# 22 is how --fail says that the last answer was a refusal too: a result here.
curl --silent --fail --retry "$retries" --retry-all-errors --retry-delay 1 \
    --dump-header "$headers" --output /dev/null \
    --json "{\"username\":\"$username\"}" "$url/register" || [ "$?" = 22 ]
end=$EPOCHREALTIME

# The headers of every answer, one after the other.
tr -d '\r' <"$headers" | awk -v seconds="$(((${end/./} - ${start/./}) / 1000))e-3" '
    /^HTTP/ { statuses = statuses separator $2; separator = ","; fracas = "null" }
    tolower($1) == "fracas:" {
        fracas = substr($0, index($0, ":") + 2)
        gsub(/"/, "\\\"", fracas)
        fracas = "\"" fracas "\""
    }
    END { printf "{\"statuses\":[%s],\"fracas\":%s,\"seconds\":%s}\n", statuses, fracas, seconds }'
