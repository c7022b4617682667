"""The hook of a stream: one ``aws`` connection, roles, signatures that stay fresh, and what is known of a stream."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError

import pytest

from activation.destinations.kinesis.settings import Stream
from activation.errors import ConfigurationError, TransientError
from activation.hooks.kinesis_stream import KinesisStreamHook
from sandbox.aws import AwsSandbox, FaultProxy
from sandbox.kinesis import KinesisSandbox

ARN = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/profiles"
ASSUME = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]
WRITE = {"Effect": "Allow", "Action": "kinesis:PutRecords", "Resource": ARN}
DESCRIBE = {"Effect": "Allow", "Action": "kinesis:DescribeStreamSummary", "Resource": ARN}
BODY = json.dumps({"StreamARN": ARN, "Records": [{"Data": "eA==", "PartitionKey": "a"}]}).encode()


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as aws:
        aws.client("kinesis").create_stream(StreamName="profiles", ShardCount=2)
        aws.role("writer", [WRITE, DESCRIBE], external_id="id-of-writer")
        aws.role("silent", [WRITE], external_id="id-of-silent")
        yield aws


@pytest.fixture(scope="module")
def sender(aws: AwsSandbox) -> dict[str, str]:
    return aws.user("sender", ASSUME)


@pytest.fixture
def proxy(aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    with FaultProxy(aws.url) as one:
        yield one


@pytest.fixture
def connect(aws: AwsSandbox, sender: dict[str, str], proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the connection ``kinesis`` with these extra fields."""

    def made(**extra: Any) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_KINESIS", aws.connection(**sender, endpoint_url=proxy.url, **extra))

    return made


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[KinesisSandbox]:
    """A server with the stream ``profiles``; the connection ``kinesis`` leads there."""
    with KinesisSandbox() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AIRFLOW_CONN_KINESIS", server.connection())
        server.create("profiles", 2, max_record_kib=2048)
        yield server


def role(aws: AwsSandbox, name: str) -> dict[str, str]:
    return {"role_arn": f"arn:aws:iam::{aws.account}:role/{name}", "external_id": f"id-of-{name}"}


