"""Who may ask: the signature is worked out anew, over the body that came. And TLS, and the process itself."""

from __future__ import annotations

import ssl
import tempfile
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import msgspec
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.kinesis import KinesisSandbox
from tests.sandbox.kinesis.conftest import Place

BODY = b'{"StreamName":"%s","Records":[{"Data":"eA==","PartitionKey":"a"}]}'


def signed(server: KinesisSandbox, body: bytes, **other: str) -> Any:
    """The headers of PutRecords; ``other``: what is not as it should be of ``key``, ``secret``, ``region`` and ``service``."""
    given = {"key": "test", "secret": "test", "region": server.region, "service": "kinesis", **other}
    headers = {"X-Amz-Target": "Kinesis_20131202.PutRecords", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{server.url}/", data=body, headers=headers)
    SigV4Auth(Credentials(given["key"], given["secret"]), given["service"], given["region"]).add_auth(request)
    return dict(request.headers.items())


def sent(server: KinesisSandbox, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    request = urllib.request.Request(f"{server.url}/", data=body, headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status, msgspec.json.decode(answer.read())
    except HTTPError as error:
        return error.code, msgspec.json.decode(error.read())


def test_a_signed_request_is_taken(place: Place) -> None:
    body = BODY % place.name.encode()
    status, answer = sent(place.server, body, signed(place.server, body))
    assert (status, answer["FailedRecordCount"]) == (200, 0)


def test_a_body_that_changed_on_the_way_is_found(place: Place) -> None:
    body = BODY % place.name.encode()
    status, answer = sent(place.server, body.replace(b"eA==", b"eQ=="), signed(place.server, body))
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")
    assert answer["message"].startswith("The request signature we calculated does not match the signature you provided.")
    assert place.held() == []


@pytest.mark.parametrize("header", ["X-Amz-Date", "X-Amz-Target"])
def test_a_signed_header_that_changed_on_the_way_is_found(place: Place, header: str) -> None:
    body = BODY % place.name.encode()
    headers = signed(place.server, body)
    headers[header] = headers[header][:-2] + ("0Z" if headers[header][-2] != "0" else "1Z")
    status, answer = sent(place.server, body, headers)
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")
    assert place.held() == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"key": "AKIANOBODY"}, "UnrecognizedClientException"),
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"region": "eu-west-1"}, "InvalidSignatureException"),
        ({"service": "firehose"}, "InvalidSignatureException"),
    ],
)
def test_wrong_credentials_are_told_apart(place: Place, given: dict[str, str], code: str) -> None:
    body = BODY % place.name.encode()
    assert sent(place.server, body, signed(place.server, body, **given))[1]["__type"] == code
    assert place.held() == []


def test_no_signature_and_one_of_yesterday(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    body = BODY % place.name.encode()
    headers = signed(place.server, body)
    missing = {name: value for name, value in headers.items() if name != "Authorization"}
    assert sent(place.server, body, missing)[1]["__type"] == "MissingAuthenticationTokenException"
    assert sent(place.server, body, {**headers, "Authorization": "Basic dGVzdA=="})[1]["__type"] == "IncompleteSignatureException"
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: yesterday)
    status, answer = sent(place.server, body, signed(place.server, body))
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")
    assert answer["message"].startswith("Signature expired: ")


def test_tls_is_of_a_private_authority_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with KinesisSandbox(tls=True) as server:
        place = Place(server)
        assert server.url.startswith("https://127.0.0.1:")
        assert place.put(("k", b"secret"))["FailedRecordCount"] == 0
        assert place.held() == [b"secret"]
        assert [one.data for one in server.reader(place.name, idle=0.3)] == [b"secret"]
        assert server.environment()["AWS_CA_BUNDLE"] == server.ca_file
        with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context())
            ).open(f"{server.url}/_sandbox/summary", timeout=10)
    assert not list(tmp_path.iterdir())
    with pytest.raises(URLError, match="refused"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(server.url, timeout=2)


def test_sts_says_whose_the_key_is(server: KinesisSandbox) -> None:
    import boto3

    sts = boto3.session.Session().client(
        "sts", region_name=server.region, endpoint_url=server.url, aws_access_key_id="test", aws_secret_access_key="test"
    )
    assert sts.get_caller_identity()["Account"] == server.account
    with pytest.raises(Exception, match="InvalidAction"):
        sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/x", RoleSessionName="x-y")


def test_a_server_that_does_not_start_shows_what_it_printed() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)printed last: .*write_records must be more than 0"):
        KinesisSandbox(limits={"write_records": 0}).start()
    with pytest.raises(RuntimeError, match="does not answer"):
        KinesisSandbox(shards=0).start()


def test_no_process_outlives_the_block() -> None:
    with KinesisSandbox() as server:
        assert server._process is not None
        processes = [psutil.Process(server._process.pid), *psutil.Process(server._process.pid).children(recursive=True)]
        assert len(processes) == 2
    _, alive = psutil.wait_procs(processes, timeout=5)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
