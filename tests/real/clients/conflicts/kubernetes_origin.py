"""ConfigMaps as the Kubernetes API serves them, without its checks of resourceVersion and of names."""

import json

from origin import serve

config_maps = {}
versions = iter(range(1, 1_000_000))


def not_found(name):
    return 404, {
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
        "message": f'configmaps "{name}" not found',
    }


def answer(method, segments, query, headers, body):
    match segments:
        case ["api", "v1", "namespaces", namespace, "configmaps"] if method == "POST":
            name = json.loads(body)["metadata"]["name"]
        case ["api", "v1", "namespaces", namespace, "configmaps", name]:
            if (namespace, name) not in config_maps:
                return not_found(name)
        case _:
            return not_found("")
    if method == "DELETE":
        del config_maps[namespace, name]
        return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
    if method in ("POST", "PUT"):
        written = {"apiVersion": "v1", "kind": "ConfigMap", **json.loads(body)}
        written["metadata"] = {
            **written["metadata"], "namespace": namespace, "resourceVersion": str(next(versions)),
        }
        config_maps[namespace, name] = written
    return (201 if method == "POST" else 200), config_maps[namespace, name]


serve(answer)
