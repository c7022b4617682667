"""Small reads for the checks: a query of literals, and its rows as places and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from activation.cursor.window import Position, Window
from activation.warehouses.base import Extract, Query, Warehouse
from activation.warehouses.sql import LAST

EVERYTHING = Window(lower=None, closed=True, upper=LAST, nulls=True)


@dataclass(frozen=True, slots=True)
class Row:
    """A row as a run would see it.

    :ivar place: cursor and key.
    :ivar values: the value columns as texts.
    """

    place: Position
    values: tuple[str | None, ...]


def literals(rows: Sequence[Sequence[str]], names: Sequence[str]) -> Query:
    """Write a query that gives these expressions, row by row; every engine knows UNION ALL, but each its own VALUES."""
    columns = [", ".join(f"{one} AS {name}" for one, name in zip(row, names, strict=True)) for row in rows]
    return Query(" UNION ALL ".join(f"SELECT {row}" for row in columns))


def extract_of(warehouse: Warehouse, query: Query) -> Extract:
    """Describe a query whose first column is the cursor and whose second is the key; all but the first are values."""
    columns = warehouse.columns(query)
    return Extract(query, columns[0], columns[1:2], columns[1:])


def rows_of(warehouse: Warehouse, extract: Extract, window: Window = EVERYTHING, after: Position | None = None) -> list[Row]:
    """Read a window whole: for a handful of rows."""
    found: list[Row] = []
    tick = warehouse.tick_of(extract)
    names = [column.name for column in extract.values]
    keys = [names.index(column.name) for column in extract.key]
    for batch in warehouse.batches(extract, window, after):
        for ticks, *values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            at = None if ticks is None else ticks * tick
            found.append(Row(Position(at, tuple(values[key] or "" for key in keys)), tuple(values)))
    return found
