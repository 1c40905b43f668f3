"""Pays five times with Stripe's SDK, which keeps its key and does not hear `Retry-After`: against $FRACAS_URL."""

import os
from concurrent.futures import ThreadPoolExecutor

import stripe

client = stripe.StripeClient(
    "sk_test_123", base_addresses={"api": os.environ["FRACAS_URL"]}, max_network_retries=4
)
with ThreadPoolExecutor(5) as threads:
    payments = [{"amount": amount, "currency": "eur"} for amount in range(1000, 1005)]
    for paid in threads.map(client.v1.payment_intents.create, payments):
        print(paid.id)
