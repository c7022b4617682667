"""Checks of types: a cursor value becomes a watermark and finds itself again; a value arrives as its exact text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import partial

from activation.cursor.timestamps import from_text, to_text
from activation.cursor.window import Window
from activation.findings import Check, Wrong, expect
from activation.warehouses.base import Warehouse
from activation.warehouses.checks.reading import EVERYTHING, extract_of, literals, rows_of
from activation.warehouses.checks.samples import Samples, Value
from activation.warehouses.sql import LAST


def type_checks(warehouse: Warehouse, samples: Samples) -> Iterator[Check]:
    """Every cursor type of the dialect, then the values."""
    for name, (sql, watermark) in samples.cursors.items():
        yield Check(f"cursor {name}", partial(_cursor, warehouse, samples, sql, watermark))
    for value in samples.values:
        yield Check(f"value {value.name}", partial(_value, warehouse, samples, value))


def _cursor(warehouse: Warehouse, samples: Samples, sql: str, watermark: str) -> str:
    extract = extract_of(warehouse, literals([(sql, f"CAST('1' AS {samples.text})")], ("u", "id")))
    rows = rows_of(warehouse, extract)
    expect(len(rows), 1, "rows:")
    at = rows[0].place.at
    if at is None:
        raise Wrong(f"expected {watermark}, but the value reads as none")
    expect(to_text(at), watermark)
    latest = warehouse.survey(extract, at)
    expect((latest.latest, latest.at), (at, 1), "greatest value and rows at it:")
    mark = from_text(to_text(at))
    expect(warehouse.count(extract, Window(mark, True, LAST, False)), 1, "rows from the watermark on:")
    expect(warehouse.count(extract, Window(mark, False, LAST, False)), 0, "rows after the watermark:")
    expect(warehouse.count(extract, Window(None, True, mark, False)), 1, "rows up to the watermark:")
    return f"{extract.cursor.type}: {watermark}"


def _value(warehouse: Warehouse, samples: Samples, value: Value) -> str:
    instant = samples.instant.format(at="2026-07-19 00:00:01")
    extract = extract_of(warehouse, literals([(instant, f"CAST('1' AS {samples.text})", value.sql)], ("u", "id", "v")))
    rows = rows_of(warehouse, extract, EVERYTHING)
    expect(len(rows), 1, "rows:")
    text = rows[0].values[1]
    if text is None or not _same(text, value):
        raise Wrong(f"expected {value.want!r}, but got {text!r}")
    return f"{extract.values[1].type}: {text}"


def _same(text: str, value: Value) -> bool:
    """Whether the text that arrived means what was asked for; a JSON value with its kinds, so 1 is neither true nor 1.0."""
    if value.kind == "number":
        try:
            return Decimal(text) == Decimal(value.want) and "e" not in text.lower()
        except InvalidOperation:
            return False
    if value.kind == "json":
        try:
            return json.dumps(json.loads(text), sort_keys=True) == json.dumps(json.loads(value.want), sort_keys=True)
        except ValueError:
            return False
    return text == value.want
