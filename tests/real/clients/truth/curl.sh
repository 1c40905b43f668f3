#!/usr/bin/env bash
# curl told to retry whatever fails, 409 with it: busy and wait.
set -u
json=(-sS -o /dev/null -H 'Content-Type: application/json' -d '{"name":"lamp"}' -X PUT)
again=(--fail --retry 3 --retry-all-errors)
for item in 10 11; do
    curl "${json[@]}" "${again[@]}" "$FRACAS_URL/items/$item?case=busy" &
done
wait
curl "${json[@]}" "${again[@]}" "$FRACAS_URL/items/3?case=wait"
curl "${json[@]}" "${again[@]}" "$FRACAS_URL/items/2?case=persistent"
true
