"""The profile tables of the source contract: how they are made, what must be found in them, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from activation.cursor.window import Window
from activation.records.profile_layout import Related, Wanted, bind_profiles
from activation.warehouses.base import Warehouse
from activation.warehouses.profiles import Mode, ProfileRead
from tests.contracts.sources import Cursor, Engine

Rows = Sequence[tuple[Any, ...]]

TABLES: Mapping[str, Sequence[str]] = {
    "profiles": ("Profile_Id", "Updated_At", "NAME", "city"),
    "memberships": ("PROFILE_ID", "UPDATED_AT", "AUDIENCE_ID", "STATUS", "LAST_QUALIFICATION_TIME"),
    "identities": ("profile_id", "updated_at", "namespace", "ID", "removed", "IS_PRIMARY"),
    "audiences": ("ID", "UPDATED_AT", "NAME", "MERGE_POLICY", "CREATED_AT"),
    "writes": ("PROFILE_ID", "UPDATED_AT", "ATTRIBUTE"),
}
"""Table -> its columns, in the cases that people write them; the second one is the cursor."""


@dataclass
class Profiles:
    """Rows of the tables: the id, UPDATED_AT in nanoseconds, then the rest; other instants are nanoseconds too."""

    profiles: Rows = ()
    memberships: Rows = ()
    identities: Rows = ()
    audiences: Rows = ()
    writes: Rows = ()
    cursors: Mapping[str, Cursor] = field(default_factory=dict)
    """Table -> the type of its instants; the engine's first one where nothing is said."""
    ids: str = "varchar"
    flags: str = "boolean"

    def bound(self, engine: Engine, warehouse: Warehouse, *audiences: str, mode: Mode = "content") -> ProfileRead:
        """Make the tables and find their columns."""
        made = {name: self._make(engine, name) for name in TABLES}
        related = Related(made["memberships"], made["identities"], made["audiences"], made["writes"])
        wanted = Wanted(audiences or ("a1",), {"name": ("Name",), "home.city": ("CITY",)}, mode)
        return bind_profiles(warehouse, made["profiles"], related, wanted)

    def _make(self, engine: Engine, name: str) -> tuple[str, ...]:
        cursor = self.cursors.get(name, engine.cursors[0])
        kinds = {column: self._kind(column.lower(), cursor, name) for column in TABLES[name]}
        rows = [[cursor.literal(cell) if isinstance(cell, int) else cell for cell in row] for row in getattr(self, name)]
        return engine.table(kinds, rows)

    def _kind(self, column: str, cursor: Cursor, table: str) -> str:
        if column.endswith(("_at", "_time")):
            return cursor.type
        if column == "profile_id":
            return self.ids
        return self.flags if column in ("removed", "is_primary") else "varchar"

    def changed(self, window: Window, read: ProfileRead) -> list[str]:
        """The ids that must be found, by the words of the design."""

        def inside(at: int | None) -> bool:
            return at is not None and at <= window.upper and (window.lower is None or at > window.lower)

        rows = [row for row in self.memberships if row[0] is not None]
        members = {row[0] for row in rows if row[2] in read.mapped}
        if window.lower is None:
            return sorted({row[0] for row in rows if row[2] in read.mapped and row[3] not in ("exited", "exiting")})
        found = {row[0] for row in rows if row[2] in read.mapped and inside(row[1])}
        found |= {row[0] for row in rows if row[2] in read.fresh and row[3] not in ("exited", "exiting")}
        found |= {row[0] for row in self.identities if inside(row[1])} & members
        written = [row for row in self.writes if row[2] in read.paths] if read.mode == "writes" else self.profiles
        return sorted(found | {row[0] for row in written if inside(row[1])} & members)


def rows_of(warehouse: Warehouse, read: ProfileRead, window: Window, after: str = "") -> list[tuple[Any, ...]]:
    """Read changed profiles as tuples."""
    return [row for batch in warehouse.changes(read, window, after) for row in zip(*batch.to_pydict().values(), strict=True)]


def ids_of(warehouse: Warehouse, read: ProfileRead, window: Window, after: str = "") -> list[str]:
    """The ids of the changed profiles in the order in which they come, each once; the count must agree."""
    found = list(dict.fromkeys(row[1] for row in rows_of(warehouse, read, window, after)))
    assert warehouse.count_changes(read, window, after) == len(found)
    return found


def ways(read: ProfileRead) -> Iterator[ProfileRead]:
    """The same tables, read in every mode, with and without newly mapped audiences."""
    modes: tuple[Mode, ...] = ("writes", "row", "content")
    for mode in modes:
        yield replace(read, mode=mode)
        yield replace(read, mode=mode, fresh=read.mapped[:1])
