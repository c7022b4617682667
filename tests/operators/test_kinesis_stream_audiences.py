"""Contracts: kinesis 1.3 (backfill) and K-T7: what happens when audiences are mapped, taken away and mapped again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox.kinesis import KinesisSandbox

from .stream_world import StreamWorld, fresh


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    world = fresh(kinesis, tmp_path, monkeypatch)
    world.audience("b")
    return world


def mapping(world: StreamWorld, *audiences: str, **changes: Any) -> StreamWorld:
    """Let the pipeline map these audiences."""
    world.destination = {**world.destination, "audiences": audiences, "changes": {"wait": "0s", **changes}}
    return world


def statuses(messages: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Profile -> audience -> status."""
    return {
        key: {name: each["status"] for name, each in one["segmentMembership"].get("ups", {}).items()}
        for key, one in messages.items()
    }


def test_k_t7_a_thousand_old_members_of_a_newly_mapped_audience_are_sent_once(world: StreamWorld) -> None:
    world.sql("INSERT INTO crm.profiles SELECT 'p' || i, 'n', 'e', NULL, TIMESTAMP '2020-01-01' FROM range(1000) r(i)")
    world.sql(
        """INSERT INTO crm.audience_memberships
            SELECT 'p' || i, 'b', 'realized', TIMESTAMP '2020-01-01', TIMESTAMP '2020-01-01' FROM range(1000) r(i)"""
    )
    world.sql("INSERT INTO crm.audience_memberships SELECT 'gone', 'b', 'exited', TIMESTAMP '2020-01-01', TIMESTAMP '2020-01-01'")
    world.profiles("in_a")
    world.member("a", "in_a")
    assert world.sends().keys() == {"in_a"}
    mapping(world, "a", "b")
    assert world.sends().keys() == {f"p{n}" for n in range(1000)}
    assert world.run()["rows"]["read"] == 0
    assert world.messages() == {}


def test_k_t7_without_backfill_only_who_enters_later_is_sent(world: StreamWorld) -> None:
    world.profiles("old", "new", "both")
    world.member("a", "old")
    mapping(world, "a", backfill=False)
    assert world.sends() == {}
    world.member("a", "new")
    assert world.sends().keys() == {"new"}
    world.member("b", "old", "both")
    mapping(world, "a", "b", backfill=False)
    world.member("b", "both")
    assert world.sends().keys() == {"old", "both"}, "they entered after the last run"
    world.member("a", "old", status="exited")
    assert world.sends().keys() == {"old"}


def test_without_backfill_the_first_run_does_not_wait_while_others_enter(world: StreamWorld) -> None:
    mapping(world, "a", backfill=False)
    world.destination["changes"] = {"wait": "1h", "backfill": False}
    assert world.sends() == {}, "else who enters within the hour would be taken for an old member"
    assert world.watermark() is not None


def test_an_audience_that_was_taken_away_and_is_mapped_again_is_sent_once_more(world: StreamWorld) -> None:
    world.profiles("p", "q", "a_only")
    world.member("a", "p", "a_only")
    world.member("b", "p", "q")
    mapping(world, "a", "b")
    assert world.sends().keys() == {"p", "q", "a_only"}
    mapping(world, "a")
    world.member("b", "q", status="exited")
    assert world.sends() == {}, "nobody is told of an audience that is not mapped"
    world.member("a", "p")
    assert statuses(world.sends()) == {"p": {"a": "realized", "b": "realized"}}, "b has the same merge policy"
    mapping(world, "a", "b")
    assert statuses(world.sends()) == {"p": {"a": "realized", "b": "realized"}}
    assert world.sends() == {}


def test_when_an_audience_was_mapped_is_kept_and_told(world: StreamWorld) -> None:
    world.profiles("p")
    world.member("b", "p")
    world.destination["message"] = {"segment_timestamps": True}
    mapping(world, "b")
    first = world.sends()["p"]["segmentMembership"]["ups"]["b"]
    assert first["mappingCreatedAt"] == first["mappingUpdatedAt"]
    mapping(world, "a")
    world.profiles("q")
    world.member("a", "q")
    world.sends()
    mapping(world, "a", "b")
    again = world.sends()["p"]["segmentMembership"]["ups"]["b"]
    assert again["mappingCreatedAt"] == first["mappingCreatedAt"]
    assert again["mappingUpdatedAt"] > first["mappingUpdatedAt"]
    assert len(str(again["mappingUpdatedAt"])) == len(str(again["createdAt"])) == 13


def test_an_audience_that_the_warehouse_does_not_have_stops_the_run_before_it_sends(world: StreamWorld) -> None:
    world.profiles("p")
    world.member("a", "p")
    mapping(world, "a", "nowhere")
    with pytest.raises(AirflowFailException, match=r"no audience nowhere, .* Fix: Correct the id"):
        world.run()
    assert (world.messages(), world.watermark()) == ({}, None)


@pytest.mark.parametrize(
    ("scope", "seen"), [("same_merge_policy", {"a", "b"}), ("mapped_only", {"a"}), ("all", {"a", "b", "x", "left"})]
)
def test_k_p1_the_scope_says_which_other_audiences_a_message_has(world: StreamWorld, scope: str, seen: set[str]) -> None:
    world.audience("x", "another")
    world.audience("left")
    world.profiles("p")
    for audience in ("a", "b", "x"):
        world.member(audience, "p")
    world.member("left", "p", status="exited")
    world.destination["message"] = {"membership_scope": scope}
    assert world.sends()["p"]["segmentMembership"]["ups"].keys() == seen


def test_two_hundred_and_fifty_audiences_and_fifty_attributes_are_passed_over_with_a_warning(
    world: StreamWorld, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"aud{n}" for n in range(249)]
    world.sql("INSERT INTO crm.audiences SELECT n, n, 'default', now(), now() FROM unnest(?) u(n)", [names])
    fields = {f"one.path{n}": "EMAIL" for n in range(50)}
    mapping(world, "a", *names).run(columns={"fields": fields})
    assert "guardrails" not in caplog.text
    mapping(world, "a", "b", *names).run(columns={"fields": {**fields, "last": "EMAIL"}})
    assert "The pipeline maps 251 audiences; Adobe's guardrails stop at 250." in caplog.text
    assert "The pipeline maps 51 attributes; Adobe's guardrails stop at 50." in caplog.text


def test_the_file_of_mapped_audiences_that_nobody_can_read_stops_the_run(world: StreamWorld, tmp_path: Path) -> None:
    world.run()
    path = tmp_path / "state" / "p" / "audiences.json"
    assert json.loads(path.read_text(encoding="utf-8")).keys() == {"a"}
    path.write_text("{", encoding="utf-8")
    with pytest.raises(AirflowFailException, match=r"audiences\.json cannot be read: .* Fix: Remove it"):
        world.run()
