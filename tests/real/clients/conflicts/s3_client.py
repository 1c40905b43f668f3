"""Stores objects and removes buckets with boto3: PROXY SERVER."""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

proxy, server = sys.argv[1:]


def s3(url):
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(s3={"addressing_style": "path"}),
    )


through, direct = s3(proxy), s3(server)
tries = []


def attempt(what, call, **arguments):
    try:
        answer = call(**arguments)
        tries.append([what, answer["ResponseMetadata"]["HTTPStatusCode"], None])
        return answer
    except ClientError as error:
        tries.append([what, error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]])


def put(what, body, **conditions):
    return attempt(what, through.put_object, Bucket="shelf", Key="a b/c", Body=body, **conditions)


through.create_bucket(Bucket="shelf")
put("put", b"one", IfNoneMatch="*")
put("put again", b"one", IfNoneMatch="*")
put("put once more", b"one", IfNoneMatch="*")
etag = through.head_object(Bucket="shelf", Key="a b/c")["ETag"]
put("put after a look", b"two", IfMatch=etag)
attempt("delete bucket", through.delete_bucket, Bucket="shelf")
stored = direct.get_object(Bucket="shelf", Key="a b/c")["Body"].read().decode()
through.delete_object(Bucket="shelf", Key="a b/c")
attempt("delete empty bucket", through.delete_bucket, Bucket="shelf")
print(json.dumps({
    "tries": tries,
    "stored": stored,
    "buckets": [bucket["Name"] for bucket in direct.list_buckets()["Buckets"]],
}))
