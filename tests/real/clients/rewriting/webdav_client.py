"""Moves, copies and locks files over WebDAV, as its clients do: with whole URLs.

    webdav_client.py URL ASKED

URL is the folder, ASKED the server's own root, at which is looked what has become of it. Prints statuses
and names as JSON.
"""

import json
import re
import sys

import requests

url, root = sys.argv[1:]
session = requests.Session()
session.trust_env = False


def ask(method, name, **headers):
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    body = headers.pop("body", None)
    return session.request(method, f"{url}/{name}", data=body, headers=headers, timeout=30)


LOCK = """<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>
<D:locktype><D:write/></D:locktype></D:lockinfo>"""
found = {
    "put": ask("PUT", "a.txt", body="a").status_code,
    "move": ask("MOVE", "a.txt", Destination=f"{url}/b.txt").status_code,
    "copy": ask("COPY", "b.txt", Destination=f"{url}/caf%C3%A9.txt").status_code,
    "elsewhere": ask("MOVE", "b.txt", Destination="http://evil.test/c.txt").status_code,
}
locked = ask("LOCK", "b.txt", body=LOCK, Timeout="Second-60", Content_Type="application/xml")
token = locked.headers["Lock-Token"]
found["lock"] = locked.status_code
found["refused"] = ask("MOVE", "b.txt", Destination=f"{url}/d.txt").status_code
# A tag says which resource the lock is of (RFC 4918 section 10.4).
found["tagged"] = ask("MOVE", "b.txt", Destination=f"{url}/d.txt", If=f"<{url}/b.txt> ({token})").status_code


def names(folder):
    answer = session.request("PROPFIND", f"{root}/{folder}", headers={"Depth": "1"}, timeout=30)
    return sorted(re.findall(r"<\w+:href>([^<]+)</", answer.text))


found["root"], found["dav"] = names(""), names("dav/")
print(json.dumps(found))
