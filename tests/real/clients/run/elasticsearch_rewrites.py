"""Changes documents with Elasticsearch's client: with the number that it read again, or with the one it had."""

import os
import time

from elasticsearch import ConflictError, Elasticsearch

es = Elasticsearch(os.environ["SHOP_URL"])
for name in ("lamp", "desk", "chair"):
    document = {"index": "shop", "id": name}
    es.index(**document, document={"price": 10})
    read = es.get(**document)
    # Somebody else is faster.
    es.index(**document, document={"price": 11})
    for n in range(3):
        based_on = {"if_seq_no": read["_seq_no"], "if_primary_term": read["_primary_term"]}
        try:
            es.index(**document, document={"price": 12}, **based_on)
            break
        except ConflictError:
            time.sleep(0.1 * 2**n)
            again = es.get(**document)
            if os.environ["CLIENT"] == "careful":
                read = again
