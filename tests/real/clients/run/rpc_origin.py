"""Answers every JSON-RPC call with an empty result."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), "../conflicts"))

from origin import serve  # noqa: E402

serve(lambda method, segments, query, headers, body: (200, {"jsonrpc": "2.0", "id": 1, "result": {}}))
