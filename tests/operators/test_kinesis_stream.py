"""Changed profiles in the warehouse become records of the stream: what is sent, when, and what a fault leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from sandbox.kinesis import KinesisSandbox

from .stream_world import StreamWorld, make


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    return make(kinesis, tmp_path, f"stream-{uuid4().hex[:8]}", monkeypatch)


def test_k_t1_who_enters_a_mapped_audience_is_sent_once(world: StreamWorld) -> None:
    world.profiles("p1", "p2")
    world.member("a", "p1")
    report = world.run()
    assert report["rows"] == {"read": 1, "sent": 1, "rejected": 0, "skipped": 0}
    (message,) = world.messages().values()
    assert message["person"] == {"name": {"firstName": "이름 p1"}}
    assert message["segmentMembership"]["ups"]["a"]["status"] == "realized"
    assert message["identityMap"] == {"crm": [{"id": "id-p1"}]}
    assert world.run()["rows"]["read"] == 0
    assert world.messages() == {}
