"""Registers a username with httpx and a retry loop of its own: URL USERNAME RETRIES."""

import json
import sys
import time

import httpx

url, username, retries = sys.argv[1], sys.argv[2], int(sys.argv[3])
start = time.monotonic()
statuses = []
with httpx.Client(base_url=url) as client:
    for _ in range(1 + retries):
        response = client.post("/register", json={"username": username})
        statuses.append(response.status_code)
        if response.status_code != 409 or len(statuses) > retries:
            break
        time.sleep(float(response.headers.get("Retry-After", "0")))
print(json.dumps({
    "statuses": statuses,
    "fracas": response.headers.get("Fracas"),
    "seconds": time.monotonic() - start,
}))
