"""What every engine does alike: the questions of a run become statements of its dialect, and their rows become answers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa

from activation.cursor.window import Position, Window
from activation.warehouses import profiles, profiles_sql, sql
from activation.warehouses.arrow import schema
from activation.warehouses.base import Column, Extract, Relation, Survey
from activation.warehouses.profiles import ProfileRead
from activation.warehouses.typed import field_of, fitted

_CHANGES = 16_384
"""Most rows of a batch of changed profiles."""

_CLOCK = Extract(("the clock",), Column("", ""), (), ())
"""What an error says that was read."""


class StatementWarehouse(ABC):
    """The part of a :class:`~activation.warehouses.base.Warehouse` that an engine does not have to write.

    An engine says how one row and how a stream of rows is read; connecting, cancelling and errors are its own.
    """

    dialect: ClassVar[sql.Dialect]

    def tick_of(self, extract: Extract) -> int:
        """Nanoseconds of one unit of the cursor column."""
        return self.dialect.cursor(extract.cursor).tick

    def slicing(self, extract: Extract) -> str:
        """Say how slices are told apart; see :class:`~activation.warehouses.base.Warehouse`."""
        return "" if extract.slice is None else sql.Writer(self.dialect, extract).slot(extract.slice)

    def survey(self, extract: Extract, at: int | None) -> Survey:
        """Take the counts of :class:`~activation.warehouses.base.Survey`."""
        now, equal, nulls, latest = self._row(extract, sql.survey(self.dialect, self._located(extract), at))
        return Survey(int(now) * 1_000, int(equal), int(nulls), None if latest is None else int(latest) * self.tick_of(extract))

    def count(self, extract: Extract, window: Window, after: Position | None = None) -> int:
        """Count the rows that :meth:`batches` would give."""
        return int(self._row(extract, sql.count(self.dialect, self._located(extract), window, after))[0])

    def preview(self, extract: Extract, window: Window, rows: int) -> pa.Table:
        """Read the first rows of a window."""
        statement = sql.select(self.dialect, self._located(extract), window, limit=rows)
        return pa.Table.from_batches(self._stream(extract, statement, rows, schema(extract)), schema(extract))

    def batches(
        self, extract: Extract, window: Window, after: Position | None = None, *, rows: int = 16_384
    ) -> Generator[pa.RecordBatch, None, None]:
        """Read the rows of a window in order; see :class:`~activation.warehouses.base.Warehouse`."""
        statement = sql.select(self.dialect, self._located(extract), window, after)
        return self._stream(extract, statement, rows, schema(extract))

    def typed(self, extract: Extract, window: Window, *, rows: int = 65_536) -> Generator[pa.RecordBatch, None, None]:
        """Read the rows of a window in order, each column in its own type; see :class:`~activation.warehouses.base.Warehouse`."""
        statement = sql.select(self.dialect, self._located(extract), window, typed=True)
        fields = [field_of(column) for column in extract.values]
        taken = [self._taken(column, field) for column, field in zip(extract.values, fields, strict=True)]
        with closing(self._stream(extract, statement, rows, pa.schema(taken))) as read:
            yield from fitted(read, pa.schema(fields))

    def changes(self, read: ProfileRead, window: Window, after: str = "") -> Generator[pa.RecordBatch, None, None]:
        """Read the changed profiles; see :class:`~activation.warehouses.base.Warehouse`."""
        statement = profiles_sql.changes(self.dialect, self._placed(read), window, after)
        stream = self._stream(read.tables.profiles.extract, statement, _CHANGES, profiles.raw(read))
        with closing(stream) as batches:
            yield from profiles.settled(batches, read, self.tick_of)

    def count_changes(self, read: ProfileRead, window: Window, after: str = "") -> int:
        """Count the profiles that :meth:`changes` would give."""
        statement = profiles_sql.count_changes(self.dialect, self._placed(read), window, after)
        return int(self._row(read.tables.profiles.extract, statement)[0])

    def scan(self, relation: Relation, columns: Sequence[Column], *, rows: int = 65_536) -> Generator[pa.RecordBatch, None, None]:
        """Read every row in no order; see :class:`~activation.warehouses.base.Warehouse`."""
        extract = self._located(sql.whole(relation, columns))
        shape = pa.schema([pa.field(column.name, pa.string()) for column in columns])
        return self._stream(extract, sql.scan(self.dialect, extract.table, columns), rows, shape)

    def count_rows(self, relation: Relation) -> int:
        """Count every row."""
        extract = self._located(sql.whole(relation))
        return int(self._row(extract, sql.count_rows(self.dialect, extract.table))[0])

    def clock(self) -> int:
        """Ask for the warehouse's clock: nanoseconds since the epoch."""
        return int(self._row(_CLOCK, sql.Statement(f"SELECT {self.dialect.now}", ()))[0]) * 1_000

    def _placed(self, read: ProfileRead) -> ProfileRead:
        """The same read under the names of the tables that the engine knows."""
        return replace(read, tables=read.tables.under(lambda table: self._located(table.extract).table))

    def _taken(self, column: Column, field: pa.Field) -> pa.Field:
        """How a column is asked of :meth:`_stream`: as it is in the end, or as text."""
        native = self.dialect.typed and re.search(self.dialect.typed, column.type.lower())
        return field if native else field.with_type(pa.string())

    def _located(self, extract: Extract) -> Extract:
        """The same extract under the name that the engine knows; an engine that folds names looks it up here."""
        return extract

    @abstractmethod
    def _row(self, extract: Extract, statement: sql.Statement) -> Sequence[Any]:
        """Run a statement that gives one row."""

    @abstractmethod
    def _stream(
        self, extract: Extract, statement: sql.Statement, rows: int, shape: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        """Run a statement and give its rows in batches of this shape; nothing runs before the first one is asked for."""
