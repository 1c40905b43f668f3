"""Calls each method of grpc_server.py twice, without retries, and watches a stream: ADDRESS."""

import json
import sys

import grpc

channel = grpc.insecure_channel(sys.argv[1], options=[("grpc.enable_retries", 0)])


def call(method):
    try:
        answer, ended = channel.unary_unary(f"/shop.Orders/{method}").with_call(b"one", timeout=20)
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    return {
        "code": ended.code().name,
        "answer": answer.decode(),
        "trailers": {name: value for name, value in ended.trailing_metadata()},
    }


seen = {method: [call(method), call(method)] for method in ("Place", "Create", "Refuse")}
watched = channel.unary_stream("/shop.Orders/Watch")(b"", timeout=20)
seen["Watch"] = [answer.decode() for answer in watched]
print(json.dumps(seen))
