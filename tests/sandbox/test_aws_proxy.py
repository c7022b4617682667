"""Each fault of the proxy, as boto3 sees it, and what the proxy leaves as it is."""

from __future__ import annotations

import gzip
import os
import re
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ResponseStreamingError, SSLError

from sandbox.aws import AwsSandbox, FaultProxy

BUCKET = "partner"
ASSUME = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as aws:
        aws.bucket(BUCKET)
        yield aws


@pytest.fixture(scope="module")
def running(aws: AwsSandbox) -> Iterator[FaultProxy]:
    with FaultProxy(aws.url) as proxy:
        yield proxy


@pytest.fixture
def proxy(running: FaultProxy) -> FaultProxy:
    running.forget()
    return running


@pytest.fixture(scope="module")
def s3(aws: AwsSandbox, running: FaultProxy) -> Any:
    return aws.client("s3", endpoint_url=running.url)


@pytest.fixture(scope="module")
def once(running: FaultProxy, aws: AwsSandbox) -> Any:
    """A client that tries once."""
    return aws.client("s3", endpoint_url=running.url, tries=1)


def put(client: Any, key: str = "one", body: bytes = b"1") -> None:
    client.put_object(Bucket=BUCKET, Key=key, Body=body)


def seen(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(("what", "status"), [("SlowDown", 503), ("InternalError", 500)])
def test_a_passing_error_is_tried_again(proxy: FaultProxy, s3: Any, what: str, status: int) -> None:
    proxy.faults({"match": "^PUT /partner/one", "n": 2, "do": what})
    put(s3)
    assert [(one.fault, one.status) for one in proxy.requests()] == [(what, status)] * 2 + [(None, 200)]


@pytest.mark.parametrize(
    ("what", "status"),
    [("SlowDown", 503), ("InternalError", 500), ("ExpiredToken", 400), ("AccessDenied", 403), ("NoSuchBucket", 404)],
)
def test_an_error_has_its_code_and_its_status(proxy: FaultProxy, once: Any, what: str, status: int) -> None:
    proxy.faults({"do": what})
    with pytest.raises(ClientError) as error:
        put(once)
    assert seen(error) == (what, status)
    put(once)


def test_a_denial_can_name_the_missing_right(proxy: FaultProxy, s3: Any) -> None:
    text = "User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: kms:GenerateDataKey on resource: <key> & more"
    proxy.faults({"match": "PUT", "do": "AccessDenied", "message": text})
    with pytest.raises(ClientError) as error:
        put(s3)
    assert error.value.response["Error"]["Message"] == text
    assert len(proxy.requests()) == 1


def test_a_redirect_names_the_region_and_boto3_follows_it_once(aws: AwsSandbox, proxy: FaultProxy, s3: Any) -> None:
    abroad = aws.bucket("abroad", "eu-west-1")
    proxy.faults({"match": "PUT", "do": "redirect:eu-west-1"})
    s3.put_object(Bucket=abroad, Key="one", Body=b"1")
    assert [(one.fault, one.status) for one in proxy.requests()] == [("redirect", 301), (None, 200)]
    proxy.faults({"n": 100, "do": "redirect:eu-west-1"})
    with pytest.raises(ClientError) as error:
        put(s3)
    assert seen(error) == ("PermanentRedirect", 301)
    assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "eu-west-1"


def test_a_reset_request_does_not_arrive(aws: AwsSandbox, proxy: FaultProxy, s3: Any, once: Any) -> None:
    proxy.faults({"do": "reset"})
    with pytest.raises(ConnectionClosedError):
        put(once, "reset/one")
    assert aws.objects(BUCKET, "reset/") == {}
    proxy.faults({"do": "reset", "n": 2})
    put(s3, "reset/one", b"2" * 1_000_000)
    assert aws.objects(BUCKET, "reset/") == {"reset/one": b"2" * 1_000_000}


def test_a_request_whose_answer_is_lost_was_carried_out(aws: AwsSandbox, proxy: FaultProxy, s3: Any) -> None:
    proxy.faults({"match": "PUT", "do": "lost"})
    with pytest.raises(ClientError) as error:  # the second try meets what the first has made
        s3.put_object(Bucket=BUCKET, Key="lost/one", Body=b"1", IfNoneMatch="*")
    assert seen(error) == ("PreconditionFailed", 412)
    assert aws.objects(BUCKET, "lost/") == {"lost/one": b"1"}
    assert [one.status for one in proxy.requests()] == [None, 412]


def test_a_truncated_answer_breaks_while_it_is_read(proxy: FaultProxy, s3: Any) -> None:
    put(s3, "long", bytes(1_000_000))
    proxy.faults({"match": "GET", "do": "truncate"})
    answer = s3.get_object(Bucket=BUCKET, Key="long")
    with pytest.raises(ResponseStreamingError):
        answer["Body"].read()
    assert len(s3.get_object(Bucket=BUCKET, Key="long")["Body"].read()) == 1_000_000


def test_a_delayed_request_is_carried_out_later(proxy: FaultProxy, s3: Any) -> None:
    proxy.faults({"do": "delay:0.4"})
    began = time.monotonic()
    put(s3)
    assert 0.4 <= time.monotonic() - began < 5
    (one,) = proxy.requests()
    assert (one.fault, one.status) == ("delay", 200)
    assert began <= one.at < began + 0.4


def test_only_requests_that_match_are_met_and_each_fault_n_times(proxy: FaultProxy, once: Any) -> None:
    proxy.faults(
        {"match": r"^PUT .*partNumber=2", "n": 1, "do": "InternalError"}, {"match": r"^DELETE", "n": 1, "do": "AccessDenied"}
    )
    upload = once.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    named = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
    once.upload_part(**named, PartNumber=1, Body=b"1")
    with pytest.raises(ClientError, match="InternalError"):
        once.upload_part(**named, PartNumber=2, Body=b"1")
    once.upload_part(**named, PartNumber=2, Body=b"1")
    with pytest.raises(ClientError, match="AccessDenied"):
        once.abort_multipart_upload(**named)
    once.abort_multipart_upload(**named)
    lines = [f"{one.method} {one.status}" for one in proxy.requests()]
    assert lines == ["POST 200", "PUT 200", "PUT 500", "PUT 200", "DELETE 403", "DELETE 204"]
    assert [one.status for one in proxy.requests("partNumber=2")] == [500, 200]


def test_sts_and_kms_answer_in_their_own_shapes(aws: AwsSandbox, proxy: FaultProxy) -> None:
    sts, kms = (aws.client(service, endpoint_url=proxy.url) for service in ("sts", "kms"))
    proxy.faults(
        {"match": " AssumeRole$", "do": "AccessDenied", "message": "not this role"},
        {"match": " GenerateDataKey$", "do": "AccessDenied"},
    )
    with pytest.raises(ClientError) as error:
        sts.assume_role(RoleArn=f"arn:aws:iam::{aws.account}:role/any", RoleSessionName="test")
    assert (seen(error), error.value.response["Error"]["Message"]) == (("AccessDenied", 403), "not this role")
    with pytest.raises(ClientError) as error:
        kms.generate_data_key(KeyId=aws.key(), KeySpec="AES_256")
    assert seen(error) == ("AccessDenied", 403)
    assert sts.get_caller_identity()["Account"] == aws.account
    assert [one.action for one in proxy.requests()] == ["AssumeRole", "GenerateDataKey", "GetCallerIdentity"]


def test_credentials_can_be_said_to_end_soon(aws: AwsSandbox, proxy: FaultProxy) -> None:
    role = {"RoleArn": aws.role("short"), "RoleSessionName": "test"}
    sts = aws.client("sts", **aws.user("short", ASSUME), endpoint_url=proxy.url)
    proxy.faults({"match": "AssumeRole", "do": "expires:60"})
    ends = [sts.assume_role(**role)["Credentials"]["Expiration"] for _ in range(2)]
    left = [(end - datetime.now(timezone.utc)).total_seconds() for end in ends]
    assert 50 < left[0] <= 60
    assert left[1] > 3_000


def test_headers_of_a_request_are_kept_without_its_secrets(aws: AwsSandbox, proxy: FaultProxy, s3: Any) -> None:
    key = aws.key()
    s3.put_object(
        Bucket=BUCKET,
        Key="kept",
        Body=b"1",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
        IfNoneMatch="*",
        Metadata={"run": "7"},
    )
    (one,) = proxy.requests()
    told = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key}
    assert one.headers.items() >= {**told, "if-none-match": "*", "x-amz-meta-run": "7", "content-length": "1"}.items()
    assert one.access_key == "test"
    assert not {"authorization", "x-amz-security-token"} & set(one.headers)


