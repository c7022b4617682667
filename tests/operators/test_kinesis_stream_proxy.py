"""A stream through a fault proxy under TLS: a request lands and its answer is lost, is cut short, or never leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.errors import TransientError
from sandbox.aws import FaultProxy
from sandbox.kinesis import KinesisSandbox

from .stream_world import StreamWorld, fresh

PEOPLE = [f"p{number:02}" for number in range(60)]
REQUEST = 10


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox(tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(kinesis: KinesisSandbox) -> Iterator[FaultProxy]:
    with FaultProxy(kinesis.url, tls=True, upstream_ca=kinesis.ca_file) as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    world = fresh(kinesis, tmp_path, monkeypatch, shards=2)
    place = {"endpoint_url": proxy.url}
    extra = {"service_config": {"kinesis": place, "sts": place}, "verify": proxy.ca_file}
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_KINESIS", kinesis.connection(**extra))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(proxy.ca_file))
    world.profiles(*PEOPLE)
    world.member("a", *PEOPLE)
    world.destination["requests"] = {"records": REQUEST, "retries": "until_deadline", "deadline": "30s"}
    proxy.forget()
    return world


@pytest.mark.parametrize(("what", "twice"), [("lost", True), ("truncate", True), ("reset", False), ("delay:2", False)])
def test_k_f6_a_request_without_an_answer_covers_exactly(world: StreamWorld, proxy: FaultProxy, what: str, twice: bool) -> None:
    proxy.faults({"match": "PutRecords$", "n": 2, "do": what})
    rows = world.run()["rows"]
    assert rows == {"read": 60, "sent": 60, "rejected": 0, "skipped": 0}
    found = Counter(record.key for record in world.arrived())
    assert found.keys() == set(PEOPLE)
    assert set(found.values()) == ({1, 2} if twice else {1}), "what has landed without an answer is sent once more"
    assert sum(found.values()) == len(PEOPLE) + (2 * REQUEST if twice else 0)
    assert len([one for one in proxy.requests("PutRecords$") if one.fault]) >= 2


def test_k_f6_a_try_that_ends_without_answers_is_continued_by_the_next(world: StreamWorld, proxy: FaultProxy) -> None:
    world.destination["requests"] = {"records": REQUEST}
    proxy.faults({"match": "PutRecords$", "n": 99, "do": "lost"})
    with pytest.raises(TransientError):
        world.run()
    assert world.watermark() is None
    proxy.faults()
    rows = world.run(retry=True)["rows"]
    assert rows == {"read": 60, "sent": 60, "rejected": 0, "skipped": 0}
    assert {record.key for record in world.arrived()} == set(PEOPLE)
    assert world.watermark() is not None
