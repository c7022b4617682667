"""``cursor.skip_unchanged`` in several slices: what a slice knows never lets a row be skipped wrongly, however runs change."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from activation.errors import ActivationError
from sandbox.braze import Fault

from .partitioned import Split
from .test_data_types import USERS, user
from .test_skip_unchanged import SKIP, Chaos, numbers, set_number, touch, warehouse
from .world import World

NAMES = [f"u{n}" for n in range(12)]


@pytest.fixture(autouse=True)
def skipping(world: World) -> None:
    world.blocks = dict(SKIP)
    world.table(USERS, *(user(second, name, {"n": 1}) for second, name in enumerate(NAMES)))


def rows(report: dict[str, Any]) -> tuple[int, int]:
    """A run's rows: sent and skipped."""
    return report["rows"]["sent"], report["rows"]["skipped"]


def test_each_slice_knows_what_it_sent(world: World) -> None:
    split = Split(world, 3)
    assert rows(split.run()) == (12, 0)
    touch(world)
    assert rows(split.run()) == (0, 12)
    set_number(world, "u1", 2)
    touch(world)
    assert rows(split.run()) == (1, 11)
    assert rows(split.run(mode="full")) == (12, 0)
    assert numbers(world.braze)["u1"] == 2


def test_what_a_failed_run_has_sent_is_skipped_by_the_next_one(world: World) -> None:
    split = Split(world, 3)
    split.new()
    split.check()
    done = split.slice(0)["rows"]["sent"]
    assert rows(split.run()) == (12 - done, done)


@pytest.mark.parametrize("between", ["another number", "no slices", "no skipping", "a replay", "a limit", "a reset"])
def test_what_was_sent_otherwise_meanwhile_is_not_taken_for_the_slices_own(world: World, between: str) -> None:
    split = Split(world, 2)
    split.run()
    set_number(world, "u1", 2)
    touch(world)
    if between == "another number":
        Split(world, 3).run()
    elif between == "no slices":
        world.run()
    elif between == "no skipping":
        world.blocks = {}
        split.run()
        world.blocks = dict(SKIP)
    elif between == "a limit":
        split.run(limit=100)
    elif between == "a replay":
        world.sql("""UPDATE crm.source SET PAYLOAD = '{"n": 2, "a": {"b": null}}' WHERE EXTERNAL_ID = 'u1'""")
        split.run()
        world.destination = {"data": "attributes", "lint": "off"}
        split.run(mode="replay")
    else:
        world.run()
        split.run(mode="reset")
    assert numbers(world.braze)["u1"] == 2
    set_number(world, "u1", 1)
    touch(world)
    assert rows(split.run()) == (12, 0), "the slices began anew"
    assert numbers(world.braze)["u1"] == 1
    touch(world)
    assert rows(split.run()) == (0, 12)


def test_no_store_of_a_former_number_is_left(world: World) -> None:
    Split(world, 4).run()
    touch(world)
    Split(world, 2).run()
    folder = world.folder / "state" / "p" / "sent"
    held = {store.name for store in folder.iterdir() if store.is_dir() and any(store.rglob("*.arrow"))}
    assert held == {"0-of-2", "1-of-2"}


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_with_crashes_end_with_the_warehouse_in_braze(world: World, seed: int) -> None:
    dice = random.Random(seed)
    chaos = Chaos(dice)
    quick = {"batch_rows": 2, "in_flight": 2, "attempts": 2, "max_delay": "1ms", "checkpoint": "100ms"}
    world.blocks = {**SKIP, "delivery": quick}
    split = Split(world, 2)
    clock = finished = died = 0
    for _ in range(6):
        for name in dice.sample(NAMES, dice.randint(0, len(NAMES))):
            clock += 1
            at, payload = f"2026-07-19 10:{clock // 60:02d}:{clock % 60:02d}", json.dumps({"n": dice.randint(0, 1)})
            world.sql("UPDATE crm.source SET UPDATED_AT = ?, PAYLOAD = ? WHERE EXTERNAL_ID = ?", [at, payload, name])
        if dice.random() < 0.3:
            world.braze.add_faults(Fault(dice.choice(["503", "reset"]), times=3, applied=True))
        if dice.random() < 0.2:
            split.of = dice.randint(2, 3)
        well, failures = _one_run(world, split, chaos)
        finished, died = finished + well, died + failures
        assert not well or numbers(world.braze) == warehouse(world)
        world.braze.clear_faults()
    split.run()
    assert numbers(world.braze) == warehouse(world)
    assert died
    assert finished


def _one_run(world: World, split: Split, chaos: Chaos) -> tuple[bool, int]:
    """A run whose tasks are tried four times each, as Airflow would; gives whether it ended well, and how many tries died."""
    if chaos.dice.random() < 0.2:
        return _tried([world.run], chaos)
    split.order = {}
    split.new()
    well, died = _tried([split.check], chaos)
    for one in split.slices if well else ():
        moved, failures = _tried([lambda index=one["index"]: split.slice(index)], chaos)
        well, died = well and moved, died + failures
    if well:
        well, failures = _tried([split.publish], chaos)
        died += failures
    return well, died


def _tried(task: list[Any], chaos: Chaos) -> tuple[bool, int]:
    for attempt in range(4):
        with pytest.MonkeyPatch.context() as patch:
            chaos.arm(patch)
            try:
                task[0]()
                return True, attempt
            except (ActivationError, OSError):
                pass
    return False, 4
