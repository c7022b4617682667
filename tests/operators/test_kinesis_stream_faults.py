"""Contracts: kinesis K-F3, K-F5, K-F7, K-B3, K-B4 through the operator: what fails, what is kept, and what is told."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.delivery.journal import Journal
from activation.delivery.kept import Kept
from activation.errors import ConfigurationError, TransientError
from sandbox.kinesis import KinesisSandbox

from .stream_world import StreamWorld, fresh

PEOPLE = [f"p{n:02d}" for n in range(30)]
SECRET = "secret/canary+7f3a9c0d5e1b2a4968c7d0e1f2a3b"


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox(keys={"test": "test", "AKIACANARY91D0C1F2AB": SECRET}) as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    """Thirty members, of whom nobody is sent yet; ten go in one request."""
    world = fresh(kinesis, tmp_path, monkeypatch)
    world.profiles(*PEOPLE)
    world.member("a", *PEOPLE)
    world.destination["requests"] = {"records": 10}
    kinesis.forget()
    return world


def failing(world: StreamWorld, keys: str) -> None:
    """Let some profiles' records fail for ever."""
    world.kinesis.faults([{"do": "fail", "key": keys, "requests": None, "stream": world.stream}])


def kept(world: StreamWorld) -> dict[str, dict[str, Any]]:
    """What is among the rejects, by profile."""
    return {one["row"]["profile_id"]: one for one in Kept(world.folder / "state" / "p" / "rejects").records()}


def test_k_f3_exhausted_fail_ends_the_try_and_a_retry_sends_the_rest(world: StreamWorld) -> None:
    failing(world, "^p1[02]$")
    with pytest.raises(TransientError, match=r"2 records of a call .* failed for good, .* Fix: A retry of the task"):
        world.run()
    assert world.watermark() is None
    world.kinesis.clear_faults()
    rows = world.run(retry=True)["rows"]
    assert rows == {"read": 30, "sent": 30, "rejected": 0, "skipped": 0}
    found = Counter(record.key for record in world.arrived())
    assert found.keys() == set(PEOPLE)
    assert sum(found.values()) <= 38, "at most the rest of the request is sent twice"


def test_k_f3_exhausted_reject_keeps_the_record_and_goes_on(world: StreamWorld) -> None:
    failing(world, "^p1[02]$")
    world.destination["requests"] = {"records": 10, "exhausted": "reject"}
    report = world.run()
    assert report["rows"] == {"read": 30, "sent": 28, "rejected": 2, "skipped": 0}
    assert (report["status"], report["reasons"]) == ("partial", {"retries_exhausted": 2})
    assert report["records"] == {"throttled": 6, "failed": 0, "resent": 4}
    assert world.messages().keys() == set(PEOPLE) - {"p10", "p12"}
    rejects = kept(world)
    assert rejects.keys() == {"p10", "p12"}
    assert rejects["p10"]["code"] == "retries_exhausted"
    assert "ProvisionedThroughputExceededException" in rejects["p10"]["message"]
    assert rejects["p10"]["row"]["EMAIL"] == "p10@example.com"
    world.kinesis.clear_faults()
    world.member("a", "p10", "p11")
    assert world.sends().keys() == {"p10"}, "what was refused does not count as sent"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ResourceNotFoundException", "Correct destination.stream"),
        ("AccessDeniedException", "Allow kinesis:PutRecords on arn:"),
        ("KMSAccessDeniedException", "Allow kms:GenerateDataKey"),
        ("KMSDisabledException", "Enable the KMS key"),
        ("KMSInvalidStateException", "Bring the KMS key"),
        ("KMSNotFoundException", "a KMS key that exists"),
        ("KMSOptInRequired", "Activate KMS"),
    ],
)
def test_k_f5_what_only_a_person_can_put_right_is_not_tried_again(world: StreamWorld, code: str, remedy: str) -> None:
    world.kinesis.faults([{"do": "error", "code": code, "requests": None, "stream": world.stream}])
    world.destination["requests"] = {}
    with pytest.raises(AirflowFailException, match=f"{code}.* to kinesis:PutRecords .* {world.stream}. Fix: .*{remedy}"):
        world.run()
    assert world.kinesis.calls()["PutRecords"] == 1
    assert (world.arrived(), world.watermark()) == ([], None)
    world.kinesis.clear_faults()
    assert len(world.sends()) == 30


def test_k_f5_a_stream_that_is_not_there(world: StreamWorld) -> None:
    world.stream = "nowhere"
    with pytest.raises(AirflowFailException, match=r"ResourceNotFoundException.* the stream nowhere.* Fix: Correct destination"):
        world.run()