def test_bodies_and_keys_pass_as_they_are(aws: AwsSandbox, proxy: FaultProxy, s3: Any) -> None:
    packed, key = gzip.compress(b"1,2\n" * 1_000, mtime=0), "as is/ü+%2F é=&?.csv.gz"
    s3.put_object(Bucket=BUCKET, Key=key, Body=packed, ContentEncoding="gzip", ContentType="text/csv")
    assert aws.objects(BUCKET, "as is/") == {key: packed}
    answer = s3.get_object(Bucket=BUCKET, Key=key)
    assert (answer["Body"].read(), answer["ContentEncoding"], answer["ContentType"]) == (packed, "gzip", "text/csv")
    assert s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] == len(packed)


def test_signatures_stay_valid_through_it(aws: AwsSandbox, proxy: FaultProxy) -> None:
    user = aws.user("through", [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}])
    put(aws.client("s3", **user, endpoint_url=proxy.url), "signed")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        put(aws.client("s3", **user | {"secret_key": "wrong"}, endpoint_url=proxy.url), "signed")


def test_large_bodies_are_not_held(proxy: FaultProxy, s3: Any, tmp_path: Path) -> None:
    size = 64 << 20
    (tmp_path / "large").write_bytes(b"")
    os.truncate(tmp_path / "large", size)
    tracemalloc.start()
    try:
        with (tmp_path / "large").open("rb") as body:
            s3.put_object(Bucket=BUCKET, Key="large", Body=body)
        for _ in (body := s3.get_object(Bucket=BUCKET, Key="large")["Body"]).iter_chunks(1 << 20):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [one.status for one in proxy.requests()] == [200, 200]
    assert peak < size / 4


