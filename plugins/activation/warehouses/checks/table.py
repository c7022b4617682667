"""Checks of the table that a pipeline is to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from activation.cursor.timestamps import to_text
from activation.cursor.window import Window
from activation.findings import Check, Wrong
from activation.warehouses.base import Extract, Survey, Warehouse
from activation.warehouses.checks.reading import EVERYTHING
from activation.warehouses.sql import LAST

_SHOWN = 3
"""Rows of the preview."""


def table_checks(warehouse: Warehouse, extract: Extract) -> Iterator[Check]:
    """Count the table, look at its cursor, and show the form of its first rows; no value of a row is shown."""
    table = _Table(warehouse, extract)
    yield Check("rows", table.rows)
    yield Check("latest change", table.latest)
    yield Check("rows without a cursor value", table.nulls)
    yield Check("rows of the future", table.future)
    yield Check("rows at the latest change", table.ties)
    for number in range(_SHOWN):
        yield Check(f"row {number + 1}", partial(table.row, number))


class _Table:
    """What is asked once and told in several lines."""

    def __init__(self, warehouse: Warehouse, extract: Extract) -> None:
        self._warehouse = warehouse
        self._extract = extract
        self._taken: Survey | None = None
        self._first: list[dict[str, Any]] | None = None

    def rows(self) -> str:
        return f"{self._warehouse.count(self._extract, EVERYTHING):,}"

    def latest(self) -> str:
        latest = self._survey().latest
        return "none: no row has a cursor value" if latest is None else to_text(latest)

    def nulls(self) -> str:
        count = self._survey().nulls
        return f"{count:,}{'; a run rejects and keeps them' if count else ''}"

    def future(self) -> str:
        now = self._survey().now
        count = self._warehouse.count(self._extract, Window(now, False, LAST, nulls=False))
        return f"{count:,}{'; they wait until their time has come, unless cursor.future is send' if count else ''}"

    def ties(self) -> str:
        latest = self._survey().latest
        if latest is None:
            return "none"
        at = self._warehouse.survey(self._extract, latest).at
        if not at:
            raise Wrong(f"expected at least one row at {to_text(latest)}, but none is found there")
        return f"{at:,}"

    def row(self, number: int) -> str:
        if self._first is None:
            self._first = self._warehouse.preview(self._extract, EVERYTHING, _SHOWN).to_pylist()
        if number >= len(self._first):
            return "there is none"
        values = list(self._first[number].items())[1:]
        return ", ".join(f"{name} {_mask(text)}" for name, text in values)

    def _survey(self) -> Survey:
        if self._taken is None:
            self._taken = self._warehouse.survey(self._extract, None)
        return self._taken


def _mask(text: str | None) -> str:
    """The form of a value without the value."""
    if text is None:
        return "NULL"
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return f"{{{len(value)} keys, {len(text)} characters}}"
    return f"«{len(text)} characters»"
