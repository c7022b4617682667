"""Profiles in a warehouse: the five tables of the layout, and what a run reads of them (contracts: kinesis_profiles 1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from activation.cursor.timestamps import from_text
from activation.cursor.window import Window
from activation.errors import ConfigurationError
from activation.warehouses.base import Column, Extract, Relation, Warehouse, named
from activation.warehouses.typed import field_of

PROFILE, MEMBERSHIP, IDENTITY, WRITE = range(4)
"""Values of the column ``kind`` of :meth:`~activation.warehouses.base.Warehouse.changes`."""

REALIZED, EXITED = ("realized", "existing"), ("exited", "exiting")
"""Words of STATUS, the one in use and the old one (contracts: kinesis_profiles 1.5); read in any case."""

IDENTITY_VALUES = ("namespace", "id", "removed", "is_primary", "authenticated_state")
"""Columns of an identity in the order of ``c0``, ``c1``, …"""

AUDIENCE_VALUES = ("id", "name", "merge_policy", "created_at", "updated_at", "namespace")
"""Columns of an audience; the last one may lack."""

FLAGS = ("removed", "is_primary")
"""Those of them that are true or false."""

Mode = Literal["writes", "row", "content"]
"""What counts as a change of attributes: a row of the table of writes, any new profile row, or one with other contents."""


EVERYTHING = Window(lower=None, closed=True, upper=from_text("9999-12-31T23:59:59.999999999Z"), nulls=True)

_FLAGS = {"true": "true", "t": "true", "yes": "true", "y": "true", "1": "true"}
_FLAGS |= {"false": "false", "f": "false", "no": "false", "n": "false", "0": "false"}


@dataclass(frozen=True, slots=True)
class ProfileTable:
    """One table of the layout.

    :ivar relation: the table, the view or the query.
    :ivar columns: fixed name in lower case (``profile_id``, ``updated_at``, …) -> the table's column; an optional one may lack.
    """

    relation: Relation
    columns: Mapping[str, Column] = field(hash=False)

    @property
    def extract(self) -> Extract:
        """The table for the questions that every source answers, by UPDATED_AT."""
        return Extract(self.relation, self.columns["updated_at"], (), ())


@dataclass(frozen=True, slots=True)
class ProfileTables:
    """The tables of the layout; ``writes`` is the one that a warehouse need not have."""

    profiles: ProfileTable
    memberships: ProfileTable
    identities: ProfileTable
    audiences: ProfileTable
    writes: ProfileTable | None = None

    @property
    def followed(self) -> tuple[ProfileTable, ...]:
        """The tables whose rows belong to a profile."""
        found = (self.profiles, self.memberships, self.identities, self.writes)
        return tuple(table for table in found if table is not None)

    def under(self, name_of: Callable[[ProfileTable], Relation]) -> ProfileTables:
        """The same tables under other names."""
        given = {name: getattr(self, name) for name in self.__slots__}
        return ProfileTables(**{name: table and replace(table, relation=name_of(table)) for name, table in given.items()})


@dataclass(frozen=True, slots=True)
class ProfileRead:
    """What a run reads of the profiles.

    :ivar tables: where it stands.
    :ivar attributes: the columns of the profiles that are read: the mapped ones, or PAYLOAD alone.
    :ivar mapped: the ids of the mapped audiences, at least one.
    :ivar fresh: those of them that are newly mapped, whose members are read as if they had just entered.
    :ivar paths: the mapped attributes as the table of writes calls them; empty: all that it names.
    :ivar mode: what counts as a change of attributes.
    """

    tables: ProfileTables
    attributes: tuple[Column, ...]
    mapped: tuple[str, ...]
    fresh: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    mode: Mode = "content"


def width(read: ProfileRead) -> int:
    """How many texts a row has: as many as the widest kind needs."""
    return max(len(read.attributes), len(IDENTITY_VALUES))


def shape(read: ProfileRead) -> pa.Schema:
    """Give the schema that :meth:`~activation.warehouses.base.Warehouse.changes` promises."""
    texts = [(f"c{number}", pa.string()) for number in range(width(read))]
    return pa.schema([("kind", pa.int64()), ("id", pa.string()), ("at", pa.int64()), *texts])


def raw(read: ProfileRead) -> pa.Schema:
    """What the statement gives: the last qualification in ticks stands behind ``at``."""
    return shape(read).insert(3, pa.field("qualified", pa.int64()))


def settled(batches: Iterable[pa.RecordBatch], read: ProfileRead, tick_of: Callable[[Extract], int]) -> Iterator[pa.RecordBatch]:
    """Bring instants to microseconds and flags to ``true`` and ``false``.

    :param batches: as :func:`raw` says, with instants in the ticks of their columns and flags as the engine writes them.
    :param tick_of: gives the nanoseconds of a tick.
    :raises ConfigurationError: if a flag is neither true nor false.
    """
    memberships = read.tables.memberships
    qualified = replace(memberships.extract, cursor=memberships.columns["last_qualification_time"])
    fine = [kind for kind, table in enumerate(read.tables.followed) if tick_of(table.extract) == 1]
    nanoseconds = tick_of(qualified) == 1
    for batch in batches:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        instants, kinds = columns.pop("qualified"), columns["kind"]
        columns["at"] = _where(kinds, fine, _up, columns["at"])
        columns["c2"] = pc.coalesce((pc.divide(instants, 1_000) if nanoseconds else instants).cast(pa.string()), columns["c2"])
        for name in FLAGS:
            place = f"c{IDENTITY_VALUES.index(name)}"
            columns[place] = _where(kinds, [IDENTITY], partial(_flags, read.tables.identities, name), columns[place])
        yield pa.RecordBatch.from_arrays(list(columns.values()), schema=shape(read))


def _where(kind: pa.Array, kinds: list[int], change: Callable[[pa.Array], pa.Array], values: pa.Array) -> pa.Array:
    """Change the values of the rows of some kinds."""
    rows = pc.is_in(kind, pa.array(kinds, pa.int64()))
    return pc.replace_with_mask(values, rows, change(values.filter(rows)))


def _up(nanoseconds: pa.Array) -> pa.Array:
    """A started microsecond counts as a whole one: so it lies on the same side of a bound of whole ones as the value itself."""
    whole = pc.divide(nanoseconds, 1_000)
    return pc.add(whole, pc.greater(nanoseconds, pc.multiply(whole, 1_000)).cast(pa.int64()))


def _flags(table: ProfileTable, name: str, texts: pa.Array) -> pa.Array:
    places = pc.index_in(pc.utf8_lower(texts), pa.array([*_FLAGS]))
    if places.null_count != texts.null_count:
        raise ConfigurationError(
            f"{named(table.relation)} has a value in its column {table.columns[name].name} that is neither true nor false.",
            "Make the column BOOLEAN, or read from a view that does.",
        )
    return pa.array([*_FLAGS.values()]).take(places)


def audiences_of(warehouse: Warehouse, read: ProfileRead) -> pa.Table:
    """Read all audiences: ``id``, ``name``, ``merge_policy`` and ``namespace`` (strings), ``created`` and ``updated`` (int64,
    milliseconds since the epoch, null if there is none), in the order of the ids. Rows without an id are left out.
    """
    of = read.tables.audiences.columns
    values = tuple(dict.fromkeys(of.values()))
    extract = Extract(read.tables.audiences.relation, of["updated_at"], (of["id"],), values)
    found = pa.Table.from_batches(warehouse.typed(extract, EVERYTHING), pa.schema([field_of(column) for column in values]))
    columns = {name: found[of[name].name] if name in of else pa.nulls(found.num_rows) for name in AUDIENCE_VALUES}
    texts = {name: column.cast(pa.string()) for name, column in columns.items() if not name.endswith("_at")}
    instants = {
        name.removesuffix("_at"): column.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64())
        for name, column in columns.items()
        if name.endswith("_at")
    }
    made = pa.table(texts | instants)
    return made.filter(pc.is_valid(made["id"])).sort_by("id")
