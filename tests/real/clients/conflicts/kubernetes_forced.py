"""Makes and edits a ConfigMap with the Kubernetes client, whatever stands in the way: PROXY SERVER."""

import json
import sys

from kubernetes import client
from kubernetes.client.exceptions import ApiException

proxy, _server = sys.argv[1:]
api = client.CoreV1Api(client.ApiClient(client.Configuration(host=proxy)))
made = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="colours"), data={"sky": "blue"})
tries = []


def attempt(what, call, *arguments):
    try:
        tries.append([what, None, call(*arguments).metadata.name])
    except ApiException as error:
        body = json.loads(error.body)
        tries.append([what, body["reason"], body["details"]["name"]])


def replace(config_map):
    return api.replace_namespaced_config_map("colours", "default", config_map)


attempt("create", api.create_namespaced_config_map, "default", made)
attempt("create", api.create_namespaced_config_map, "default", made)
read = api.read_namespaced_config_map("colours", "default")
attempt("replace", replace, read)
attempt("replace as before", replace, read)
attempt("replace what was read again", replace, api.read_namespaced_config_map("colours", "default"))
print(json.dumps({"tries": tries}))
