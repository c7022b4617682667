"""What a run of a stream can be asked to do, and which window it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.delivery.journal import Journal
from sandbox.kinesis import KinesisSandbox

from .stream_world import StreamWorld, counting, fresh

NAME = "person.name.firstName"


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    """Three members, of whom nothing is sent yet, and one who has left."""
    world = fresh(kinesis, tmp_path, monkeypatch)
    world.profiles("p1", "p2", "p3", "left")
    world.member("a", "p1", "p2", "p3", "left")
    world.member("a", "left", status="exited")
    return world


def test_the_first_run_sends_everybody_who_is_in_and_nobody_who_has_left(world: StreamWorld) -> None:
    assert world.sends().keys() == {"p1", "p2", "p3"}


def test_full_sends_every_member_once_more_and_who_has_left_since_the_last_run(world: StreamWorld) -> None:
    world.run()
    world.arrived()
    world.member("a", "p3", status="exited")
    found = world.sends(order={"mode": "full"})
    assert {key: one["segmentMembership"]["ups"]["a"]["status"] for key, one in found.items()} == {
        "p1": "realized",
        "p2": "realized",
        "p3": "exited",
    }
    assert world.sends() == {}
    assert world.sends(order={"mode": "full"}).keys() == {"p1", "p2"}


def test_full_first_and_without_backfill_sends_every_member_all_the_same(world: StreamWorld) -> None:
    world.destination["changes"] = {"wait": "0s", "backfill": False}
    assert world.sends(order={"mode": "full"}).keys() == {"p1", "p2", "p3"}
    assert world.sends() == {}


def test_a_preview_shows_masked_messages_and_changes_no_state(world: StreamWorld, tmp_path: Path) -> None:
    shown = world.run({"mode": "preview"})
    assert shown["rows"] == {"read": 3, "sampled": 3}
    assert [one["person"] for one in shown["items"]] == [{"name": {"firstName": "이***"}}] * 3
    assert "example.com" not in json.dumps(shown)
    assert "p1" not in json.dumps(shown)
    assert (world.watermark(), list(tmp_path.glob("state/**/*"))) == (None, [])
    world.run()
    world.member("a", "p1", status="exited")
    state = {path: path.read_bytes() for path in tmp_path.glob("state/**/*") if path.is_file()}
    values = dict(world.stores["p"].values)
    assert world.run({"mode": "preview", "limit": 1})["rows"] == {"read": 1, "sampled": 1}
    assert {path: path.read_bytes() for path in tmp_path.glob("state/**/*") if path.is_file()} == state
    assert world.stores["p"].values == values
    assert len(world.messages()) == 3
    assert world.sends().keys() == {"p1"}


def test_a_preview_names_what_would_be_rejected(world: StreamWorld) -> None:
    world.sql("UPDATE crm.audience_memberships SET STATUS = 'maybe' WHERE PROFILE_ID = 'p1'")
    shown = world.run({"mode": "preview"})
    assert (shown["reasons"], len(shown["items"])) == ({"status_unknown": 1}, 2)


def test_a_reset_forgets_what_was_sent(world: StreamWorld) -> None:
    world.run()
    world.arrived()
    report = world.run({"mode": "reset"})
    assert (report["status"], world.messages()) == ("reset", {})
    assert world.sends().keys() == {"p1", "p2", "p3"}
    middle = world.sql("SELECT strftime(now() AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')")[0][0]
    world.member("a", "p2")
    world.run({"mode": "reset", "reset_to": middle})
    assert world.sends().keys() == {"p2"}, "what changed since then"


@pytest.mark.parametrize(
    "order", [{"limit": 5}, {"mode": "full", "limit": 5}, {"mode": "replay"}], ids=["limit", "full with limit", "replay"]
)
def test_what_a_stream_cannot_do_is_refused(world: StreamWorld, order: dict[str, Any]) -> None:
    with pytest.raises(AirflowFailException, match=r"has no mode .* Fix: Choose incremental, full .*, reset, or preview"):
        world.run(order)
    assert (world.messages(), world.watermark()) == ({}, None)


def test_another_stream_is_refused_until_a_reset(world: StreamWorld) -> None:
    world.run()
    first, world.stream = world.stream, f"{world.stream}-other"
    world.kinesis.create(world.stream)
    for order in ({}, {"mode": "full"}, {"mode": "preview"}):
        with pytest.raises(AirflowFailException, match=f"stream was '{world.kinesis.arn(first)}' and is now .* Fix: .* reset"):
            world.run(order)
    assert world.arrived() == []
    world.run({"mode": "reset"})
    assert world.sends().keys() == {"p1", "p2", "p3"}


def test_a_stream_by_its_arn_is_the_same_stream(world: StreamWorld) -> None:
    world.run()
    world.stream = world.kinesis.arn(world.stream)
    assert world.run()["rows"]["read"] == 0


def test_a_run_that_finds_nothing_leaves_no_record_and_the_watermark(world: StreamWorld, tmp_path: Path) -> None:
    world.sends()
    before = world.watermark()
    world.run()
    assert world.watermark() == before
    assert [one["run"] for one in Journal(tmp_path / "state" / "p").latest(9)] == ["run-1"]
    world.member("a", "p1", status="exited")
    assert world.sends().keys() == {"p1"}


def test_a_run_waits_for_a_change(world: StreamWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run()
    world.arrived()
    world.destination["changes"] = {"wait": "1h", "poll": "100ms"}
    monkeypatch.setattr("activation.operators.streaming.Stream._sleep", lambda self, seconds: world.member("a", "left"))
    assert world.sends().keys() == {"left"}


def test_settle_leaves_the_newest_rows_to_a_later_run(world: StreamWorld) -> None:
    world.run()
    world.arrived()
    world.member("a", "left")
    assert world.sends(cursor={"settle": "10m"}) == {}
    assert world.sends().keys() == {"left"}


def test_rows_of_the_future_wait_for_their_time(world: StreamWorld) -> None:
    world.run()
    world.arrived()
    world.member("a", "left")
    world.member("a", "p1", status="exited")
    world.sql("UPDATE crm.audience_memberships SET UPDATED_AT = now() + INTERVAL 1 HOUR WHERE PROFILE_ID IN ('left', 'p1')")
    world.sql("INSERT INTO crm.identities VALUES ('p1', 'email', 'new', false, now())")
    assert world.sends() == {}, "p1 has left, but nobody may know it yet"
    world.sql("UPDATE crm.audience_memberships SET UPDATED_AT = now() WHERE PROFILE_ID IN ('left', 'p1')")
    assert world.sends().keys() == {"left", "p1"}


def test_lookback_finds_rows_that_came_late_and_repeats_writes_but_nothing_else(world: StreamWorld) -> None:
    world.run()
    world.arrived()
    world.member("a", "left")
    world.sql("UPDATE crm.audience_memberships SET UPDATED_AT = now() - INTERVAL 10 MINUTE WHERE PROFILE_ID = 'left'")
    assert world.sends() == {}
    late = {"settle": "0s", "lookback": "1h"}
    assert world.sends(cursor=late).keys() == {"left"}
    assert world.run(cursor=late)["rows"] == {"read": 4, "sent": 0, "rejected": 0, "skipped": 4}
    counting(world, "writes").run(cursor=late)
    world.arrived()
    world.write(NAME, "p1")
    assert [[*world.sends(cursor=late)] for _ in range(2)] == [["p1"], ["p1"]], "a write may be another one"
