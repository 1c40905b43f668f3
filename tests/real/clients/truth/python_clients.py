"""Plays one Python retry library: CLIENT SITUATION…, against $FRACAS_URL."""

import asyncio
import os
import sys
import time

from situations import play

URL = os.environ["FRACAS_URL"]
JSON = {"Content-Type": "application/json"}


def urllib3(**options):
    """urllib3's own Retry."""
    import urllib3

    pool = urllib3.PoolManager(retries=urllib3.Retry(**options), headers={"User-Agent": "urllib3/2"}, maxsize=8)

    def send(method, path, body, headers):
        answer = pool.request(method, URL + path, body=body, headers={"User-Agent": "urllib3/2", **JSON, **headers})
        return answer.status, dict(answer.headers)

    return send


def requests():
    """requests as it comes: it retries nothing."""
    import requests

    def send(method, path, body, headers):
        answer = requests.request(method, URL + path, data=body, headers={**JSON, **headers})
        return answer.status_code, dict(answer.headers)

    return send


def tenacity(**options):
    """httpx under tenacity, which sees a 409 as an exception."""
    import httpx
    from tenacity import Retrying, retry_if_exception_type

    client = httpx.Client(base_url=URL, headers=JSON)

    def once(method, path, body, headers):
        answer = client.request(method, path, content=body, headers=headers)
        answer.raise_for_status()
        return answer.status_code, dict(answer.headers)

    return lambda *call: Retrying(retry=retry_if_exception_type(httpx.HTTPStatusError), **options)(once, *call)


def aiohttp_retry():
    """aiohttp-retry told to retry 409: all methods, exponential, no jitter, `Retry-After` unheard."""
    import aiohttp
    from aiohttp_retry import ExponentialRetry, RetryClient

    async def call(method, path, body, headers):
        options = ExponentialRetry(attempts=4, start_timeout=0.1, statuses={409})
        async with aiohttp.ClientSession() as session:
            client = RetryClient(session, retry_options=options)
            async with client.request(method, URL + path, data=body, headers={**JSON, **headers}) as answer:
                return answer.status, dict(answer.headers)

    return lambda *request: asyncio.run(call(*request))


def exemplary():
    """What a client should do: waits as asked or else backs off with full jitter, reads again before it
    writes again, keeps one key a call, stops after four tries, and never repeats what no retry mends."""
    import json
    import random
    import uuid

    import httpx

    client = httpx.Client(base_url=URL, headers={**JSON, "User-Agent": "exemplary/1"})

    def send(method, path, body, headers):
        headers = dict(headers)
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        for number in range(1, 5):
            answer = client.request(method, path, content=body, headers=headers)
            if answer.status_code != 409 or "/register" in path or number == 4:
                return answer.status_code, dict(answer.headers)
            asked = answer.headers.get("Retry-After")
            time.sleep(int(asked) if asked else 0.05 + random.uniform(0, 0.2 * 2**number))
            if "If-Match" in headers:
                read = client.get(path.split("?")[0])
                headers["If-Match"] = read.headers["ETag"]
                body = json.dumps({**read.json(), **json.loads(body)})

    return send


def bad(wait, new_key=False):
    """What a client should not do: the same request again, at once or nearly, up to thirty times."""
    import uuid

    import httpx

    agent = "new-key/1" if new_key else "blind-replay/1" if wait else "hot-loop/1"
    client = httpx.Client(base_url=URL, headers={**JSON, "User-Agent": agent})

    def send(method, path, body, headers):
        for _ in range(30):
            if new_key:
                headers = {**headers, "Idempotency-Key": str(uuid.uuid4())}
            answer = client.request(method, path, content=body, headers=headers)
            if answer.status_code != 409:
                break
            time.sleep(wait)
        return answer.status_code, dict(answer.headers)

    return send


def client(name):
    from tenacity import stop_after_attempt, wait_exponential, wait_none, wait_random_exponential

    every = {"status_forcelist": [409], "raise_on_status": False}
    return {
        "urllib3": lambda: urllib3(total=3),
        "urllib3-backoff": lambda: urllib3(total=4, backoff_factor=0.1, **every),
        "urllib3-jitter": lambda: urllib3(total=4, backoff_factor=0.1, backoff_jitter=0.4, **every),
        "requests": requests,
        "tenacity-none": lambda: tenacity(wait=wait_none(), stop=stop_after_attempt(6)),
        "tenacity-exponential": lambda: tenacity(wait=wait_exponential(multiplier=0.1), stop=stop_after_attempt(5)),
        "tenacity-full-jitter": lambda: tenacity(
            wait=wait_random_exponential(multiplier=0.2, max=5), stop=stop_after_attempt(5)
        ),
        "aiohttp-retry": aiohttp_retry,
        "exemplary": exemplary,
        "hot-loop": lambda: bad(0),
        "blind-replay": lambda: bad(0.1),
        "new-key": lambda: bad(0.1, new_key=True),
    }[name]()


play(client(sys.argv[1]), sys.argv[2:])