def test_clients_may_talk_tls_on_both_sides() -> None:
    with AwsSandbox("access", tls=True) as aws, FaultProxy(aws.url, tls=True, upstream_ca=aws.ca_file) as proxy:
        aws.bucket("sealed")
        s3 = aws.client("s3", endpoint_url=proxy.url, ca_file=proxy.ca_file)
        s3.put_object(Bucket="sealed", Key="one", Body=b"1")
        assert aws.objects("sealed") == {"one": b"1"}
        with pytest.raises(SSLError):
            aws.client("s3", endpoint_url=proxy.url, tries=1).put_object(Bucket="sealed", Key="one", Body=b"1")


def test_a_missing_endpoint_is_a_broken_connection_and_no_thread_is_left(aws: AwsSandbox) -> None:
    before = threading.active_count()
    with FaultProxy("http://127.0.0.1:1") as proxy, pytest.raises(ConnectionClosedError):
        put(aws.client("s3", endpoint_url=proxy.url, tries=1))
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "fault",
    [{"do": "Slowdown"}, {"do": "delay"}, {"do": "reset:1"}, {"do": "redirect"}, {"do": "reset", "times": 2}, {"do": "delay:x"}],
)
def test_a_fault_that_there_is_not_is_refused(proxy: FaultProxy, fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=re.compile("fault|float")):
        proxy.faults(fault)
