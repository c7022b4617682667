"""Contracts: kinesis 2.1, 4.3 through the operator: the real limits of shards, shards that split, and the order of each key."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.kinesis import KinesisSandbox

from .stream_world import FIELDS, StreamWorld, fresh


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as running:
        yield running


def crowd(world: StreamWorld, count: int) -> None:
    """Let many be members of the mapped audience; seven regions share them."""
    numbered = f"FROM range({count}) r(i)"
    world.sql(f"INSERT INTO crm.profiles SELECT 'p' || lpad(i::VARCHAR, 6, '0'), 'r' || i % 7, 'e', NULL, now() {numbered}")
    world.sql(
        f"""INSERT INTO crm.audience_memberships
            SELECT 'p' || lpad(i::VARCHAR, 6, '0'), 'a', 'realized', now(), now() {numbered}"""
    )


def test_limits_12_000_profiles_in_four_shards_arrive_once_and_few_are_throttled(
    kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fresh(kinesis, tmp_path, monkeypatch, 4)
    crowd(world, 12_000)
    began = time.monotonic()
    report = world.run()
    took = time.monotonic() - began
    assert report["rows"] == {"read": 12_000, "sent": 12_000, "rejected": 0, "skipped": 0}
    assert world.messages().keys() == {f"p{n:06d}" for n in range(12_000)}
    assert report["records"]["failed"] == 0
    assert report["records"]["throttled"] <= 0.05 * 12_000
    assert took >= 1.5, "four shards take 4,000 at once and 4,000 a second"


def test_limits_shards_that_split_while_a_run_sends_lose_and_repeat_nothing(
    kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fresh(kinesis, tmp_path, monkeypatch, 2)
    crowd(world, 7_000)
    split = threading.Thread(target=grow, args=(world,))
    split.start()
    report = world.run()
    split.join()
    assert report["rows"] == {"read": 7_000, "sent": 7_000, "rejected": 0, "skipped": 0}
    records = world.arrived()
    assert Counter(record.key for record in records) == {f"p{n:06d}": 1 for n in range(7_000)}
    assert len({record.shard for record in records}) == 6, "two old ones, and four that took over while it ran"
    read = {one.key for one in kinesis.reader(world.stream, idle=0.5)}
    assert len(read) == 7_000


def grow(world: StreamWorld) -> None:
    """Double the shards as soon as something has arrived."""
    while not world.kinesis.records(world.stream):
        time.sleep(0.02)
    world.kinesis.client().update_shard_count(StreamName=world.stream, TargetShardCount=4, ScalingType="UNIFORM_SCALING")


@pytest.mark.parametrize("fault", ["throttled", "reset after landing"])
def test_limits_the_records_of_a_key_keep_their_order_within_a_run_and_across_runs(
    kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    world = fresh(kinesis, tmp_path, monkeypatch, 2)
    world.blocks["columns"] = {"fields": {**FIELDS, "id": "PROFILE_ID"}}
    world.destination |= {
        "records": {"partition_key": "person.name.firstName"},
        "requests": {"records": 20, "retries": "until_deadline"},
    }
    crowd(world, 300)
    expected = {f"r{key}": [f"p{n:06d}" for n in range(key, 300, 7)] for key in range(7)}
    for word in ("exited", "realized", "exited"):
        rule = {"do": "fail", "every": 3, "requests": 6} if fault == "throttled" else {"do": "reset_after", "requests": 2}
        kinesis.faults([{**rule, "stream": world.stream}])
        world.run()
        found: dict[str, list[str]] = defaultdict(list)
        for record in world.arrived():
            found[record.key].append(json.loads(record.data)["id"])
        assert {key: once(ids) for key, ids in found.items()} == expected
        if fault == "throttled":
            assert found == expected, "where it is known what arrived, nothing is repeated"
        world.sql(f"UPDATE crm.audience_memberships SET STATUS = '{word}', UPDATED_AT = now()")


def once(ids: list[str]) -> list[str]:
    """Leave out what is not behind all before: a request whose answer was lost comes again before anything later does."""
    return [one for place, one in enumerate(ids) if not place or one > max(ids[:place])]
