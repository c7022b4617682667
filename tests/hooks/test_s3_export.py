"""The hook of an export: one ``aws`` connection, many partners' roles, and sessions that end while an export runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from activation.destinations.s3.errors import ExportCase, as_error, classify
from activation.destinations.s3.settings import MIB, ObjectSettings, Transfer
from activation.destinations.s3.upload import Upload
from activation.errors import ConfigurationError, TransientError
from activation.hooks.s3_export import POOL, S3ExportHook, session_name
from sandbox.aws import AwsSandbox, FaultProxy

BUCKET = "partner-bucket"
WRITE = [{"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]}]
USER = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as account:
        account.bucket(BUCKET)
        for name in ("a", "b"):
            account.role(f"partner-{name}", WRITE, external_id=f"id-of-{name}")
        account.role("partner-open", WRITE)
        yield account


@pytest.fixture(scope="module")
def exporter(aws: AwsSandbox) -> dict[str, str]:
    return aws.user("exporter", USER)


@pytest.fixture
def proxy(aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    with FaultProxy(aws.url) as one:
        yield one


@pytest.fixture
def connect(aws: AwsSandbox, exporter: dict[str, str], proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the connection ``partners`` with these extra fields."""

    def made(**extra: Any) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_PARTNERS", aws.connection(**exporter, endpoint_url=proxy.url, **extra))

    return made


def _arn(aws: AwsSandbox, name: str) -> str:
    return f"arn:aws:iam::{aws.account}:role/partner-{name}"


def _put(hook: S3ExportHook, key: str) -> None:
    hook.get_conn().put_object(Bucket=BUCKET, Key=key, Body=b"1")


def test_the_role_of_the_connection_writes(aws: AwsSandbox, proxy: FaultProxy, connect: Any) -> None:
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs={"ExternalId": "id-of-a"})
    _put(S3ExportHook("partners"), "own")
    assumed, put = proxy.requests()
    assert (assumed.action, assumed.access_key[:4]) == ("AssumeRole", "AKIA")
    assert (put.line, put.access_key[:4], put.status) == (f"PUT /{BUCKET}/own", "ASIA", 200)


def test_one_connection_serves_the_roles_of_many_partners(aws: AwsSandbox, connect: Any) -> None:
    connect()
    for name in ("a", "b"):
        _put(S3ExportHook("partners", role_arn=_arn(aws, name), external_id=f"id-of-{name}"), name)
    assert {"a", "b"} <= set(aws.objects(BUCKET))


def test_a_pipelines_role_does_not_get_the_external_id_of_the_connections_role(aws: AwsSandbox, connect: Any) -> None:
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs={"ExternalId": "id-of-a", "DurationSeconds": 1800})
    hook = S3ExportHook("partners", role_arn=_arn(aws, "open"))
    told = {"RoleSessionName": "activation-partners", "DurationSeconds": 1800}
    assert (hook.conn_config.role_arn, hook.conn_config.assume_role_kwargs) == (_arn(aws, "open"), told)
    access = hook.access()
    assert (access.role_arn, access.session, access.external_id) == (_arn(aws, "open"), told, "")
    same = S3ExportHook("partners", role_arn=_arn(aws, "a")).access()
    assert (same.role_arn, same.external_id) == (_arn(aws, "a"), "id-of-a")
    given = S3ExportHook("partners", external_id="id-of-b", region_name="eu-west-1").access()
    assert (given.role_arn, given.external_id, given.region) == (_arn(aws, "a"), "id-of-b", "eu-west-1")


@pytest.mark.parametrize(
    ("conn_id", "name"),
    [
        ("crm", "activation-crm"),
        ("파트너 1", "activation-----1"),
        ("a/b:c", "activation-a-b-c"),
        ("x" * 99, "activation-" + "x" * 53),
    ],
)
def test_a_session_has_a_name_that_sts_takes(conn_id: str, name: str) -> None:
    assert session_name(conn_id) == name


def test_the_name_of_the_session_may_be_the_connections(aws: AwsSandbox, connect: Any) -> None:
    connect(role_arn=_arn(aws, "open"), assume_role_kwargs={"RoleSessionName": "mine"})
    assert S3ExportHook("partners").access().session == {"RoleSessionName": "mine"}


def test_sts_is_asked_as_the_exporter_itself(aws: AwsSandbox, connect: Any) -> None:
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs={"ExternalId": "id-of-a"})
    hook = S3ExportHook("partners")
    assert hook.sts_client().get_caller_identity()["Arn"] == f"arn:aws:iam::{aws.account}:user/exporter"


def test_a_role_that_refuses_is_told_as_its_case(aws: AwsSandbox, connect: Any) -> None:
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs={"ExternalId": "id-of-b"})
    with pytest.raises(
        ConfigurationError, match=r"^invalid arn: Assuming the role arn:aws:iam::\d+:role/partner-a failed: "
    ) as raised:
        S3ExportHook("partners").get_conn()
    assert "id-of-b" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_sts_that_cannot_be_reached_is_tried_again(aws: AwsSandbox, connect: Any) -> None:
    closed = {"service_config": {"sts": {"endpoint_url": "http://127.0.0.1:9"}}}
    connect(role_arn=_arn(aws, "a"), config_kwargs={"retries": {"total_max_attempts": 1}}, **closed)
    with pytest.raises(TransientError, match=r"^unknown error: Assuming the role .* failed: EndpointConnectionError"):
        S3ExportHook("partners").get_conn()


def test_a_connection_that_is_not_there_is_no_way_to_the_workers_own_credentials() -> None:
    with pytest.raises(ConfigurationError, match="There is no Airflow connection 'nowhere'"):
        S3ExportHook("nowhere").get_conn()


