"""Writes documents with Elasticsearch's client, one by one and in bulk: PROXY SERVER."""

import json
import sys

from elasticsearch import ConflictError, Elasticsearch, helpers

proxy, _server = sys.argv[1:]
es = Elasticsearch(proxy)
conflicts = []


def attempt(call, **arguments):
    try:
        call(**arguments)
        conflicts.append(None)
    except ConflictError as error:
        conflicts.append({
            "status": error.status_code,
            "type": error.info["error"]["type"],
            "reason": error.info["error"]["reason"],
        })


def based_on(read):
    return {"if_seq_no": read["_seq_no"], "if_primary_term": read["_primary_term"]}


lamp = {"index": "shop", "id": "lamp"}
attempt(es.create, **lamp, document={"price": 10})
attempt(es.create, **lamp, document={"price": 11})
read = es.get(**lamp)
attempt(es.index, **lamp, document={"price": 12}, **based_on(read))
attempt(es.index, **lamp, document={"price": 13}, **based_on(read))
read = es.get(**lamp)
price = read["_source"]["price"]
attempt(es.index, **lamp, document={"price": price + 1}, **based_on(read))

rows = [{"_index": "shop", "_id": name, "_source": {"price": 1}} for name in ("desk", "chair", "shelf")]


def bulk():
    written, errors = helpers.bulk(es, rows, raise_on_error=False)
    return {
        "written": written,
        "errors": [[row["index"]["_id"], row["index"]["status"], row["index"]["error"]["type"]] for row in errors],
    }


print(json.dumps({
    "conflicts": conflicts,
    "price": es.get(**lamp)["_source"]["price"],
    "bulk": bulk(),
    "bulk_again": bulk(),
}))
