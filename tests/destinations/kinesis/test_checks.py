"""K-C1: what is checked before the first record, and that the right that is missing is called by its name.

ministack judges policies and roles as IAM does, but knows no dry run, no range of hash keys and no KMS permissions; the contract
server knows the first two and says what AWS would of keys. Whether AWS looks at rights before it looks at a record, neither
shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from activation.destinations.kinesis.checks import TEST_KEY, Access, Needs, check, require
from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.findings import Finding, Verdict
from activation.hooks.kinesis_stream import KinesisStreamHook
from sandbox.aws import AwsSandbox, FaultProxy
from sandbox.kinesis import KinesisSandbox

ARN = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/profiles"
EXTERNAL_ID = "ext-canary-7f3a9c"
ALL = ("kinesis:ListStreams", "kinesis:DescribeStreamSummary", "kinesis:PutRecords", "kinesis:ListShards")
NAMES = ["parameters", "role", "external id", "region and endpoint", "stream", "right to write", "shards", "KMS key"]
NEEDS = Needs()


def rights(*without: str) -> list[dict[str, Any]]:
    """Statements with all rights but those; ListStreams knows no resource."""
    return [
        {"Effect": "Allow", "Action": action, "Resource": "*" if action == ALL[0] else ARN}
        for action in ALL
        if action not in without
    ]


def findings(access: Access, needs: Needs = NEEDS) -> dict[str, Finding]:
    """What is found, in which no secret stands; :func:`require` must see the same."""
    found = list(check(access, needs))
    assert EXTERNAL_ID not in str(found)
    told: list[Finding] = []
    try:
        require(access, needs, told.append)
    except ActivationError as error:
        assert found[-1].verdict is Verdict.WRONG
        assert found[-1].text == str(error)
    assert told == [one for one in found if one.verdict is not Verdict.WRONG]
    assert [one.name for one in found] == NAMES[: len(found)]
    return {one.name: one for one in found}


def wrong(access: Access, name: str, needs: Needs = NEEDS) -> str:
    """The text of the finding at which the checks stop."""
    found = findings(access, needs)
    last = list(found)[-1]
    assert (last, found[last].verdict) == (name, Verdict.WRONG)
    return found[last].text


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as aws, pytest.MonkeyPatch.context() as patch, FaultProxy(aws.url) as proxy:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        sender = aws.user("sender", [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])
        patch.setenv("AIRFLOW_CONN_KINESIS", aws.connection(**sender, endpoint_url=proxy.url))
        aws.client("kinesis").create_stream(StreamName="profiles", ShardCount=2)
        yield aws


def as_role(aws: AwsSandbox, name: str, *without: str, external_id: str | None = EXTERNAL_ID, **given: Any) -> Access:
    """The way in as a new role that lacks these rights."""
    who = f"arn:aws:iam::{aws.account}:user/sender"
    arn = aws.role(name, rights(*without), trust=who, external_id=external_id)
    return KinesisStreamHook("kinesis", **{"stream": "profiles", "role_arn": arn, "external_id": EXTERNAL_ID, **given}).access()


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[KinesisSandbox]:
    """A server with the stream ``profiles``; the connection ``plain`` leads there."""
    with KinesisSandbox() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AIRFLOW_CONN_PLAIN", server.connection(config_kwargs={"retries": {"total_max_attempts": 1}}))
        server.create("profiles", 2)
        yield server


def plainly(**given: Any) -> Access:
    return KinesisStreamHook("plain", **{"stream": "profiles", **given}).access()


def test_k_c1_a_role_with_all_rights_passes_and_the_stream_is_listed(aws: AwsSandbox) -> None:
    found = findings(as_role(aws, "good"))
    assert {name: one.verdict.value for name, one in found.items()} == {**dict.fromkeys(NAMES, "ok"), "KMS key": "skipped"}
    assert found["external id"].text == "the role is refused without it, and with a wrong one"
    assert found["region and endpoint"].text.endswith("; profiles is listed")
    assert found["stream"].text == f"{ARN} is ACTIVE, provisioned, 2 open shards, records up to 1,048,576 bytes"
    assert TEST_KEY in found["right to write"].text, "ministack judges neither hash keys nor dry runs"


def test_k_c1_without_the_right_to_write_the_checks_stop_there(aws: AwsSandbox) -> None:
    text = wrong(as_role(aws, "no-write", "kinesis:PutRecords"), "right to write")
    assert "AccessDeniedException" in text
    assert text.endswith(f" Fix: Allow kinesis:PutRecords on {ARN} to the connection's user or role.")


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("kinesis:ListStreams", "region and endpoint"),
        ("kinesis:DescribeStreamSummary", "stream"),
        ("kinesis:ListShards", "shards"),
    ],
)
def test_k_c1_a_right_that_can_be_done_without_is_called_by_its_name(aws: AwsSandbox, action: str, name: str) -> None:
    found = findings(as_role(aws, f"no-{action[8:].lower()}", action))
    assert list(found) == NAMES
    assert found[name].verdict is Verdict.SKIPPED
    assert f"{action} is not allowed" in found[name].text
    assert f"allow {action} on" in found[name].text
    assert found["right to write"].verdict is Verdict.OK


def test_k_c1_packing_by_shard_cannot_do_without_the_shards(aws: AwsSandbox) -> None:
    access = as_role(aws, "no-shards-to-pack-for", "kinesis:ListShards")
    assert wrong(access, "shards", Needs(aggregate=True)).endswith(
        f" Fix: Allow kinesis:ListShards on {ARN} to the connection's user or role."
    )


def test_k_c1_a_role_that_asks_for_no_external_id_is_wrong(aws: AwsSandbox) -> None:
    text = wrong(as_role(aws, "open", external_id=None), "external id")
    assert "can be assumed without the external id" in text
    assert "StringEquals on sts:ExternalId" in text


def test_k_c1_a_role_that_refuses_stops_the_checks(aws: AwsSandbox) -> None:
    text = wrong(as_role(aws, "other", external_id="id-of-somebody-else"), "role")
    assert text.startswith(
        "invalid arn: Assuming the role arn:aws:iam::123456789012:role/other failed: AWS answered AccessDenied to AssumeRole"
    )


@pytest.mark.parametrize("role_arn", ["arn:aws:iam::123:role/x", "role"])
def test_k_c1_a_malformed_role_costs_no_request(aws: AwsSandbox, role_arn: str) -> None:
    text = wrong(KinesisStreamHook("kinesis", stream="profiles", role_arn=role_arn).access(), "parameters")
    assert text.startswith(f"invalid arn: '{role_arn}' is not the ARN of a role.")


def test_k_c1_a_stream_that_is_not_there_is_told_with_its_region(kinesis: KinesisSandbox) -> None:
    text = wrong(plainly(stream="profile"), "stream")
    assert "kinesis:DescribeStreamSummary on the stream profile" in text
    assert text.endswith("Fix: Correct destination.stream: name, region (ap-northeast-2) and account.")


def test_k_c1_a_stream_that_is_not_listed_is_not_there_even_where_it_may_not_be_described(kinesis: KinesisSandbox) -> None:
    deny(kinesis, "DescribeStreamSummary")
    access = plainly(stream="profile", role_arn=None)
    # The account is known by the role or by an ARN only; without either the write tells.
    assert wrong(access, "right to write").endswith("Correct destination.stream: name, region (ap-northeast-2) and account.")
    known = plainly(stream=ARN.replace("profiles", "profile"))
    assert wrong(known, "stream") == f"There is no stream {ARN[:-1]}. Fix: Correct stream and region."


def deny(kinesis: KinesisSandbox, operation: str, code: str = "AccessDeniedException") -> None:
    kinesis.faults([{"do": "error", "code": code, "operation": operation, "requests": None}])


def test_k_c1_nothing_is_written_where_hash_keys_are_judged_and_what_is_not_certain_is_said(kinesis: KinesisSandbox) -> None:
    found = findings(plainly())
    assert found["right to write"].verdict is Verdict.SKIPPED
    assert found["right to write"].text.endswith("shows for certain only with the first record")
    assert kinesis.records("profiles") == []


def test_k_c1_at_aws_itself_a_dry_run_of_a_good_record_gives_certainty(kinesis: KinesisSandbox) -> None:
    found = findings(replace(plainly(), own_endpoint=lambda: False))
    assert found["right to write"] == Finding(Verdict.OK, "right to write", "a dry run of PutRecords would have succeeded")
    assert kinesis.calls()["PutRecords"] == 4, "check and require, each with both records"
    assert kinesis.records("profiles") == []


def test_k_c1_a_dry_run_that_is_denied_is_wrong(kinesis: KinesisSandbox) -> None:
    rule = {"do": "error", "code": "AccessDeniedException", "requests": None}
    kinesis.faults([{**rule, "after": 1}])
    last = list(check(replace(plainly(), own_endpoint=lambda: False), NEEDS))[-1]
    assert (last.name, last.verdict) == ("right to write", Verdict.WRONG)
    assert last.text.endswith(f"Fix: Allow kinesis:PutRecords on {ARN} to the connection's user or role.")


@pytest.mark.parametrize(("status", "good"), [("CREATING", False), ("DELETING", False), ("UPDATING", True)])
def test_k_c1_a_stream_takes_records_while_it_is_active_or_updating(kinesis: KinesisSandbox, status: str, good: bool) -> None:
    kinesis.change(status={"profiles": status})
    if good:
        assert findings(plainly())["stream"].text.startswith(f"{ARN} is UPDATING")
    else:
        assert wrong(plainly(), "stream") == (
            f"The stream {ARN} is {status} and takes no records. Fix: Wait until it is ACTIVE or UPDATING."
        )


def test_k_c1_a_stream_that_spreads_by_itself_keeps_no_order(kinesis: KinesisSandbox) -> None:
    client = kinesis.client()
    client.create_stream(StreamName="spread", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert "on demand, 4 open shards" in findings(plainly(stream="spread"))["stream"].text
    client.update_stream_record_distribution_strategy(StreamARN=kinesis.arn("spread"), RecordDistributionStrategy="AUTO")
    assert "distribution strategy AUTO" in wrong(plainly(stream="spread"), "stream")
    found = findings(plainly(stream="spread"), Needs(ordered=False))
    assert found["shards"].text == "AWS spreads the records by itself"


def test_k_c1_a_key_that_does_not_encrypt_is_told_as_the_key(kinesis: KinesisSandbox) -> None:
    kinesis.client().start_stream_encryption(StreamName="profiles", EncryptionType="KMS", KeyId="alias/profiles")
    found = findings(plainly())
    assert "kms:GenerateDataKey on alias/profiles is allowed shows only with the first record" in found["KMS key"].text
    deny(kinesis, "PutRecords", "KMSAccessDeniedException")
    assert wrong(plainly(), "KMS key").endswith("Fix: Allow kms:GenerateDataKey on the key that encrypts profiles.")


def test_k_c1_wrong_keys_are_told_at_the_endpoint(kinesis: KinesisSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PLAIN", kinesis.connection(access_key="AKIANOBODYKNOWS"))
    text = wrong(plainly(), "region and endpoint")
    assert "UnrecognizedClientException" in text
    assert "Fix: Check the connection's access key and secret key" in text
    monkeypatch.setenv("AIRFLOW_CONN_PLAIN", kinesis.connection(secret_key="mistyped-canary"))
    text = wrong(plainly(), "region and endpoint")
    assert "InvalidSignatureException" in text
    assert "canary" not in text


def test_an_endpoint_that_does_not_answer_may_answer_later(kinesis: KinesisSandbox) -> None:
    kinesis.faults([{"do": "error", "code": "ServiceUnavailable", "operation": "ListStreams", "requests": None}])
    with pytest.raises(TransientError, match="503 ServiceUnavailable"):
        require(plainly(), NEEDS, lambda finding: None)


def test_a_connection_that_is_not_there_is_no_way_to_the_workers_own_credentials() -> None:
    with pytest.raises(ConfigurationError, match="There is no Airflow connection 'nowhere'"):
        KinesisStreamHook("nowhere", stream="profiles").access()
