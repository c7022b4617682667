"""What the source contract needs to know of an engine, and how its tests read.

A new engine subclasses :class:`Engine` and is gets a file ``test_source_<engine>.py``; the tests themselves stay as they are.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from activation.cursor.timestamps import from_text, to_text
from activation.cursor.window import Position, Window
from activation.warehouses.arrow import BATCH_BYTES
from activation.warehouses.base import Extract, Relation, Session, Warehouse

MICROSECOND = 1_000
SECOND = 1_000_000_000
DAY = 86_400 * SECOND

EVERYTHING = Window(lower=None, closed=True, upper=from_text("9999-12-31T23:59:59.999999999Z"), nulls=True)


@dataclass(frozen=True)
class Cursor:
    """A type that can be the cursor.

    :ivar grain: nanoseconds between two neighbouring values.
    :ivar zone: whether values carry a zone.
    :ivar infinite: whether the type knows ``infinity`` and ``-infinity``.
    """

    type: str
    grain: int = MICROSECOND
    zone: bool = False
    infinite: bool = True

    def literal(self, at: int | None) -> str | None:
        """Write an instant as this type takes it."""
        if at is None:
            return None
        text = to_text(at)[:-1].replace("T", " ")
        return text[:10] if self.grain == DAY else text + "+00" if self.zone else text


@dataclass(frozen=True)
class Value:
    """A column type, an expression that gives a value of it, and the text that must arrive."""

    type: str
    expression: str
    text: str


@dataclass(frozen=True)
class Probe:
    """How another process opens the engine: the key of the registry, ``module:function`` and its keywords, and the connection's
    extra fields."""

    engine: str
    opener: str
    arguments: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)


class Engine(ABC):
    """An engine under test. Tables are made and filled through :meth:`execute`.

    The tests write ``integer``, ``varchar`` and ``bigint`` for types; :attr:`kinds` says what the engine calls them.
    """

    name: str
    """Shown in the ids of the tests."""
    cursors: tuple[Cursor, ...]
    """Every type that can be the cursor; the first one is used wherever the type does not matter."""
    values: tuple[Value, ...]
    """Types and values whose text must arrive exactly."""
    placeholder: str
    endless: str
    """A query that runs for hours and gives the columns ``id`` and ``u``, a cursor."""
    kinds: Mapping[str, str] = {}
    """What the engine calls the types of the tests, where it calls them differently."""
    quote = '"'
    schema: tuple[str, ...] = ()
    """The parts that stand before the name of every table that the tests make."""
    grant = "GRANT SELECT ON"
    """What the fix of a missing right on a table must say."""
    impossible_names: tuple[str, ...] = ()
    """Those of the tests' nasty names that the engine itself does not take for a table or a column."""
    most_growth = 300
    """Megabytes by which the process may grow while it reads the large table; an embedded engine may sort in 150."""
    rows, wide = 400_000, 1_000
    """Rows of that table, and characters of their payloads: collected, they would take more than the process may. Not many, but
    wide, because what a driver does for each row takes time and says nothing about memory.
    """
    examples = 25
    """Examples of the property test that are tried; fewer where a statement takes long."""
    spent = 0
    """Examples that were tried."""
    stride = 1
    """Every how many-th window of the test of all windows is tried; more where a statement takes long."""
    shortest_timeout = 1.0
    """Seconds of a statement time-out within which the engine still reads 40 MB."""
    widest = BATCH_BYTES + 1
    """Bytes of the longest text of the tests; less where the engine does not take it."""

    _numbers = count(1)
    _made = False

    @abstractmethod
    def stop(self) -> None:
        """Give back everything."""

    @abstractmethod
    def execute(self, text: str, params: Sequence[Any] = ()) -> None:
        """Run a statement with all rights."""

    @abstractmethod
    def open(self, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        """Open a warehouse over a new connection, as an operator does, with the right to read every table."""

    @abstractmethod
    def open_limited(self) -> Warehouse | None:
        """Open a warehouse that may not read new tables; nothing where the engine has no roles."""

    @abstractmethod
    def running(self) -> int:
        """Count the statements of warehouses that run at the moment."""

    @abstractmethod
    def probe(self) -> Probe:
        """Tell another process how to open a warehouse, with memory settings that a worker would use."""

    @abstractmethod
    def make_large(self, name: str) -> None:
        """Make the table: ``id``, ``u`` (a cursor), five small columns, and a ``payload``."""

    def large(self) -> tuple[str, ...]:
        """Give the name of the table of :meth:`make_large`, which is made once."""
        if not self._made:
            self._made = True
            self.make_large("large")
        return self.place("large")

    def unused(self) -> str:
        """Give a name that no table has yet."""
        return f"t{next(self._numbers)}"

    def quoted(self, name: str) -> str:
        """Quote an identifier."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def sql(self, table: tuple[str, ...]) -> str:
        """Write the name of a table for a statement."""
        return ".".join(self.quoted(part) for part in table)

    def kind(self, kind: str) -> str:
        """What the engine calls a type."""
        return self.kinds.get(kind, kind)

    def place(self, name: str) -> tuple[str, ...]:
        """The whole name of a table of the tests."""
        return (*self.schema, name)

    def table(self, columns: dict[str, str], rows: Sequence[Sequence[str | None]], name: str | None = None) -> tuple[str, ...]:
        """Make a table and fill it with values given as text."""
        table = self.place(name or self.unused())
        kinds = {column: self.kind(kind) for column, kind in columns.items()}
        self.execute(f"CREATE TABLE {self.sql(table)} ({', '.join(f'{self.quoted(one)} {kind}' for one, kind in kinds.items())})")
        self.insert(table, list(kinds.values()), rows)
        return table

    def insert(self, table: tuple[str, ...], kinds: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        """Add rows to a table."""
        if rows:
            row = f"({', '.join(f'CAST({self.placeholder} AS {kind})' for kind in kinds)})"
            into = self.sql(table).replace("%", "%%") if self.placeholder == "%s" else self.sql(table)
            self.execute(f"INSERT INTO {into} VALUES {', '.join([row] * len(rows))}", [value for one in rows for value in one])

    def double(self, table: tuple[str, ...], step: int) -> None:
        """Add every row of a table with the columns ``id``, ``u`` and ``payload`` once more, with greater ids."""
        one, two, three = (self.quoted(name) for name in ("id", "u", "payload"))
        self.execute(f"INSERT INTO {self.sql(table)} SELECT {one} + {step}, {two}, {three} FROM {self.sql(table)}")

    def view(self, query: str) -> tuple[str, ...]:
        """Make a view."""
        view = self.place(self.unused())
        self.execute(f"CREATE VIEW {self.sql(view)} AS {query}")
        return view


@dataclass
class Reading:
    """One warehouse and one extract, and what a window of it gives."""

    warehouse: Warehouse
    extract: Extract
    batches: list[int] = field(default_factory=list)
    """Rows of each batch of the last :meth:`rows`."""

    def rows(self, window: Window = EVERYTHING, after: Position | None = None, *, rows: int = 16_384) -> list[dict[str, Any]]:
        """Read a window; the names of the values lead to their texts."""
        self.batches.clear()
        found: list[dict[str, Any]] = []
        for batch in self.warehouse.batches(self.extract, window, after, rows=rows):
            self.batches.append(batch.num_rows)
            names = [column.name for column in self.extract.values]
            values = [column.to_pylist() for column in batch.columns]
            found += [
                {"": values[0][at], **{name: values[n][at] for n, name in enumerate(names, 1)}} for at in range(batch.num_rows)
            ]
        return found

    def positions(self, window: Window = EVERYTHING, after: Position | None = None, *, rows: int = 16_384) -> list[Position]:
        """Read a window as the places of its rows."""
        return [self.position(row) for row in self.rows(window, after, rows=rows)]

    def position(self, row: dict[str, Any]) -> Position:
        """Give the place of a row, as a run would keep it."""
        tick = self.warehouse.tick_of(self.extract)
        at = None if row[""] is None else row[""] * tick
        return Position(at, tuple(row[column.name] or "" for column in self.extract.key))


def reading(warehouse: Warehouse, table: Relation, cursor: str = "u", key: tuple[str, ...] = ("id",)) -> Reading:
    """Read a table with all of its columns but the cursor, which are found through the warehouse."""
    columns = {column.name: column for column in warehouse.columns(table)}
    values = tuple(column for name, column in columns.items() if name != cursor or name in key)
    return Reading(warehouse, Extract(table, columns[cursor], tuple(columns[name] for name in key), values))


def still_running(engine: Engine) -> int:
    """Count the statements that run on, once the server has had a moment to end them."""
    deadline = time.monotonic() + 5.0
    while (found := engine.running()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
