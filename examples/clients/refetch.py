"""A client that handles conflicts well, with httpx: python refetch.py URL

It renames an item, by the version that it read, and places one order. After a conflict it reads the
item again and applies its change to that; the order keeps its key through all tries.
"""

import random
import sys
import time
import uuid
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx

MOST_TRIES = 5
SHORTEST, LONGEST = 0.1, 5.0  # bounds of the backoff, in seconds
# Refusals that may pass when the request is repeated. Others will not.
TRY_AGAIN = {409, 412, 429, 503}


def rename_item(client):
    read = client.get("/items/1")
    if read.status_code != 200:
        return read
    item = read.json() | {"name": "lamp, by Python"}
    return client.put("/items/1", json=item, headers={"If-Match": read.headers["ETag"]})


def place_order(client, key):
    return client.post("/orders", json={"item_id": 1}, headers={"Idempotency-Key": key})


def insist(what, attempt):
    for tries in range(1, MOST_TRIES + 1):
        try:
            response = attempt()
        except httpx.TransportError as error:  # No response: the request may have been applied, or not.
            response, outcome = None, error
        else:
            outcome = response.status_code
            if outcome not in TRY_AGAIN:
                response.raise_for_status()
                print(f"{what}: {outcome}, tries: {tries}")
                return
        if tries < MOST_TRIES:
            time.sleep(asked_to_wait(response) + full_jitter(tries))
    sys.exit(f"{what}: gave up after {MOST_TRIES} tries: {outcome}")


def asked_to_wait(response):
    """Retry-After in seconds, whichever of its two forms it has."""
    value = response.headers.get("Retry-After", "0") if response is not None else "0"
    if value.isdecimal():
        return float(value)
    return max(0.0, (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds())


def full_jitter(tries):
    """By chance up to a bound that doubles, so that clients do not come back as one herd."""
    return random.uniform(0, min(LONGEST, SHORTEST * 2**tries))


with httpx.Client(base_url=sys.argv[1], timeout=10) as client:
    insist("item", lambda: rename_item(client))
    key = str(uuid.uuid4())  # One for all tries: it is one order.
    insist("order", lambda: place_order(client, key))
