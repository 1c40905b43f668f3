"""Two people edit one ConfigMap with the Kubernetes client, and a third makes it again: PROXY SERVER."""

import json
import sys

from kubernetes import client
from kubernetes.client.exceptions import ApiException

proxy, _server = sys.argv[1:]
api = client.CoreV1Api(client.ApiClient(client.Configuration(host=proxy)))
refusals = []


def refused(call, *arguments):
    try:
        call(*arguments)
    except ApiException as error:
        refusals.append({"status": error.status, "body": json.loads(error.body)})
    else:
        refusals.append(None)


def read():
    return api.read_namespaced_config_map("colours", "default")


def replace(config_map, **data):
    config_map.data.update(data)
    return api.replace_namespaced_config_map("colours", "default", config_map)


def make():
    config_map = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="colours"), data={"sky": "blue"})
    api.create_namespaced_config_map("default", config_map)


make()
refused(make)
hers, his = read(), read()
replace(hers, grass="green")
refused(lambda: replace(his, sun="yellow"))
replace(read(), sun="yellow")
data = read().data
api.delete_namespaced_config_map("colours", "default")
make()
print(json.dumps({"refusals": refusals, "data": data, "data_made_again": read().data}))
