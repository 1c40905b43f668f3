"""Pays with Stripe's SDK and its own retries: PROXY SERVER once|twice.

`once` pays once. `twice` pays a second time with the same idempotency key while the first request is
still running; the first is let go when the second has been refused."""

import json
import sys
import threading

import stripe
from requests import get, post

proxy, server, mode = sys.argv[1:]


class Recorder(stripe.RequestsClient):
    """Stripe's own HTTP client, which tells what it sent and got."""

    def __init__(self, on_conflict=lambda: None):
        super().__init__()
        self.tries = []
        self.on_conflict = on_conflict

    def request(self, method, url, headers, post_data=None):
        body, status, answered = super().request(method, url, headers, post_data)
        self.tries.append({
            "status": status,
            "key": headers["Idempotency-Key"],
            "code": json.loads(body).get("error", {}).get("code"),
            "replayed": answered.get("idempotent-replayed"),
        })
        if status == 409:
            self.on_conflict()
        return body, status, answered


def pay(recorder, options, **more):
    client = stripe.StripeClient(
        "sk_test_123", base_addresses={"api": proxy}, max_network_retries=10, http_client=recorder
    )
    params = {"amount": 1000, "currency": "eur", **more}
    return client.v1.payment_intents.create(params, options).id


payments = {}
if mode == "once":
    first = Recorder()
    payments["first"] = pay(first, {})
    tries = {"first": first.tries}
else:
    first, second = Recorder(), Recorder(lambda: post(f"{server}/let_go"))
    slow = {"metadata": {"slow": "1"}}

    def pay_first():
        payments["first"] = pay(first, {"idempotency_key": "order-7"}, **slow)

    running = threading.Thread(target=pay_first)
    running.start()
    get(f"{server}/arrived")
    payments["second"] = pay(second, {"idempotency_key": "order-7"}, **slow)
    running.join()
    tries = {"first": first.tries, "second": second.tries}
print(json.dumps({"payments": payments, "tries": tries, "seen": get(f"{server}/seen").json()}))
