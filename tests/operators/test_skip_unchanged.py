"""F30: rows whose payload equals the last one sent are skipped, and the destination still ends up as the warehouse is."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from activation.errors import ActivationError, ConfigurationError
from activation.spec.blocks import pipeline_of
from sandbox.braze import BrazeSandbox, Fault

from .test_data_types import ITEMS, USERS, items, stamp, user
from .world import World, make

SKIP = {"cursor": {"skip_unchanged": True, "settle": "0s"}}


@pytest.fixture(autouse=True)
def skipping(world: World) -> None:
    world.blocks = dict(SKIP)


def touch(world: World) -> None:
    """Every row gets a newer timestamp, as where a view is loaded anew."""
    world.sql("UPDATE crm.source SET UPDATED_AT = UPDATED_AT + INTERVAL 1 MINUTE")


def rows(world: World, order: dict[str, Any] | None = None) -> tuple[int, int, int]:
    """A run's rows: sent, rejected, skipped."""
    found = world.run(order)["rows"]
    assert found["read"] == found["sent"] + found["rejected"] + found["skipped"]
    return found["sent"], found["rejected"], found["skipped"]


def set_number(world: World, name: str, number: Any) -> None:
    world.sql("UPDATE crm.source SET PAYLOAD = ? WHERE EXTERNAL_ID = ?", [json.dumps({"n": number}), name])


def numbers(braze: BrazeSandbox) -> dict[str, Any]:
    return {one["external_id"]: one["attributes"].get("n") for one in braze.users()}


def three(world: World) -> None:
    world.table(USERS, *(user(second, f"u{second}", {"n": 1}) for second in range(3)))


def test_f30_unchanged_rows_are_skipped_without_asking_braze(world: World) -> None:
    three(world)
    assert rows(world) == (3, 0, 0)
    asked = len(world.braze.requests())
    touch(world)
    assert rows(world) == (0, 0, 3)
    assert len(world.braze.requests()) == asked
    assert world.watermark() == "2026-07-19T09:01:02Z"
    set_number(world, "u1", 2)
    touch(world)
    assert rows(world) == (1, 0, 2)
    set_number(world, "u1", 1)
    touch(world)
    assert rows(world) == (1, 0, 2), "back to what it was before the last one"
    assert numbers(world.braze) == {"u0": 1, "u1": 1, "u2": 1}


def test_without_the_switch_everything_is_sent_and_nothing_old_is_believed_later(world: World) -> None:
    three(world)
    rows(world)
    set_number(world, "u0", 2)
    touch(world)
    world.blocks = {}
    assert rows(world) == (3, 0, 0)
    world.blocks = dict(SKIP)
    set_number(world, "u0", 1)
    touch(world)
    assert rows(world) == (3, 0, 0), "what was sent without the switch was not written down"
    assert numbers(world.braze)["u0"] == 1


def test_a_full_run_sends_everything(world: World) -> None:
    three(world)
    rows(world)
    assert rows(world, {"mode": "full"}) == (3, 0, 0)
    touch(world)
    assert rows(world) == (0, 0, 3)


def test_a_reset_forgets(world: World) -> None:
    three(world)
    rows(world)
    world.run({"mode": "reset"})
    assert rows(world) == (3, 0, 0)


def test_rows_that_were_refused_are_not_remembered_and_a_replay_is(world: World) -> None:
    three(world)
    world.sql("""UPDATE crm.source SET PAYLOAD = '{"email": "nobody"}' WHERE EXTERNAL_ID = 'u1'""")
    assert rows(world) == (2, 1, 0)
    touch(world)
    assert rows(world) == (0, 1, 2), "it is refused once more, not skipped"
    world.sql("""UPDATE crm.source SET PAYLOAD = '[]' WHERE EXTERNAL_ID = 'u0'""")
    touch(world)
    assert rows(world) == (0, 2, 1)
    set_number(world, "u0", 1)
    touch(world)
    assert rows(world) == (0, 1, 2), "what the rules rejected was never sent; Braze still has the 1"


def test_a_replay_sends_older_values_and_is_remembered(world: World) -> None:
    world.table(USERS, user(1, "u", {"n": 1, "a": {"b": None}}))
    assert rows(world) == (0, 1, 0)
    set_number(world, "u", 2)
    touch(world)
    assert rows(world) == (1, 0, 0)
    world.destination = {"data": "attributes", "lint": "off"}
    assert world.run({"mode": "replay"})["rows"]["sent"] == 1
    assert numbers(world.braze) == {"u": 1}
    touch(world)
    assert rows(world) == (1, 0, 0)
    assert numbers(world.braze) == {"u": 2}


def test_several_rows_of_one_user_end_with_the_last_one(world: World) -> None:
    world.table(USERS, user(1, "u", {"n": 1}), user(2, "u", {"n": 2}))
    rows(world)
    touch(world)
    assert rows(world) == (2, 0, 0)
    assert numbers(world.braze) == {"u": 2}
    world.table(USERS, user(1, "u", {"n": 2}), user(2, "u", {"n": 2}))
    world.run({"mode": "reset", "reset_to": "2026-07-01T00:00:00Z"})
    rows(world)
    touch(world)
    assert rows(world) == (0, 0, 2)


def test_counters_count_every_time(world: World) -> None:
    world.table(USERS, user(1, "u", {"visits": {"inc": 1}}))
    for _ in range(3):
        assert rows(world) == (1, 0, 0)
        touch(world)
    (found,) = world.braze.users()
    assert found["attributes"]["visits"] == 3


