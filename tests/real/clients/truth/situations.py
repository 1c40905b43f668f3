"""The situations of truth.toml, for whoever can send a request: `send(method, path, body, headers)`
gives `(status, headers)`, after as many tries as its library makes of it."""

import json
from concurrent.futures import ThreadPoolExecutor

ITEM = {"name": "lamp", "price_in_cents": 2900}


def put(send, case, item, headers=None):
    return send("PUT", f"/items/{item}?case={case}", json.dumps({**ITEM, "price_in_cents": item}), headers or {})


def order(send, case, item, headers=None):
    return send("POST", f"/orders?case={case}", json.dumps({"item_id": item}), headers or {})


def busy(send):
    """Several calls at once, so that chance can be told from habit; each knows its own item."""
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda item: put(send, "busy", item), range(10, 16)))


def stale(send):
    """An update of the version that was read, as `If-Match` says."""
    _, headers = send("GET", "/items/1", None, {})
    etag = {name.lower(): value for name, value in headers.items()}["etag"]
    put(send, "stale", 1, {"If-Match": etag})


SITUATIONS = {
    "busy": busy,
    "persistent": lambda send: put(send, "persistent", 2),
    "wait": lambda send: put(send, "wait", 3),
    "stale": stale,
    "order": lambda send: order(send, "order", 1),
    "taken": lambda send: send("POST", "/register?case=taken", '{"username":"ada"}', {}),
}


def play(send, names):
    """Plays these situations one after the other. A call that fails in the end is an answer too."""
    for name in names:
        try:
            SITUATIONS[name](send)
        except Exception as error:  # noqa: BLE001: whatever the library gives up with
            print(f"{name}: {type(error).__name__}: {error}"[:300])
