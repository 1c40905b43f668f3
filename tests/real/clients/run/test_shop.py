"""A test suite whose client, which CLIENT names, renames an item, stocks another and places an order.

It asserts nothing that a client which retries badly would fail: what is wrong with it is for fracas to say.
"""

import os
import random
import time
import uuid

import httpx
import pytest

MOST_TRIES = 4
CLIENT = os.environ["CLIENT"]


@pytest.fixture
def shop():
    with httpx.Client(base_url=os.environ["SHOP_URL"], timeout=10) as client:
        yield client


def insist(attempt, waits=True):
    """Tries until it is taken, or often enough."""
    for tries in range(MOST_TRIES):
        try:
            response = attempt()
        except httpx.TransportError:
            response = None
        if response is not None and response.is_success:
            return response
        if waits:
            asked = float(response.headers.get("Retry-After", 0)) if response is not None else 0
            time.sleep(asked + random.uniform(0.02, 0.05 * 2**tries))
    return response


def test_renames_an_item(shop):
    def put(read):
        return shop.put("/items/1", json=read.json() | {"name": "lamp"}, headers={"If-Match": read.headers["ETag"]})

    first = shop.get("/items/1")
    if CLIENT == "blind":
        insist(lambda: put(first))
    else:
        insist(lambda: put(shop.get("/items/1")))


def test_stocks_an_item(shop):
    insist(lambda: shop.put("/items/2", json={"name": "desk"}), waits=CLIENT != "hot")


def test_places_an_order(shop):
    key = str(uuid.uuid4())
    insist(lambda: shop.post("/orders", json={"item_id": 1}, headers={"Idempotency-Key": new_key() if CLIENT == "keys" else key}))


def new_key():
    return str(uuid.uuid4())
