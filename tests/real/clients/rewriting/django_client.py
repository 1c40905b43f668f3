"""Posts a Django form as a browser would, from a page of its own site and from another's.

    django_client.py URL

Prints the statuses of both as JSON.
"""

import json
import sys

import requests

url = sys.argv[1]
session = requests.Session()
session.trust_env = False
token = session.get(f"{url}/form", timeout=30).text


def post(origin):
    headers = {"Origin": origin, "Referer": f"{origin}/form"}
    fields = {"csrfmiddlewaretoken": token}
    return session.post(f"{url}/form", data=fields, headers=headers, timeout=30).status_code


print(json.dumps({"own": post(url), "foreign": post("http://evil.test")}))
