"""What a run asks of a warehouse. One module an engine implements it over a connection that the official hook opened."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from activation.cursor.window import Position, Window

if TYPE_CHECKING:
    import pyarrow as pa

    from activation.warehouses.profiles import ProfileRead

CURSOR = "cursor"
"""Name of the first column of every batch: the cursor value in the engine's ticks."""


@dataclass(frozen=True, slots=True)
class Query:
    """A read-only query that stands for a table.

    :ivar sql: one SELECT statement in the engine's own language, without a semicolon.
    """

    sql: str


Relation = tuple[str, ...] | Query
"""What is read: the parts of a table's or view's name, unquoted, such as ``("schema", "table")``, or a query."""


def named(relation: Relation) -> str:
    """How a relation is called in a text for people."""
    return "the query of the pipeline" if isinstance(relation, Query) else ".".join(relation)


@dataclass(frozen=True, slots=True)
class Session:
    """How a warehouse runs its statements.

    :ivar tag: who runs them (``dag``, ``task``, ``run``), for the warehouse's own query history; never a secret.
    :ivar timeout: seconds after which the warehouse stops a statement; ``None`` leaves it to the warehouse's own setting.
    :ivar options: the extra fields of the Airflow connection, for what a client must be told beside the hook.
    """

    tag: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def comment(self) -> str:
        """The tag as an SQL comment to stand before a statement, or an empty text."""
        text = ", ".join(f"{name}={value}" for name, value in self.tag.items())
        return f"/* {re.sub(r'[^-+.:=,_ A-Za-z0-9]', '_', text)} */ " if text else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or view.

    :ivar name: the name as the engine stores it.
    :ivar type: the type as the engine writes it, for people and for the choice of a conversion.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Only:
    """A choice of rows by the text of one column.

    :ivar texts: the texts, as :meth:`Warehouse.batches` gives them.
    :ivar inside: ``True`` takes the rows with one of the texts; ``False`` all others, those without a value too.
    """

    column: Column
    texts: tuple[str, ...]
    inside: bool = True


@dataclass(frozen=True, slots=True)
class Slice:
    """One of several slices, into which rows fall by a hash. Each row falls into exactly one of them.

    :ivar index: which one, from 0 on.
    :ivar of: how many there are.
    :ivar by: the columns that decide, at least one: the text of the first that has one, an empty text counting as none. Rows that
        are equal in it fall into the same slice, whatever session or node asks; rows without any fall into one.
    """

    index: int
    of: int
    by: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Extract:
    """What to read from which table.

    :ivar table: the table, the view or the query.
    :ivar cursor: the cursor column, which orders the rows and bounds the window. A value that no watermark can be written for
        (infinity, a year before 0001 or after 9999) counts as none, everywhere.
    :ivar key: the columns that order the rows that share a cursor value; a subset of ``values``.
    :ivar values: the columns to read, each as text; JSON, STRUCT and MAP columns as JSON text.
    :ivar only: which of the rows; all conditions must hold.
    :ivar slice: which slice of them; ``None`` is all. A survey is of the whole table nevertheless.
    """

    table: Relation
    cursor: Column
    key: tuple[Column, ...]
    values: tuple[Column, ...]
    only: tuple[Only, ...] = ()
    slice: Slice | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """Counts that are taken before a window is opened, all in one statement.

    :ivar now: the warehouse's clock, nanoseconds since the epoch.
    :ivar at: rows whose cursor value equals the watermark.
    :ivar nulls: rows without a cursor value.
    :ivar latest: the greatest cursor value of the table, nanoseconds since the epoch; ``None`` if there is none.
    """

    now: int
    at: int
    nulls: int
    latest: int | None


