"""Stores and leases blobs with Azure's client: PROXY SERVER."""

import json
import sys

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

proxy, server = sys.argv[1:]
# Azurite's account, which its documentation names.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
account = {"account_name": "devstoreaccount1", "account_key": KEY}


def connect(url):
    return BlobServiceClient(f"{url}/devstoreaccount1", credential=account)


through, direct = connect(proxy), connect(server)
tries = []


def attempt(what, call, *arguments, **options):
    try:
        result = call(*arguments, **options)
        tries.append([what, None, None, None])
        return result
    except HttpResponseError as error:
        tries.append([what, type(error).__name__, error.status_code, error.error_code])


attempt("container", through.create_container, "shelf")
attempt("container again", through.create_container, "shelf")
attempt("container at Azurite", direct.create_container, "shelf")
blob, blob_there = (service.get_blob_client("shelf", "a b/c") for service in (through, direct))
attempt("upload", blob.upload_blob, b"one")
attempt("upload again", blob.upload_blob, b"one")
attempt("upload to Azurite", blob_there.upload_blob, b"one")
attempt("lease", blob.acquire_lease, lease_duration=15)
lease = attempt("lease again", blob.acquire_lease, lease_duration=15)
attempt("lease at Azurite", blob_there.acquire_lease, lease_duration=15)
attempt("write", blob.upload_blob, b"two", overwrite=True, lease=lease)
blob.get_blob_properties()
attempt("write after a look", blob.upload_blob, b"two", overwrite=True, lease=lease)
stored = blob_there.download_blob().readall().decode()
print(json.dumps({"tries": tries, "stored": stored}))
