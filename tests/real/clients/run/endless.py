"""Writes again a second after each answer, on one connection, until it is killed."""

import http.client
import os
import time

connection = http.client.HTTPConnection(os.environ["FRACAS_URL"].removeprefix("http://"))
while True:
    connection.request("PUT", "/items/1", b"a")
    connection.getresponse().read()
    time.sleep(1)
