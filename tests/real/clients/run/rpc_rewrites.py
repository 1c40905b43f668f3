"""Changes an item by JSON-RPC, with requests: reading again by POST, or not at all."""

import os
import time

import requests

session = requests.Session()


def call(method, *params):
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return session.post(os.environ["SHOP_URL"] + "/rpc", json=message)


for item in range(3):
    call("item.get", item)
    for n in range(3):
        if call("item.update", item, "lamp").status_code != 409:
            break
        time.sleep(0.1 * 2**n)
        if os.environ["CLIENT"] == "careful":
            call("item.get", item)
