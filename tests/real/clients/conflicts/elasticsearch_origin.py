"""Documents as Elasticsearch keeps them, without its checks of sequence numbers and of ids."""

import json

from origin import serve

documents = {}
numbers = iter(range(1_000_000))


def write(index, id, source):
    key = index, id
    result = "updated" if key in documents else "created"
    documents[key] = {"_seq_no": next(numbers), "_primary_term": 1, "_source": source}
    return (200 if result == "updated" else 201), {
        "_index": index, "_id": id, "_version": 1, "result": result,
        "_shards": {"total": 1, "successful": 1, "failed": 0},
        "_seq_no": documents[key]["_seq_no"], "_primary_term": 1,
    }


def answer(method, segments, query, headers, body):
    match method, segments:
        case "PUT", [index, "_doc" | "_create", id]:
            return write(index, id, json.loads(body))
        case "GET", [index, "_doc", id]:
            found = documents.get((index, id))
            shown = {"_index": index, "_id": id, "found": found is not None, **(found or {})}
            return (200 if found else 404), shown
        case "PUT" | "POST", ["_bulk"]:
            lines = [json.loads(line) for line in body.splitlines()]
            items = []
            for action, source in zip(lines[::2], lines[1::2]):
                (name, about), = action.items()
                status, written = write(about["_index"], about["_id"], source)
                items.append({name: {**written, "status": status}})
            return 200, {"took": 1, "errors": False, "items": items}
    return 404, {"error": "no such route", "status": 404}


# Its clients speak to no other product.
serve(answer, headers=[("X-Elastic-Product", "Elasticsearch")])
