"""A gRPC server that takes bytes and knows no schema: prints its port, and serves until its input ends."""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc


def do(request, context):
    context.set_trailing_metadata((("placed", "yes"),))
    return b"done: " + request


def refuse(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such order")


def watch(request, context):
    yield from (b"0", b"1", b"2")


methods = {
    "Place": grpc.unary_unary_rpc_method_handler(do),
    "Create": grpc.unary_unary_rpc_method_handler(do),
    "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "Watch": grpc.unary_stream_rpc_method_handler(watch),
}
server = grpc.server(ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", methods),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None)
