"""Asks over HTTP/2 alone, and posts twice: URL."""

import json
import sys

import httpx

seen = []
with httpx.Client(base_url=sys.argv[1], http1=False, http2=True, verify=False) as client:
    for response in (
        client.get("/orders"),
        client.post("/register", json={"username": "ann"}),
        client.post("/register", json={"username": "ann"}),
    ):
        seen.append([response.http_version, response.status_code, response.headers.get("Fracas")])
print(json.dumps(seen))
