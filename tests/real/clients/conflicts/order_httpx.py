"""Places an order with httpx, and tries again until it hears of it: URL KEY; an empty KEY is none."""

import json
import sys

import httpx

url, key = sys.argv[1:]
headers = {"Idempotency-Key": key} if key else {}
tries = []
with httpx.Client(base_url=url) as client:
    while len(tries) < 5:
        try:
            response = client.post("/orders", json={"item_id": 1}, headers=headers)
        except httpx.TransportError as error:
            tries.append([type(error).__name__, None])
            continue
        tries.append([response.status_code, response.headers.get("Fracas")])
        if response.is_success:
            break
    orders = client.get("/orders").json()
print(json.dumps({"tries": tries, "orders": len(orders if isinstance(orders, list) else orders["orders"])}))
