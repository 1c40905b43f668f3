"""A payments API in Stripe's shape. It knows no idempotency keys: each POST makes a payment.

POST /v1/payment_intents with `metadata[slow]` is answered only after POST /let_go; GET /arrived is
answered once such a request is here. GET /seen: the idempotency keys of all POSTs."""

import threading
from urllib.parse import parse_qs

from origin import serve

seen = []
arrived, let_go = threading.Event(), threading.Event()


def answer(method, segments, query, headers, body):
    match method, segments:
        case "POST", ["v1", "payment_intents"]:
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            seen.append(headers["Idempotency-Key"])
            number = len(seen)
            if "metadata[slow]" in form:
                arrived.set()
                let_go.wait(30)
            return 200, {
                "id": f"pi_{number}",
                "object": "payment_intent",
                "amount": int(form["amount"]),
                "currency": form["currency"],
                "status": "requires_payment_method",
            }
        case "GET", ["arrived"]:
            return 200, {"arrived": arrived.wait(30)}
        case "POST", ["let_go"]:
            let_go.set()
            return 200, {}
        case "GET", ["seen"]:
            return 200, seen
    return 404, {"error": {"message": "No such route", "type": "invalid_request_error"}}


serve(answer)
