"""Writes with a requests.Session that a conflict ends: logs in again with a new session, on a new connection, and sends the same: CLIENT says what is written, where the credential stands, and the wait before."""

import os
import time

import requests

write, credential, wait = os.environ["CLIENT"].split()
url = os.environ["SHOP_URL"]


def logged_in():
    session = requests.Session()
    session.post(f"{url}/login", json={"username": "ann"}).raise_for_status()
    if credential == "bearer":
        session.headers["Authorization"] = "Bearer " + session.cookies["session"]
        session.cookies.clear()
    return session


requests.post(f"{url}/register", json={"username": "ann"}).raise_for_status()
session = logged_in()
for item in range(1, 4):
    for _ in range(3):
        if write == "put":
            answer = session.put(f"{url}/items/{item}", json={"name": "lamp"})
        else:
            answer = session.post(f"{url}/orders", json={"item_id": item})
        if answer.status_code != 409:
            answer.raise_for_status()
            break
        session.close()
        time.sleep(float(wait))
        session = logged_in()
