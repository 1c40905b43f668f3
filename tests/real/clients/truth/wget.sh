#!/usr/bin/env bash
# wget told to retry 409: one second after the first try, two after the second, and so on.
set -u
wget -q -O /dev/null --tries=5 --retry-on-http-error=409 "$FRACAS_URL/pages/1?case=busy" &
wget -q -O /dev/null --tries=5 --retry-on-http-error=409 "$FRACAS_URL/pages/2?case=busy" &
wait