def test_dedup_and_skip_unchanged_go_together(world: World) -> None:
    world.blocks = {"cursor": {**SKIP["cursor"], "rule": "dedup", "lookback": "1h"}}
    three(world)
    assert rows(world) == (3, 0, 0)
    world.sql("UPDATE crm.source SET UPDATED_AT = UPDATED_AT + INTERVAL 1 SECOND WHERE EXTERNAL_ID = 'u2'")
    set_number(world, "u0", 5)
    assert rows(world) == (1, 0, 2)
    assert numbers(world.braze) == {"u0": 5, "u1": 1, "u2": 1}


def test_another_workspace_gets_everything(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three(world)
    rows(world)
    touch(world)
    with BrazeSandbox() as other:
        make(other, tmp_path, monkeypatch)
        assert rows(world) == (3, 0, 0)
        assert numbers(other) == {"u0": 1, "u1": 1, "u2": 1}


def test_catalog_items_are_skipped_and_a_removal_forgets(world: World) -> None:
    world.braze.create_catalog("shops", name="string")
    world.destination = {"data": "catalog_items", "catalog": {"name": "shops"}}
    world.table(ITEMS, [stamp(1), "a", '{"name": "n"}', False], [stamp(2), "b", '{"name": "n"}', None])
    assert rows(world) == (2, 0, 0)
    touch(world)
    assert rows(world) == (0, 0, 2)
    world.sql("UPDATE crm.source SET DELETED = true WHERE ID = 'a'")
    touch(world)
    assert rows(world) == (1, 0, 1)
    assert items(world) == {"b": {"name": "n"}}
    world.sql("UPDATE crm.source SET DELETED = false WHERE ID = 'a'")
    touch(world)
    assert rows(world) == (1, 0, 1)
    assert items(world) == {"a": {"name": "n"}, "b": {"name": "n"}}


@pytest.mark.parametrize("data", ["events", "purchases", "deletes"])
def test_what_counts_each_time_cannot_be_skipped(data: str) -> None:
    blocks = {
        "id": "p",
        "source": {"type": "duckdb", "connection": "w", "table": "main.users"},
        "destination": {"type": "braze", "connection": "b", "data": data},
        **SKIP,
    }
    with pytest.raises(ConfigurationError, match=f"each of the {data} counts"):
        pipeline_of(blocks, name="Pipeline p")


class Chaos:
    """Lets the process die, or the state folder fail, at the n-th look at it."""

    PLACES = (
        "activation.operators.memory.Memory.save",
        "activation.operators.memory.Memory.commit",
        "activation.operators.memory.Memory.guard",
        "activation.delivery.journal.Journal.write",
        "activation.delivery.sent.Sent.pass_on",
        "activation.delivery.sent.Sent.commit",
        "activation.delivery.sent_store.replace_text",
        "activation.delivery.sent_store.write",
        "activation.delivery.sent.write",
    )

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def arm(self, patch: pytest.MonkeyPatch) -> None:
        for place in self.PLACES:
            if self.dice.random() < 0.25:
                self._arm(patch, place, self.dice.randint(1, 2), after=self.dice.random() < 0.5)

    def _arm(self, patch: pytest.MonkeyPatch, place: str, number: int, *, after: bool) -> None:
        module, _, name = place.rpartition(".")
        holder = _resolve(module)
        original, left = getattr(holder, name), [number]

        def dying(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0 and not after:
                raise OSError(f"died before {name}")
            result = original(*args, **kwargs)
            if left[0] == 0:
                raise OSError(f"died after {name}")
            return result

        patch.setattr(holder, name, dying)


def _resolve(path: str) -> Any:
    from importlib import import_module

    try:
        return import_module(path)
    except ImportError:
        module, _, name = path.rpartition(".")
        return getattr(import_module(module), name)


@pytest.mark.parametrize("seed", range(6))
def test_f30_random_histories_with_crashes_end_with_the_warehouse_in_braze(world: World, seed: int) -> None:
    dice = random.Random(seed)
    chaos = Chaos(dice)
    delivery = {"batch_rows": 2, "in_flight": 2, "attempts": 2, "max_delay": "1ms", "checkpoint": "100ms"}
    world.table(USERS, *(user(second, f"u{second}", {"n": 0}) for second in range(8)))
    clock, finished, died = 60, 0, 0
    for _ in range(7):
        for name in dice.sample(range(8), dice.randint(0, 8)):
            clock += 1
            at = f"2026-07-19 10:{clock // 60:02d}:{clock % 60:02d}"
            payload = json.dumps({"n": dice.randint(0, 1)})
            world.sql("UPDATE crm.source SET UPDATED_AT = ?, PAYLOAD = ? WHERE EXTERNAL_ID = ?", [at, payload, f"u{name}"])
        if dice.random() < 0.3:
            world.braze.add_faults(Fault(dice.choice(["503", "reset"]), times=3, applied=True))
        for attempt in range(3):
            with pytest.MonkeyPatch.context() as patch:
                chaos.arm(patch)
                try:
                    world.run(retry=attempt > 0, delivery=delivery)
                    finished += 1
                    assert numbers(world.braze) == warehouse(world)
                    break
                except (ActivationError, OSError):
                    died += 1
        world.braze.clear_faults()
    world.run(delivery=delivery)
    assert numbers(world.braze) == warehouse(world)
    assert died
    assert finished


def warehouse(world: World) -> dict[str, Any]:
    return {name: json.loads(payload)["n"] for name, payload in world.sql("SELECT EXTERNAL_ID, PAYLOAD FROM crm.source")}