@pytest.mark.parametrize(("more", "rejected"), [(0, set()), (1, {"p05"})], ids=["as large as may be", "one byte more"])
def test_k_b3_a_record_that_is_too_large_is_kept_and_the_others_go_on(world: StreamWorld, more: int, rejected: set[str]) -> None:
    world.sends()
    world.destination["records"] = {"max_bytes": "2KiB"}
    world.sql("INSERT INTO crm.identities VALUES ('p04', 'email', 'x', false, now()), ('p05', 'email', 'x', false, now())")
    size = len(json.dumps(world.sends()["p05"], ensure_ascii=False, separators=(",", ":")).encode()) + len("p05")
    long = "x" * (2048 - size + 1 + more)
    world.sql("UPDATE crm.identities SET ID = ?, UPDATED_AT = now() WHERE NAMESPACE = 'email' AND PROFILE_ID = 'p05'", [long])
    world.sql("UPDATE crm.identities SET ID = 'y', UPDATED_AT = now() WHERE NAMESPACE = 'email' AND PROFILE_ID = 'p04'")
    assert world.sends().keys() == {"p04", "p05"} - rejected
    assert kept(world).keys() == rejected
    assert {one["code"] for one in kept(world).values()} <= {"record_too_large"}
    world.destination["records"] = {"max_bytes": "2KiB", "oversize": "fail"}
    world.sql("UPDATE crm.identities SET ID = ID || 'zz', UPDATED_AT = now() WHERE NAMESPACE = 'email'")
    with pytest.raises(AirflowFailException, match="oversize: reject"):
        world.run()


def test_k_b4_a_partition_key_that_is_no_mapped_attribute_is_an_error_of_the_file(world: StreamWorld) -> None:
    world.destination["records"] = {"partition_key": "person.country"}
    with pytest.raises(ConfigurationError, match=r"partition_key is no mapped attribute"):
        world.run()


def test_k_b4_without_a_key_a_profile_is_kept_and_a_long_key_is_hashed(world: StreamWorld) -> None:
    world.destination["records"] = {"partition_key": "personalEmail.address"}
    world.sql("UPDATE crm.profiles SET EMAIL = NULL WHERE PROFILE_ID = 'p01'")
    world.sql("UPDATE crm.profiles SET EMAIL = repeat('é', 256) WHERE PROFILE_ID = 'p02'")
    world.sql("UPDATE crm.profiles SET EMAIL = repeat('é', 257) WHERE PROFILE_ID = 'p03'")
    assert world.run()["reasons"] == {"partition_key_missing": 1}
    keys = {json.loads(one.data)["identityMap"]["crm"][0]["id"]: one.key for one in world.arrived()}
    assert (keys["id-p02"], len(keys["id-p03"]), len(keys)) == ("é" * 256, 64, 29)
    assert "personalEmail" not in keys


def test_a_stream_that_spreads_records_by_itself_is_refused_where_order_is_to_be_kept(world: StreamWorld) -> None:
    client = world.kinesis.client()
    world.stream = f"{world.stream}-spread"
    client.create_stream(StreamName=world.stream, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    client.update_stream_record_distribution_strategy(
        StreamARN=world.kinesis.arn(world.stream), RecordDistributionStrategy="AUTO"
    )
    with pytest.raises(AirflowFailException, match=r"distribution strategy AUTO.* Fix: .*records: \{ordering: none\}"):
        world.run()
    assert world.arrived() == []
    world.destination["records"] = {"ordering": "none"}
    assert len(world.sends()) == 30


def test_the_report_is_plain_json_and_tells_a_plausible_latency(world: StreamWorld) -> None:
    first = world.run()
    assert first["latency"] == {"p50": None, "p95": None, "max": None, "records": 0}, "old members have waited for nobody"
    world.sql(
        """UPDATE crm.audience_memberships SET STATUS = 'exited', UPDATED_AT = now() - INTERVAL 20 SECOND
            WHERE PROFILE_ID < 'p20'"""
    )
    report = world.run(cursor={"settle": "0s", "lookback": "1m"})
    latency = report["latency"]
    assert latency["records"] == 20
    assert 20 <= latency["p50"] <= latency["p95"] <= latency["max"] < 50
    assert json.loads(json.dumps(report)) == report
    assert report["records"] == {"throttled": 0, "failed": 0, "resent": 0}
    assert report["requests"]["sent"] >= 2


@pytest.mark.parametrize("right", [True, False], ids=["a right secret", "a wrong one"])
def test_no_secret_is_in_a_log_the_xcom_the_state_or_a_reject(
    world: StreamWorld,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    right: bool,
) -> None:
    secret = SECRET if right else f"{SECRET}-wrong"
    connection = world.kinesis.connection(access_key="AKIACANARY91D0C1F2AB", secret_key=secret)
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_KINESIS", connection)
    world.sql("UPDATE crm.audience_memberships SET STATUS = 'maybe' WHERE PROFILE_ID = 'p01'")
    failing(world, "^p1[02]$")
    world.destination["requests"] = {"records": 10, "exhausted": "reject"}
    told = ""
    with caplog.at_level(logging.DEBUG):
        try:
            told = json.dumps(world.run())
        except AirflowFailException as error:
            told = f"{error} {error.__cause__} {error.__context__}"
    assert ('"rejected": 3' in told) is right
    assert ("Check the connection's access key and secret key" in told) is not right
    stores = [*world.stores["p"].values.values(), *world.task.values.values()]
    files = [path.read_text(encoding="utf-8", errors="replace") for path in world.folder.glob("state/**/*") if path.is_file()]
    records = Journal(world.folder / "state" / "p").latest(9)
    seen = "\n".join([told, caplog.text, *capfd.readouterr(), *stores, *files, json.dumps(records)])
    assert len(files) > (3 if right else 0)
    assert "canary+7f3a9c0d5e1b" not in seen
    assert not any("Signature=" in one for one in (told, *stores, *files)), "botocore's own debug log has it, which is no secret"
