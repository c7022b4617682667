"""Random changes of profiles; in plain Python what the warehouse then holds, what a run must send, what a reader must know."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.kinesis import Record

from .stream_world import StreamWorld, counting

NAME = "person.name.firstName"
SINCE = "2026-01-01T00:00:00Z"
"""When everybody was qualified for everything."""


@dataclass
class Person:
    """A profile.

    :ivar moved: the audiences whose membership row was written since the last run.
    :ivar touched: whether anything else was, that may make it a changed profile.
    :ivar written: whether that was an attribute that counts by its write.
    :ivar last: its state as it was sent last.
    """

    first: str
    email: str
    identities: set[str] = field(default_factory=set)
    status: dict[str, str] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    touched: bool = False
    written: bool = False
    last: Any = None

    def message(self, mapped: Iterable[str]) -> dict[str, Any]:
        """What a reader gets."""
        known = {name: self.status[name] for name in mapped if name in self.status}
        identities = {"crm": [{"id": one} for one in sorted(self.identities)]} if self.identities else {}
        return {
            "person": {"name": {"firstName": self.first}},
            "personalEmail": {"address": self.email},
            "segmentMembership": {"ups": {name: {"lastQualificationTime": SINCE, "status": one} for name, one in known.items()}},
            "identityMap": identities,
        }


class History:
    """A history of the audiences ``a``, ``b`` (each with its own merge policy) and ``x``, which is never mapped.

    :param mode: how attributes count.
    """

    def __init__(self, world: StreamWorld, seed: int, mode: str) -> None:
        self.random, self.mode, self.world = Random(seed), mode, counting(world, mode)
        self.people: dict[str, Person] = {}
        self.mapped: tuple[str, ...] = ("a",)
        self.fresh: set[str] = set()
        self.begun = False
        self.told: set[str] = set()
        for name in ("b", "x"):
            world.audience(name, name)
        self._steps: list[Any] = []

    def map_both(self) -> None:
        """Map ``b`` too."""
        self.fresh, self.mapped = {"b"} - {*self.mapped}, ("a", "b")
        self.world.destination = {**self.world.destination, "audiences": self.mapped}

    def go_on(self, changes: int) -> None:
        """Change something that many times."""
        kinds = (self._born, self._move, self._move, self._identify, self._write, self._restamp)
        for _ in range(changes):
            self.random.choice(kinds if self.people else kinds[:1])()
        self.world.sql(*self._steps)
        self._steps = []

    def due(self) -> set[str]:
        """Who must be sent by the next run, in a world without faults; it is taken as sent."""
        found = set()
        for name, one in self.people.items():
            inside = any(one.status.get(audience) == "realized" for audience in self.mapped)
            state = (self._statuses(one), inside and (sorted(one.identities), self.mode == "content" and (one.first, one.email)))
            left = bool(one.moved.intersection(self.mapped) - self.fresh)
            entered = any(one.status.get(audience) == "realized" for audience in self.fresh)
            changed = left or bool(one.moved.intersection(self.mapped)) or entered
            changed = changed or (one.touched and bool(self._statuses(one)))
            eligible = inside and changed if self.begun else inside
            if (eligible or (self.begun and left)) and (state != one.last or (self.begun and inside and one.written)):
                found.add(name)
                one.last = state
        self.ended()
        return found

    def ended(self) -> None:
        """A run has ended well."""
        self.begun, self.fresh = True, set()
        for name, one in self.people.items():
            one.moved, one.touched, one.written = set(), False, False
            if "realized" in self._statuses(one).values():
                self.told.add(name)

    def check(self, records: Iterable[Record], *, exact: bool = False) -> None:
        """Compare what a reader knows by the last message of each profile with what the warehouse holds.

        :param exact: whether each message must be that of :meth:`Person.message`.
        """
        known = {record.key: json.loads(record.data) for record in records}
        assert self.told <= known.keys(), "nobody was lost"
        for name, message in known.items():
            one, seen = self.people[name], message["segmentMembership"].get("ups", {})
            assert {audience: each["status"] for audience, each in seen.items()}.items() <= self._statuses(one).items()
            if "realized" in self._statuses(one).values():
                expected = one.message(self.mapped)
                if self.mode == "content" or exact:
                    assert message == expected
                assert message["identityMap"] == expected["identityMap"]
                assert message["segmentMembership"] == expected["segmentMembership"]
                assert message["person"] == expected["person"], "each new value was a write"

    def _statuses(self, one: Person) -> dict[str, str]:
        return {name: one.status[name] for name in self.mapped if name in one.status}

    def _born(self) -> None:
        name = f"p{len(self.people)}"
        one = self.people[name] = Person(f"이름 {name}", f"{name}@example.com", {f"id-{name}"})
        self._do("INSERT INTO crm.profiles VALUES (?, ?, ?, NULL, now())", name, one.first, one.email)
        self._do("INSERT INTO crm.identities VALUES (?, 'crm', ?, false, now())", name, f"id-{name}")
        one.touched, one.written = True, self.mode == "row"
        if self.random.random() < 0.7:
            self._enter(name, self.random.choice("abx"), "realized")

    def _move(self) -> None:
        name, audience = self._anybody(), self.random.choice("aabbx")
        realized = self.people[name].status.get(audience) == "realized"
        self._enter(name, audience, "exited" if realized and self.random.random() < 0.8 else "realized")

    def _enter(self, name: str, audience: str, status: str) -> None:
        one = self.people[name]
        self._do("DELETE FROM crm.audience_memberships WHERE PROFILE_ID = ? AND AUDIENCE_ID = ?", name, audience)
        row = "INSERT INTO crm.audience_memberships VALUES (?, ?, ?, TIMESTAMP '2026-01-01', now())"
        self._do(row, name, audience, status)
        one.status[audience] = status
        one.moved.add(audience)

    def _identify(self) -> None:
        name = self._anybody()
        one, value = self.people[name], f"id-{self.random.randrange(3)}"
        gone = value in one.identities
        self._do("DELETE FROM crm.identities WHERE PROFILE_ID = ? AND ID = ?", name, value)
        self._do("INSERT INTO crm.identities VALUES (?, 'crm', ?, ?, now())", name, value, gone)
        one.identities.symmetric_difference_update({value})
        one.touched = True

    def _write(self) -> None:
        name = self._anybody()
        one = self.people[name]
        one.first = self.random.choice([one.first, f"name {self.random.randrange(5)}"])
        self._do("UPDATE crm.profiles SET FIRST_NAME = ?, UPDATED_AT = now() WHERE PROFILE_ID = ?", one.first, name)
        self._do("INSERT INTO crm.attribute_writes VALUES (?, ?, now())", name, NAME)
        one.touched, one.written = True, self.mode != "content"

    def _restamp(self) -> None:
        """What is no change: a membership written again, an attribute that is not mapped."""
        name = self._anybody()
        one = self.people[name]
        self._do("UPDATE crm.audience_memberships SET UPDATED_AT = now() WHERE PROFILE_ID = ?", name)
        one.moved.update(one.status)
        self._do("INSERT INTO crm.attribute_writes VALUES (?, 'notes', now())", name)

    def _anybody(self) -> str:
        return self.random.choice([*self.people])

    def _do(self, text: str, *values: Any) -> None:
        self._steps += [text, values]