class Warehouse(Protocol):
    """A source of rows. Not safe for use by several threads at once, except :meth:`cancel`.

    Every method raises :class:`~activation.errors.ConfigurationError` for what a person must fix (no such table, no right,
    wrong type, wrong password) and :class:`~activation.errors.TransientError` for what may pass (a lost connection, a restart).
    """

    def tick_of(self, extract: Extract) -> int:
        """Give the nanoseconds that one unit of the batches' cursor column stands for: 1000 for a column of microseconds.

        :raises ConfigurationError: if the cursor column's type has no instants.
        """

    def columns(self, table: Relation) -> tuple[Column, ...]:
        """List the columns of a table, a view or a query in their order."""

    def slicing(self, extract: Extract) -> str:
        """Say how ``extract.slice`` and its like are told apart: while this text stays the same, a row stays in its slice.

        :param extract: with a slice; which one makes no difference.
        """

    def survey(self, extract: Extract, at: int | None) -> Survey:
        """Take the counts of :class:`Survey`.

        :param at: the watermark in nanoseconds since the epoch; ``None`` makes ``Survey.at`` 0.
        """

    def count(self, extract: Extract, window: Window, after: Position | None = None) -> int:
        """Count the rows that :meth:`batches` would give."""

    def preview(self, extract: Extract, window: Window, rows: int) -> pa.Table:
        """Read the first rows of a window, in the shape of :meth:`batches`.

        :param rows: how many rows at most.
        """

    def batches(
        self, extract: Extract, window: Window, after: Position | None = None, *, rows: int = 16_384
    ) -> Generator[pa.RecordBatch, None, None]:
        """Read the rows of a window in the order ``(cursor NULLS FIRST, key)`` as Arrow batches, with bounded memory.

        Columns: ``cursor`` (int64 in ticks, null for NULL), then one string column for each of ``extract.values`` under its
        own name. A key is compared and ordered as text with NULL as ``""``.

        Closing the generator early stops the statement.

        :param after: gives only the rows behind this place.
        :param rows: most rows of a batch; wide rows make batches smaller.
        """

    def typed(self, extract: Extract, window: Window, *, rows: int = 65_536) -> Generator[pa.RecordBatch, None, None]:
        """Read the rows of a window like :meth:`batches`, but each of ``extract.values`` in its own type, without the cursor.

        The types are those of :func:`activation.warehouses.typed.field_of`.
        """

    def changes(self, read: ProfileRead, window: Window, after: str = "") -> Generator[pa.RecordBatch, None, None]:
        """Read all of the profiles that may have changed in a window, in the order of their ids by code point (contracts:
        kinesis_profiles 1.3).

        Such profiles have a row in the window that says so (of a mapped audience, of an identity, of their attributes), or are in
        a newly mapped audience; without a lower bound, all that are in a mapped one. A row without UPDATED_AT makes nobody be
        read; those without an id are left out.

        Columns: ``kind`` (int64: 0 a profile, 1 a membership, 2 an identity, 3 a write, in this order within an id), ``id``
        (string), ``at`` (int64, UPDATED_AT in microseconds since the epoch, a started one counts as a whole; null if there is
        none), then strings, as many as the widest kind needs: ``c0``, ``c1``, … A profile has its attributes there; a membership
        the audience, the status and the last qualification (microseconds since the epoch); an identity the namespace, the id,
        whether it is removed, whether it is the primary one, and its state of authentication; a write the attribute. Memberships
        of all audiences are given; writes only those in the window of mapped attributes, and none without a lower bound.

        :param after: only the ids behind this one.
        """

    def count_changes(self, read: ProfileRead, window: Window, after: str = "") -> int:
        """Count the profiles that :meth:`changes` would give; one that has no row in the table of profiles counts too."""

    def scan(self, relation: Relation, columns: Sequence[Column], *, rows: int = 65_536) -> Generator[pa.RecordBatch, None, None]:
        """Read every row of a table, a view or a query, in whatever order the warehouse gives them, with bounded memory.

        Columns: one string column for each of ``columns`` under its own name, with the texts that :meth:`batches` gives.

        Closing the generator early stops the statement.

        :param columns: at least one.
        :param rows: most rows of a batch; wide rows make batches smaller.
        """

    def count_rows(self, relation: Relation) -> int:
        """Count the rows that :meth:`scan` would give."""

    def clock(self) -> int:
        """Ask for the warehouse's clock: nanoseconds since the epoch."""

    def cancel(self) -> None:
        """Stop the running statement, from any thread; the reader gets :class:`~activation.errors.TransientError`."""

    def close(self) -> None:
        """Give the connection back; after a second call nothing happens."""
