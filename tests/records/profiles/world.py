"""Tables of profiles that a test writes as plain Python, and the rows that a warehouse would give of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from activation.records.profiles.assembler import Assembler
from activation.records.profiles.rules import MessageRules, Reading
from activation.warehouses.base import Column
from activation.warehouses.profiles import IDENTITY, MEMBERSHIP, PROFILE, WRITE

SECOND = 1_000_000
START = 1_641_936_279 * SECOND
"""2022-01-11T21:24:39Z in microseconds since the epoch: the lower end of the window of the tests."""

INSIDE = START + 5 * SECOND
UPPER = START + 30 * SECOND
BEFORE = START - 86_400 * SECOND


@dataclass(frozen=True)
class Audience:
    """A row of the audiences, and whether and when it was mapped."""

    id: str
    mapped: bool = False
    policy: str | None = "p1"
    namespace: str | None = "ups"
    name: str | None = None

    def row(self) -> dict[str, Any]:
        """The row as the assembler takes it; the times say which audience and which column they are of."""
        base = 1_648_553_000_000 + 1000 * len(self.id)
        times = {"created": base, "updated": base + 1, "mapping_created": base + 2, "mapping_updated": base + 3}
        name = f"The {self.id}" if self.name is None else self.name
        given = {"id": self.id, "name": name, "merge_policy": self.policy, "namespace": self.namespace}
        return given | {"mapped": self.mapped} | times


@dataclass(frozen=True)
class Member:
    """A row of the memberships."""

    audience: str | None
    status: str | None = "realized"
    qualified: int | None = BEFORE
    at: int | None = BEFORE


@dataclass(frozen=True)
class Identity:
    """A row of the identities."""

    namespace: str | None
    id: str | None
    removed: bool | None = None
    primary: bool | None = None
    state: str | None = None
    at: int | None = BEFORE


@dataclass(frozen=True)
class Profile:
    """All rows of a profile.

    :ivar rows: of the table of profiles: UPDATED_AT and the attributes; one as a rule.
    :ivar writes: UPDATED_AT of the writes in the window.
    """

    members: tuple[Member, ...] = ()
    identities: tuple[Identity, ...] = ()
    rows: tuple[tuple[int | None, Mapping[str, str | None]], ...] = ((BEFORE, {}),)
    writes: tuple[int, ...] = ()


@dataclass(frozen=True)
class World:
    """Tables and what they are read for."""

    profiles: Mapping[str, Profile]
    audiences: tuple[Audience, ...] = (Audience("aud-1", mapped=True),)
    attributes: tuple[str, ...] = ("FIRST", "EMAIL")
    rules: MessageRules = field(default_factory=MessageRules)
    mode: str = "content"
    fresh: tuple[str, ...] = ()
    lower: int | None = START
    upper: int = UPPER

    @property
    def reading(self) -> Reading:
        """What the rows are read for."""
        columns = tuple(Column(name, "VARCHAR") for name in self.attributes)
        return Reading(columns, self.mode, self.fresh, self.lower, self.upper)

    def audience_table(self) -> pa.Table:
        """The audiences."""
        names = {"created", "updated", "mapping_created", "mapping_updated"}
        kinds = {"mapped": pa.bool_()} | dict.fromkeys(names, pa.int64())
        rows = [audience.row() for audience in self.audiences]
        return pa.table(
            {name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in Audience("").row()}
        )

    def union(self) -> pa.Table:
        """The rows as ``Warehouse.changes`` gives them."""
        width = max(5, len(self.attributes))
        rows = [row for name, profile in self.profiles.items() for row in self._rows(name, profile)]
        rows.sort(key=lambda row: (row[1], row[0], row[3][0] or "", row[3][1] or ""))
        texts = {f"c{at}": pa.array([(*row[3], *[None] * width)[at] for row in rows], pa.string()) for at in range(width)}
        kinds = (pa.int64(), pa.string(), pa.int64())
        fixed = {name: pa.array([row[at] for row in rows], kinds[at]) for at, name in enumerate(("kind", "id", "at"))}
        return pa.table(fixed | texts)

    def _rows(self, name: str, profile: Profile) -> Iterator[tuple[int, str, int | None, tuple[str | None, ...]]]:
        for at, values in profile.rows:
            yield PROFILE, name, at, (*(values.get(column) for column in self.attributes), None, None)
        for one in profile.members:
            yield MEMBERSHIP, name, one.at, (one.audience, one.status, None if one.qualified is None else str(one.qualified))
        for who in profile.identities:
            flags = (None if flag is None else str(flag).lower() for flag in (who.removed, who.primary))
            yield IDENTITY, name, who.at, (who.namespace, who.id, *flags, who.state)
        for at in profile.writes:
            yield WRITE, name, at, ("person.name", None)

    def assemble(self, cuts: Sequence[int] = ()) -> pa.Table:
        """The assembled rows.

        :param cuts: how many rows the batches of the union have, again and again; empty: one batch.
        """
        return assembled(self, cutting(self.union(), cuts))

    def rows(self) -> dict[str, dict[str, Any]]:
        """The assembled rows by their profile."""
        return {row["profile_id"]: row for row in self.assemble().to_pylist()}


def cutting(table: pa.Table, cuts: Sequence[int]) -> list[pa.RecordBatch]:
    """Cut a table into batches of these sizes, again and again."""
    whole = table.combine_chunks()
    if not cuts or not whole.num_rows:
        return list(whole.to_batches())
    found, first, turn = [], 0, 0
    while first < whole.num_rows:
        found += whole.slice(first, cuts[turn % len(cuts)]).to_batches()
        first, turn = first + cuts[turn % len(cuts)], turn + 1
    return found


def assembled(world: World, union: Sequence[pa.RecordBatch]) -> pa.Table:
    """Assemble batches of a union."""
    assembler = Assembler(world.reading, world.audience_table(), world.rules)
    with closing(assembler):
        batches = list(assembler.batches(union))
    assert all(0 <= batch.num_rows <= 16_384 for batch in batches)
    return pa.Table.from_batches(batches) if batches else pa.table({"profile_id": pa.array([], pa.string())})


def only(profile: Profile, **world: Any) -> dict[str, Any]:
    """The assembled row of a world with one profile."""
    (row,) = World({"u1": profile}, **world).rows().values()
    return row
