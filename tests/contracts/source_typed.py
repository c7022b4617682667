"""The source contract: values in types of their own, for files that have types."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa

from activation.cursor.timestamps import from_text
from activation.warehouses.base import Extract, Warehouse
from activation.warehouses.typed import INSTANT, JSON, field_of
from tests.contracts.sources import EVERYTHING, Engine, reading

FORBIDDEN = ("infinity", "nan", "-infinity", "inf", "-inf")
"""Texts of values that are compared by themselves."""


class TypedContract:
    """What has a type has it in Arrow, and its value is the one of the text."""

    def test_every_type_arrives_as_its_value(self, engine: Engine, warehouse: Warehouse) -> None:
        values = {f"c{n}": one for n, one in enumerate(engine.values) if one.text.lower() not in FORBIDDEN}
        columns = {"id": "varchar", "u": engine.cursors[0].type, **{name: one.type for name, one in values.items()}}
        table = engine.table(columns, [])
        made = ", ".join(f"CAST({value.expression} AS {value.type})" for value in values.values())
        engine.execute(f"INSERT INTO {engine.sql(table)} SELECT 'full', NULL, {made}")
        engine.execute(f"INSERT INTO {engine.sql(table)} ({engine.quoted('id')}) VALUES ('none')")
        found = pa.Table.from_batches(warehouse.typed(reading(warehouse, table).extract, EVERYTHING))
        fields = {column.name: field_of(column) for column in warehouse.columns(table)}
        assert {field.name: field for field in found.schema} == {name: fields[name] for name in found.schema.names}
        full, none = found.to_pylist()
        assert {name: full[name] for name in values} == {name: value_of(one.text, fields[name]) for name, one in values.items()}
        assert {none[name] for name in values} == {None}
        kinds = {field.type for field in found.schema}
        assert {pa.float64(), pa.bool_(), INSTANT} <= kinds
        assert any(pa.types.is_integer(kind) or pa.types.is_decimal(kind) for kind in kinds)

    def test_typed_rows_come_in_the_order_and_the_number_of_the_window(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        rows = [[f"{n:04}", cursor.literal(n // 3 * 1_000_000_000 * 86_400)] for n in range(100)]
        table = engine.table({"id": "varchar", "u": cursor.type}, rows[::-1])
        extract: Extract = reading(warehouse, table).extract
        batches = list(warehouse.typed(extract, EVERYTHING, rows=7))
        assert max(batch.num_rows for batch in batches) <= 7
        assert [row["id"] for batch in batches for row in batch.to_pylist()] == [row[0] for row in rows]


def value_of(text: str, field: pa.Field) -> Any:
    """The value that a text stands for, in plain Python."""
    if field.type == INSTANT:
        zone = text.removesuffix("+00").removesuffix("Z").replace(" ", "T")
        ticks = from_text(zone + ("" if "T" in zone else "T00:00:00") + "Z") // 1_000
        return datetime.fromtimestamp(ticks // 1_000_000, timezone.utc).replace(microsecond=ticks % 1_000_000)
    if pa.types.is_decimal(field.type):
        return Decimal(text)
    if field.type == pa.bool_():
        return {"true": True, "false": False}[text]
    known: dict[pa.DataType, Any] = {pa.int64(): int, pa.float64(): float, pa.date32(): date.fromisoformat, pa.string(): str}
    assert field.metadata in (None, JSON)
    return known[field.type](text)
