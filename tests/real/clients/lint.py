"""Asks for each path of its arguments and lints the answer with httplint.

usage: lint.py HOST:PORT METHOD PATH…

Prints a JSON object: for each path its status, what httplint holds against the answer, and whether a
cache might keep it.
"""

import http.client
import json
import sys

from httplint.message import HttpRequestLinter, HttpResponseLinter
from httplint.note import levels

address, method, *paths = sys.argv[1:]
connection = http.client.HTTPConnection(address, timeout=20)
told = {}
for path in paths:
    body = b"{}" if method in ("POST", "PUT", "PATCH") else None
    connection.request(method, path, body=body, headers={"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    content = answer.read()

    request = HttpRequestLinter()
    request.process_request_topline(method.encode(), f"http://{address}{path}".encode(), b"1.1")
    request.process_headers([(b"Host", address.encode())])
    request.finish_content(True)
    lint = HttpResponseLinter()
    lint.request = request
    lint.is_head_response = method == "HEAD"
    lint.process_response_topline(b"1.1", str(answer.status).encode(), answer.reason.encode())
    lint.process_headers([(name.encode(), value.encode("latin-1")) for name, value in answer.getheaders()])
    lint.feed_content(content)
    lint.finish_content(True)
    bad = [f"{note.level.value}: {note.summary}" for note in lint.notes if note.level in (levels.BAD, levels.WARN)]
    told[path] = {
        "status": answer.status,
        "notes": bad,
        "storable": bool(lint.caching.store_shared or lint.caching.store_private),
    }
print(json.dumps(told))
