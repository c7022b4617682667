"""The wide API of AWS, users and roles included, through the operator; the server knows no limits of shards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox.aws import AwsSandbox
from sandbox.kinesis import KinesisSandbox, read_stream

from .stream_world import StreamWorld, fresh

ASSUME = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]
ACTIONS = ["kinesis:PutRecords", "kinesis:DescribeStreamSummary", "kinesis:ListShards"]


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as running:
        yield running


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as aws:
        for name in ("writer", "reader"):
            actions = ACTIONS if name == "writer" else ACTIONS[1:]
            aws.role(name, [{"Effect": "Allow", "Action": actions, "Resource": "*"}], external_id=f"id-of-{name}")
        yield aws


@pytest.fixture(scope="module")
def sender(aws: AwsSandbox) -> dict[str, str]:
    return aws.user("sender", ASSUME)


@pytest.fixture
def world(
    kinesis: KinesisSandbox, aws: AwsSandbox, sender: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> StreamWorld:
    """A hundred members; the connection's user may do nothing but assume roles."""
    world = fresh(kinesis, tmp_path, monkeypatch)
    people = [f"p{n}" for n in range(100)]
    world.profiles(*people)
    world.member("a", *people)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_KINESIS", aws.connection(**sender))
    return world


def role(aws: AwsSandbox, name: str) -> dict[str, str]:
    return {"role_arn": f"arn:aws:iam::{aws.account}:role/{name}", "external_id": f"id-of-{name}"}


def held(aws: AwsSandbox, stream: str) -> dict[str, Any]:
    """What a reader finds by shard iterators; no key comes twice."""
    records = [*read_stream(aws.client("kinesis"), stream, idle=0.5)]
    found = {one.key: json.loads(one.data) for one in records}
    assert len(found) == len(records)
    return found


def test_aws_a_role_with_an_external_id_writes_to_a_stream_by_its_arn(world: StreamWorld, aws: AwsSandbox) -> None:
    client = aws.client("kinesis")
    client.create_stream(StreamName="plain", ShardCount=2)
    arn = client.describe_stream_summary(StreamName="plain")["StreamDescriptionSummary"]["StreamARN"]
    world.destination["stream"] = {"name": arn, **role(aws, "writer")}
    assert world.run()["rows"]["sent"] == 100
    assert held(aws, "plain").keys() == {f"p{n}" for n in range(100)}


def test_aws_a_stream_on_demand(world: StreamWorld, aws: AwsSandbox) -> None:
    aws.client("kinesis").create_stream(StreamName="scaled", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    world.destination["stream"] = {"name": "scaled", "region": aws.region, **role(aws, "writer")}
    assert world.run()["rows"]["sent"] == 100
    assert held(aws, "scaled").keys() == {f"p{n}" for n in range(100)}


def test_aws_a_stream_whose_shards_are_doubled_between_two_runs(world: StreamWorld, aws: AwsSandbox) -> None:
    client = aws.client("kinesis")
    client.create_stream(StreamName="growing", ShardCount=2)
    world.destination["stream"] = {"name": "growing", **role(aws, "writer")}
    world.run()
    assert len(held(aws, "growing")) == 100
    client.update_shard_count(StreamName="growing", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    assert held(aws, "growing") == {}, "this server forgets the records of shards that it closes"
    left = {f"p{n}" for n in range(50)}
    world.member("a", *left, status="exited")
    assert world.run()["rows"]["sent"] == 50
    found = held(aws, "growing")
    assert found.keys() == left
    assert {one["segmentMembership"]["ups"]["a"]["status"] for one in found.values()} == {"exited"}


def test_k_f5_aws_a_role_that_may_not_write_is_named_with_the_action(world: StreamWorld, aws: AwsSandbox) -> None:
    aws.client("kinesis").create_stream(StreamName="shut", ShardCount=1)
    world.destination["stream"] = {"name": "shut", **role(aws, "reader")}
    with pytest.raises(AirflowFailException, match=r"kinesis:PutRecords on .* shut\. Fix: Allow kinesis:PutRecords on arn:"):
        world.run()
    assert (held(aws, "shut"), world.watermark()) == ({}, None)


def test_aws_a_wrong_external_id_stops_before_anything_is_read(world: StreamWorld, aws: AwsSandbox) -> None:
    world.destination["stream"] = {"name": "plain", **role(aws, "writer"), "external_id": "ext-canary-51c0"}
    with pytest.raises(AirflowFailException, match="external") as raised:
        world.run()
    assert "ext-canary" not in str(raised.value)
