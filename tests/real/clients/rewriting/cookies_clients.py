"""Lets Chromium and requests take cookies, and prints which of them each sends back, as JSON.

    cookies_clients.py URL
"""

import json
import pathlib
import sys
import tempfile

import requests

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from report_chromium import Browser  # noqa: E402


def names(cookies):
    return sorted(pair.split("=")[0].strip() for pair in cookies.split(";") if pair.strip())


def chromium(url):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        browser = Browser(home)
        try:
            browser.open(f"{url}/set")
            browser.open(f"{url}/get")
            shown = browser.ask("Runtime.evaluate", expression="document.body.innerText")
        finally:
            browser.close()
    return names(shown["result"]["value"])


def session(url):
    session = requests.Session()
    session.trust_env = False
    session.get(f"{url}/set", timeout=30)
    return names(session.get(f"{url}/get", timeout=30).text)


url = sys.argv[1]
print(json.dumps({"chromium": chromium(url), "requests": session(url)}))