def post(stream: Stream, body: bytes = BODY, changed: bytes | None = None) -> tuple[int, Any]:
    """Send PutRecords as the sink does: over HTTP, with nothing but the headers that the hook signed."""
    headers = dict(stream.sign("PutRecords", body))
    request = urllib.request.Request(f"{stream.url}/", data=changed or body, headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize("name", ["profiles", ARN])
def test_a_stream_by_its_name_or_its_arn_is_described_and_written_to(kinesis: KinesisSandbox, name: str) -> None:
    hook = KinesisStreamHook("kinesis", stream=name)
    stream = hook.stream()
    assert (stream.arn, stream.region, stream.url, stream.on_demand) == (ARN, "ap-northeast-2", kinesis.url, False)
    assert hook.max_record_bytes() == 2048 * 1024
    status, answer = post(stream)
    assert (status, answer["FailedRecordCount"]) == (200, 0)
    assert [(one.key, one.data) for one in kinesis.records("profiles")] == [("a", b"x")]
    assert kinesis.calls() == {"CreateStream": 1, "DescribeStreamSummary": 1, "PutRecords": 1}


def test_the_signature_is_of_the_body(kinesis: KinesisSandbox) -> None:
    status, answer = post(KinesisStreamHook("kinesis", stream="profiles").stream(), changed=BODY.replace(b"eA==", b"eQ=="))
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")
    assert kinesis.records("profiles") == []


def test_many_threads_sign_at_the_same_time(kinesis: KinesisSandbox) -> None:
    stream = KinesisStreamHook("kinesis", stream="profiles").stream()
    bodies = [BODY.replace(b'"a"', b'"key-%d"' % number) for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        assert {status for status, _ in pool.map(lambda body: post(stream, body), bodies)} == {200}
    assert {one.key for one in kinesis.records("profiles")} == {f"key-{number}" for number in range(64)}


def test_tls_is_trusted_as_the_connection_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with KinesisSandbox(tls=True) as server:
        server.create("profiles")
        monkeypatch.setenv("AIRFLOW_CONN_KINESIS", server.connection())
        assert KinesisStreamHook("kinesis", stream="profiles").stream().verify == server.ca_file
        monkeypatch.setenv("AIRFLOW_CONN_KINESIS", server.connection(verify=None))
        with pytest.raises(ConfigurationError, match=r"SSLError: .*verify' name a file with the authority"):
            KinesisStreamHook("kinesis", stream="profiles").stream()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(server.ca_file))
        assert KinesisStreamHook("kinesis", stream="profiles").stream().verify == server.ca_file
        monkeypatch.setenv("AIRFLOW_CONN_KINESIS", server.connection(verify=False))
        with pytest.raises(ConfigurationError, match="turns the check of TLS certificates off"):
            KinesisStreamHook("kinesis", stream="profiles").stream()


def test_an_on_demand_stream_says_so(kinesis: KinesisSandbox) -> None:
    kinesis.client().create_stream(StreamName="scaled", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    hook = KinesisStreamHook("kinesis", stream="scaled")
    assert hook.stream().on_demand
    assert hook.max_record_bytes() == 1024 * 1024


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        ("ResourceNotFoundException", ConfigurationError, "Fix: Correct destination.stream: name, region"),
        ("UnrecognizedClientException", ConfigurationError, "Fix: Check the connection's access key and secret key"),
        ("LimitExceededException", TransientError, "LimitExceededException"),
    ],
)
def test_what_aws_says_instead_is_told_with_the_remedy(
    kinesis: KinesisSandbox, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception], text: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KINESIS", kinesis.connection(config_kwargs={"retries": {"total_max_attempts": 1}}))
    kinesis.faults([{"do": "error", "code": code, "operation": "DescribeStreamSummary", "requests": None}])
    with pytest.raises(error, match=text) as raised:
        KinesisStreamHook("kinesis", stream="profiles").stream()
    assert raised.value.__cause__ is None


def test_without_the_right_to_describe_the_account_is_asked_of_sts(kinesis: KinesisSandbox) -> None:
    denied = {"do": "error", "code": "AccessDeniedException", "operation": "DescribeStreamSummary", "requests": None}
    kinesis.faults([denied])
    hook = KinesisStreamHook("kinesis", stream="profiles")
    assert (hook.stream().arn, hook.max_record_bytes()) == (ARN, 1024 * 1024)
    assert kinesis.calls()["GetCallerIdentity"] == 1
    kinesis.forget()
    kinesis.faults([denied])
    abroad = ARN.replace("123456789012", "210987654321")
    assert KinesisStreamHook("kinesis", stream=abroad).stream().arn == abroad
    assert "GetCallerIdentity" not in kinesis.calls()


def test_a_role_writes_with_its_external_id_and_the_connection_alone_may_not(
    aws: AwsSandbox, proxy: FaultProxy, connect: Any
) -> None:
    connect()
    hook = KinesisStreamHook("kinesis", stream="profiles", **role(aws, "writer"))
    assert post(hook.stream())[0] == 200
    assumed, *others = proxy.requests()
    assert (assumed.action, [one.access_key[:4] for one in others]) == ("AssumeRole", ["ASIA", "ASIA"])
    status, answer = post(KinesisStreamHook("kinesis", stream="profiles").stream())
    assert (status, answer["__type"]) == (403, "AccessDeniedException")  # 400 at AWS


def test_without_the_right_to_describe_the_account_is_the_roles(aws: AwsSandbox, proxy: FaultProxy, connect: Any) -> None:
    connect()
    hook = KinesisStreamHook("kinesis", stream="profiles", **role(aws, "silent"))
    assert (hook.stream().arn, hook.max_record_bytes()) == (ARN, 1024 * 1024)
    assert proxy.requests("GetCallerIdentity") == []
    assert post(hook.stream())[0] == 200


