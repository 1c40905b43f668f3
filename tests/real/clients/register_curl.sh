#!/usr/bin/env bash
# Registers a username with curl and its own retries: URL USERNAME RETRIES.
set -euo pipefail

url=$1 username=$2 retries=$3
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT
# 22 is how --fail says that the server refused for good: a result here.
seconds=$(curl --silent --fail --retry "$retries" --retry-all-errors --retry-delay 1 \
    --dump-header "$headers" --output /dev/null --write-out '%{time_total}' \
    --json "{\"username\":\"$username\"}" "$url/register") || [ "$?" = 22 ]
cat "$headers" >&2
echo "$seconds" >&2
