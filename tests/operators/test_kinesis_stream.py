"""Contracts: kinesis 1.3 and K-T1 to K-T7 through the operator: which changes send a profile, and which do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.kinesis import KinesisSandbox

from .stream_world import StreamWorld, counting, fresh, writes

NAME = "person.name.firstName"


@pytest.fixture(scope="module")
def kinesis() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as running:
        yield running


@pytest.fixture
def world(kinesis: KinesisSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamWorld:
    """Two profiles in the mapped audience ``a``, one outside, all of whom are sent already."""
    world = fresh(kinesis, tmp_path, monkeypatch)
    world.audience("x", "another")
    world.profiles("p1", "p2", "out")
    world.member("a", "p1", "p2")
    assert world.sends().keys() == {"p1", "p2"}
    return world


def test_k_t1_who_enters_a_mapped_audience_is_sent_once(world: StreamWorld) -> None:
    world.profiles("p3")
    world.member("a", "p3")
    (message,) = world.sends().values()
    (qualified,) = world.sql(
        "SELECT strftime(LAST_QUALIFICATION_TIME, '%Y-%m-%dT%H:%M:%SZ') FROM crm.audience_memberships WHERE PROFILE_ID = 'p3'"
    )[0]
    assert message == {
        "person": {"name": {"firstName": "이름 p3"}},
        "personalEmail": {"address": "p3@example.com"},
        "segmentMembership": {"ups": {"a": {"lastQualificationTime": qualified, "status": "realized"}}},
        "identityMap": {"crm": [{"id": "id-p3"}]},
    }
    assert world.sends() == {}


def test_k_t2_who_leaves_is_sent_once_and_the_qualification_time_is_kept(world: StreamWorld) -> None:
    world.member("a", "p1", status="exited")
    (message,) = world.sends().values()
    (before,) = world.sql(
        "SELECT strftime(LAST_QUALIFICATION_TIME, '%Y-%m-%dT%H:%M:%SZ') FROM crm.audience_memberships WHERE PROFILE_ID = 'p1'"
    )[0]
    assert message["segmentMembership"] == {"ups": {"a": {"lastQualificationTime": before, "status": "exited"}}}
    assert message["person"] == {"name": {"firstName": "이름 p1"}}
    assert world.sends() == {}


def test_k_t3_an_identity_added_and_an_identity_removed_are_one_message_each(world: StreamWorld) -> None:
    world.sql("INSERT INTO crm.identities VALUES ('p1', 'email', 'p1@example.com', false, now())")
    added = {"crm": [{"id": "id-p1"}], "email": [{"id": "p1@example.com"}]}
    assert {key: one["identityMap"] for key, one in world.sends().items()} == {"p1": added}
    world.sql("UPDATE crm.identities SET REMOVED = true, UPDATED_AT = now() WHERE NAMESPACE = 'email'")
    assert {key: one["identityMap"] for key, one in world.sends().items()} == {"p1": {"crm": [{"id": "id-p1"}]}}
    world.sql("UPDATE crm.identities SET UPDATED_AT = now()")
    assert world.sends() == {}, "the map is as it was"


def test_k_t4_a_write_of_the_same_value_to_a_mapped_attribute_is_one_message(world: StreamWorld) -> None:
    writes(world)
    world.run()
    world.arrived()  # another way to count changes: all members, once
    world.write(NAME, "p1")
    assert world.sends().keys() == {"p1"}
    assert world.sends() == {}
    world.write(NAME, "p1", "p2", value="other")
    assert {key: one["person"]["name"]["firstName"] for key, one in world.sends().items()} == {"p1": "other", "p2": "other"}


@pytest.mark.parametrize(
    ("mode", "same", "unmapped"), [("writes", {"p1"}, set()), ("row", {"p1"}, {"p1"}), ("content", set(), set())]
)
def test_k_t4_k_t5_what_counts_as_an_update_is_a_choice(
    world: StreamWorld, mode: str, same: set[str], unmapped: set[str]
) -> None:
    counting(world, mode)
    world.member("a", "p1", "p2")
    world.run()
    world.arrived()
    world.write(NAME, "p1", "out")
    assert world.sends().keys() == same, "the same value"
    world.write("notes", "p1", "out", value="unmapped")
    assert world.sends().keys() == unmapped, "an attribute that is not mapped"
    world.write(NAME, "p1", "out", value="new")
    assert world.sends().keys() == {"p1"}, "another value"
    world.write(NAME, "p1", value="newer")
    world.write(NAME, "p1", value="newest")
    assert [one["person"]["name"]["firstName"] for one in world.sends().values()] == ["newest"]
    assert world.sends() == {}


def test_k_t5_an_audience_that_is_not_mapped_is_no_reason(world: StreamWorld) -> None:
    world.member("x", "p1", "out")
    assert world.sends() == {}
    world.member("x", "p1", status="exited")
    world.sql("UPDATE crm.audiences SET UPDATED_AT = now()")
    assert world.sends() == {}


def test_k_t5_realized_that_stays_realized_is_no_reason(world: StreamWorld) -> None:
    world.member("a", "p1")
    rows = world.run()["rows"]
    assert rows == {"read": 1, "sent": 0, "rejected": 0, "skipped": 1}
    assert world.messages() == {}


def test_k_t6_of_a_hundred_members_five_new_ones_are_five_messages_with_all_attributes(world: StreamWorld) -> None:
    old = [f"old{n}" for n in range(98)]
    world.profiles(*old)
    world.member("a", *old)
    assert len(world.sends()) == 98
    new = [f"new{n}" for n in range(5)]
    world.profiles(*new)
    world.member("a", *new)
    found = world.sends()
    assert found.keys() == set(new)
    for name, message in found.items():
        assert message["person"] == {"name": {"firstName": f"이름 {name}"}}
        assert message["personalEmail"] == {"address": f"{name}@example.com"}


def test_who_has_left_all_audiences_is_of_no_more_interest(world: StreamWorld) -> None:
    world.member("a", "p1", status="exited")
    assert world.sends().keys() == {"p1"}
    world.write(NAME, "p1", value="new")
    world.sql("INSERT INTO crm.identities VALUES ('p1', 'email', 'new', false, now())")
    assert world.sends() == {}
    world.member("a", "p1")
    (message,) = world.sends().values()
    assert message["person"] == {"name": {"firstName": "new"}}
    assert message["identityMap"].keys() == {"crm", "email"}


def test_who_enters_and_leaves_between_two_runs_is_sent_as_gone(world: StreamWorld) -> None:
    world.member("a", "out")
    world.member("a", "out", status="exited")
    (message,) = world.sends().values()
    assert message["segmentMembership"]["ups"]["a"]["status"] == "exited"


def test_who_leaves_one_of_two_mapped_audiences_is_sent_with_both(world: StreamWorld) -> None:
    world.destination = {**world.destination, "audiences": ["a", "x"]}
    world.member("x", "p1")
    world.run()
    world.arrived()
    world.member("x", "p1", status="exited")
    (message,) = world.sends().values()
    assert {name: one["status"] for name, one in message["segmentMembership"]["ups"].items()} == {"a": "realized", "x": "exited"}


def test_k_t5_realized_that_stays_realized_is_no_reason_after_a_write_either(world: StreamWorld) -> None:
    writes(world)
    world.run()
    world.write(NAME, "p1")
    world.run()
    world.arrived()
    world.member("a", "p1")
    assert world.sends() == {}