@pytest.mark.parametrize(
    "extra", [{}, {"role_arn": "arn:aws:iam::123456789012:role/x", "assume_role_method": "assume_role_with_web_identity"}]
)
def test_an_external_id_that_nobody_asks_for_is_an_invalid_parameter(connect: Any, extra: dict[str, str]) -> None:
    connect(**extra)
    with pytest.raises(ConfigurationError, match=r"^invalid_parameter: There is an external id, but") as raised:
        S3ExportHook("partners", external_id="id-of-nobody").access()
    assert "id-of-nobody" not in str(raised.value)


def test_a_connection_that_cannot_be_read_is_an_invalid_parameter_without_its_extra(connect: Any) -> None:
    connect(role_arn="arn:aws:iam::123456789012:role/x", assume_role_method="by_magic_canary")
    with pytest.raises(ConfigurationError, match=r"^invalid_parameter: The connection 'partners' cannot be read") as raised:
        S3ExportHook("partners").get_conn()
    assert "canary" not in str(raised.value)


def test_the_client_repeats_and_keeps_connections_and_the_connection_may_say_otherwise(connect: Any) -> None:
    connect()
    config = S3ExportHook("partners").get_conn().meta.config
    assert (config.retries, config.max_pool_connections) == ({"mode": "standard", "total_max_attempts": 6}, POOL)
    assert config.request_checksum_calculation == "when_supported"
    connect(config_kwargs={"read_timeout": 7})
    config = S3ExportHook("partners").get_conn().meta.config
    assert (config.read_timeout, config.max_pool_connections) == (7, POOL)


def test_no_text_of_the_hook_holds_a_secret(aws: AwsSandbox, exporter: dict[str, str], connect: Any) -> None:
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs={"ExternalId": "id-of-a"})
    hook = S3ExportHook("partners")
    for shown in (repr(hook), str(hook), repr(hook.access())):
        assert exporter["secret_key"] not in shown
        assert "id-of-a" not in shown


def _upload(hook: S3ExportHook, key: str) -> Upload:
    settings = ObjectSettings("text/csv", "pipeline/run", transfer=Transfer(5 * MIB, 2))
    return Upload(hook.get_conn(), BUCKET, key, settings)


def test_s_f11_a_session_that_ends_in_the_middle_of_an_upload_is_renewed(
    aws: AwsSandbox, proxy: FaultProxy, connect: Any
) -> None:
    """The session lives four seconds, which the client would refuse to ask for were its check of parameters not off."""
    wanted = {"ExternalId": "id-of-a", "DurationSeconds": 4}
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs=wanted, config_kwargs={"parameter_validation": False})
    hook = S3ExportHook("partners")
    first = hook.get_conn()._request_signer._credentials.get_frozen_credentials()
    upload = _upload(hook, "renewed")
    upload.write(b"a" * 6 * MIB)
    time.sleep(5)
    upload.write(b"b" * 6 * MIB)
    upload.finish()
    assert aws.objects(BUCKET, "renewed") == {"renewed": b"a" * 6 * MIB + b"b" * 6 * MIB}
    assert aws.unfinished(BUCKET) == []
    assert len({one.access_key for one in proxy.requests("renewed")}) > 1
    ended = aws.client("s3", access_key=first.access_key, secret_key=first.secret_key, session_token=first.token)
    with pytest.raises(Exception, match=r"InvalidAccessKeyId|ExpiredToken|InvalidToken"):
        ended.put_object(Bucket=BUCKET, Key="late", Body=b"1")


def _later(hook: S3ExportHook, minutes: float) -> None:
    """Let the clock of the client's credentials go ahead."""
    hook.get_conn()._request_signer._credentials._time_fetcher = lambda: datetime.now(timezone.utc) + timedelta(minutes=minutes)


def test_s_f11_an_hours_session_is_asked_for_once_until_it_nears_its_end(
    aws: AwsSandbox, proxy: FaultProxy, connect: Any
) -> None:
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs={"ExternalId": "id-of-a"})
    hook = S3ExportHook("partners")
    for minutes, sessions in ((0, 1), (44, 1), (51, 2)):
        _later(hook, minutes)
        _put(hook, f"after-{minutes}")
        assert len(proxy.requests("AssumeRole")) == sessions
    keys = [one.access_key for one in proxy.requests("PUT ")]
    assert keys[0] == keys[1] != keys[2]


def test_the_shortest_session_is_asked_for_with_every_request_as_the_page_for_partners_warns(
    aws: AwsSandbox, proxy: FaultProxy, connect: Any
) -> None:
    connect(role_arn=_arn(aws, "a"), assume_role_kwargs={"ExternalId": "id-of-a", "DurationSeconds": 900})
    hook = S3ExportHook("partners")
    for number in range(3):
        _put(hook, f"short-{number}")
    assert len(proxy.requests("AssumeRole")) == 4


def test_s_f11_a_role_that_is_withdrawn_meanwhile_is_an_invalid_arn_whatever_was_asked(aws: AwsSandbox, connect: Any) -> None:
    role = aws.role("withdrawn", WRITE, external_id="id-of-w")
    connect(role_arn=role, assume_role_kwargs={"ExternalId": "id-of-w"})
    hook = S3ExportHook("partners")
    _put(hook, "before")
    nobody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    aws.client("iam").update_assume_role_policy(RoleName="withdrawn", PolicyDocument=policy)
    _later(hook, 55)
    with pytest.raises(Exception, match="AssumeRole") as raised:
        _put(hook, "after")
    assert classify(raised.value) is ExportCase.ARN
    error = as_error(raised.value, "Writing the object after")
    assert str(error).startswith("invalid arn: Writing the object after failed: AWS answered AccessDenied to AssumeRole: ")
    assert "after" not in aws.objects(BUCKET)
