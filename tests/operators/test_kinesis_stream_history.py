"""Random histories with many runs: without faults each change is sent exactly once, with any of them nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from activation.delivery.audiences import MappedAudiences
from activation.delivery.journal import Journal
from activation.delivery.sent import Sent
from activation.errors import TransientError
from activation.operators.memory import Memory
from sandbox.kinesis import KinesisSandbox

from .stream_history import History
from .stream_world import StreamWorld, fresh

FAULTS: tuple[dict[str, Any], ...] = (
    {"do": "fail", "every": 3, "requests": 4},
    {"do": "fail", "first": 2, "code": "InternalFailure", "requests": 2},
    {"do": "error", "code": "ProvisionedThroughputExceededException"},
    {"do": "error", "code": "InternalFailure"},
    {"do": "reset_before"},
    {"do": "reset_after"},
    {"do": "timeout"},
    {"do": "short", "first": 1},
    {"do": "fail", "requests": 3},
)
"""The last one uses up the three tries of each record."""

STEPS: tuple[tuple[type, str], ...] = (
    (Sent, "commit"),
    (MappedAudiences, "commit"),
    (Journal, "write"),
    (Memory, "commit"),
    (Memory, "save"),
)
"""Where a worker may die: between the acknowledgement of a record and the end of the run."""


class Killed(BaseException):
    """The worker is gone."""


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox(limits=False) as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    return fresh(kinesis, tmp_path, monkeypatch)


def dying(step: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """A step at which the worker dies, before or after it."""

    def die(*args: Any, **kwargs: Any) -> None:
        if after:
            step(*args, **kwargs)
        raise Killed

    return die


@pytest.mark.parametrize(("seed", "mode"), [(0, "writes"), (1, "row"), (2, "content")])
def test_k_t1_to_k_t7_each_change_of_a_random_history_is_sent_exactly_once(world: StreamWorld, mode: str, seed: int) -> None:
    history, known = History(world, seed, mode), []
    for number in range(6):
        history.go_on(25)
        if number == 3:
            history.map_both()
        due = history.due()
        rows = world.run()["rows"]
        records = world.arrived()
        assert sorted(record.key for record in records) == sorted(due)
        assert rows["read"] == rows["sent"] + rows["rejected"] + rows["skipped"]
        assert rows["sent"] == len(due)
        known += records
    history.check(known, exact=True)
    assert world.run()["rows"]["sent"] == 0


@pytest.mark.parametrize(("seed", "mode"), [(0, "writes"), (1, "row"), (2, "content")])
def test_k_f1_to_k_f7_no_fault_and_no_crash_loses_a_change(
    world: StreamWorld, monkeypatch: pytest.MonkeyPatch, mode: str, seed: int
) -> None:
    history, chance = History(world, seed, mode), Random(seed)
    world.blocks["delivery"] = {"timeout": "300ms", "checkpoint": "100ms"}
    world.destination["requests"] = {"records": 7}
    for number in range(4):
        history.go_on(25)
        if number == 2:
            history.map_both()
        for again in (False, chance.random() < 0.5):
            world.kinesis.faults([{**chance.choice(FAULTS), "stream": world.stream} for _ in range(chance.randrange(3))])
            with monkeypatch.context() as patch:
                if chance.random() < 0.6:
                    owner, name = chance.choice(STEPS)
                    patch.setattr(owner, name, dying(getattr(owner, name), after=chance.random() < 0.5))
                try:
                    rows = world.run(retry=again)["rows"]
                except (Killed, TransientError):
                    continue
            assert rows["read"] == rows["sent"] + rows["rejected"] + rows["skipped"]
            history.ended()
    world.kinesis.clear_faults()
    world.run(retry=chance.random() < 0.5)
    history.ended()
    history.check(world.arrived())
    world.run()
    assert world.run()["rows"]["read"] == 0