def test_a_role_that_refuses_is_told_without_the_external_id(aws: AwsSandbox, connect: Any) -> None:
    connect()
    hook = KinesisStreamHook("kinesis", stream="profiles", role_arn=role(aws, "writer")["role_arn"], external_id="id-of-nobody")
    with pytest.raises(ConfigurationError, match=r"^invalid arn: Assuming the role .*role/writer failed: ") as raised:
        hook.get_conn()
    assert "id-of-nobody" not in str(raised.value)
    assert "id-of-nobody" not in repr(hook.access())


def test_a_session_that_ends_in_a_long_run_is_renewed_before_the_next_call(
    aws: AwsSandbox, proxy: FaultProxy, connect: Any
) -> None:
    """The session lives four seconds, which the client would refuse to ask for were its check of parameters not off."""
    wanted = {"ExternalId": "id-of-writer", "DurationSeconds": 4}
    connect(role_arn=role(aws, "writer")["role_arn"], assume_role_kwargs=wanted, config_kwargs={"parameter_validation": False})
    stream = KinesisStreamHook("kinesis", stream="profiles").stream()
    first = stream.sign("PutRecords", BODY)
    assert post(stream)[0] == 200
    time.sleep(5)
    assert post(stream)[0] == 200
    headers = dict(first)
    request = urllib.request.Request(f"{stream.url}/", data=BODY, headers=headers)
    with pytest.raises(HTTPError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30)


def test_a_role_that_is_withdrawn_meanwhile_is_an_error_of_the_role(aws: AwsSandbox, connect: Any) -> None:
    arn = aws.role("withdrawn", [WRITE, DESCRIBE], external_id="id-of-withdrawn")
    connect(assume_role_kwargs={"DurationSeconds": 900})
    hook = KinesisStreamHook("kinesis", stream="profiles", role_arn=arn, external_id="id-of-withdrawn")
    stream = hook.stream()
    nobody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    aws.client("iam").update_assume_role_policy(RoleName="withdrawn", PolicyDocument=policy)
    kept = hook.get_session().get_credentials()
    kept._expiry_time = kept._time_fetcher()  # the session of a role ends after 15 minutes at the earliest
    with pytest.raises(
        ConfigurationError, match=r"^invalid arn: Signing with the credentials of the connection 'kinesis' failed"
    ):
        stream.sign("PutRecords", BODY)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"stream": "no stream"}, "'no stream' is neither the name nor the ARN of a data stream"),
        ({"stream": ARN, "region_name": "eu-west-1"}, "is in ap-northeast-2, not in eu-west-1"),
        ({"stream": "profiles", "external_id": "id-of-nobody"}, "There is an external id, but"),
    ],
)
def test_what_cannot_be_is_refused_before_any_request(proxy: FaultProxy, connect: Any, given: dict[str, str], text: str) -> None:
    connect()
    with pytest.raises(ConfigurationError, match=text):
        KinesisStreamHook("kinesis", **given).stream()  # type: ignore[arg-type]
    assert proxy.requests() == []


def test_aws_that_cannot_be_reached_is_tried_again(monkeypatch: pytest.MonkeyPatch, connect: Any) -> None:
    connect(
        config_kwargs={"retries": {"total_max_attempts": 1}}, service_config={"kinesis": {"endpoint_url": "http://127.0.0.1:9"}}
    )
    with pytest.raises(TransientError, match="Describing the stream profiles failed: EndpointConnectionError"):
        KinesisStreamHook("kinesis", stream="profiles").stream()


def test_no_text_of_the_hook_holds_a_secret(sender: dict[str, str], aws: AwsSandbox, connect: Any) -> None:
    connect()
    hook = KinesisStreamHook("kinesis", stream="profiles", **role(aws, "writer"))
    for shown in (repr(hook), str(hook), repr(hook.access()), repr(hook.stream())):
        assert sender["secret_key"] not in shown
        assert "id-of-writer" not in shown
