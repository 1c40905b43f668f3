"""Registers a username with requests, and the retries of urllib3: URL USERNAME RETRIES."""

import json
import sys
import time

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

url, username, retries = sys.argv[1], sys.argv[2], int(sys.argv[3])
policy = Retry(
    total=retries,
    status_forcelist=[409],
    allowed_methods=None,  # POST as well, which urllib3 leaves out by itself
    backoff_factor=0.05,
    raise_on_status=False,
)
start = time.monotonic()
with requests.Session() as session:
    session.mount("http://", HTTPAdapter(max_retries=policy))
    response = session.post(f"{url}/register", json={"username": username})
history = response.raw.retries.history
print(json.dumps({
    "statuses": [entry.status for entry in history] + [response.status_code],
    "fracas": response.headers.get("Fracas"),
    "seconds": time.monotonic() - start,
}))
