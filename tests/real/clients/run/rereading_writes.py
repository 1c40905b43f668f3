"""Reads an item and writes it with its version until that is accepted, with waits that grow and are drawn: CLIENT says with which library, and how long the first wait is at most."""

import os
import random

import httpx
import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

library, first_wait = os.environ["CLIENT"].split()
url = os.environ["SHOP_URL"]
session = requests.Session() if library == "session" else None
random.seed(7)
client = {"httpx": httpx, "requests": requests, "session": session}[library]


class Conflict(Exception):
    pass


@retry(
    retry=retry_if_exception_type(Conflict),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(multiplier=float(first_wait), max=1),
    reraise=True,
)
def save(path):
    version = client.get(url + path).headers["etag"]
    answer = client.put(url + path, json={"name": path}, headers={"if-match": version})
    if answer.status_code == 409:
        raise Conflict
    answer.raise_for_status()


created = [client.post(url + "/items", json={"name": f"item {n}"}) for n in range(6)]
for answer in created:
    save(answer.headers["location"])
