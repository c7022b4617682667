"""Rows into a table of PostgreSQL, or of what speaks its language, by COPY."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyarrow import csv

_ROWS = 50_000
"""Rows that are turned into CSV at a time."""


def kind_of(arrow: pa.DataType, types: Mapping[str, str]) -> str:
    """The engine's type for an Arrow type.

    :param types: see :attr:`~sandbox.warehouses.base.WarehouseSandbox.types`.
    :raises TypeError: if there is none: name one for the column.
    """
    tests = (
        ("boolean", pa.types.is_boolean),
        ("integer", pa.types.is_integer),
        ("double", pa.types.is_floating),
        ("decimal", pa.types.is_decimal),
        ("timestamp", pa.types.is_timestamp),
        ("date", pa.types.is_date),
        ("text", lambda one: pa.types.is_string(one) or pa.types.is_large_string(one)),
    )
    found = next((types[name] for name, test in tests if test(arrow)), None)
    if found is None:
        raise TypeError(f"name the engine's own type for {arrow}")
    return found


def replace_table(connection: Any, table: tuple[str, ...], rows: pa.Table, kinds: Mapping[str, str]) -> None:
    """Make a table, and its schema if there is none yet, and fill it.

    :param connection: a psycopg 3 connection in autocommit mode.
    :param kinds: column -> type.
    """
    names = [_quoted(name) for name in rows.column_names]
    columns = ", ".join(f"{name} {kinds[column]}" for name, column in zip(names, rows.column_names, strict=True))
    place = ".".join(map(_quoted, table))
    if len(table) > 1:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(table[-2])}")
    connection.execute(f"DROP TABLE IF EXISTS {place}")
    connection.execute(f"CREATE TABLE {place} ({columns})")
    # Decimals are not what the CSV writer takes; a quoted empty field is the empty text and an unquoted one is NULL.
    plain = rows.cast(
        pa.schema([pa.field(one.name, pa.string() if pa.types.is_decimal(one.type) else one.type) for one in rows.schema])
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {place} ({', '.join(names)}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')") as copy,
    ):
        for batch in plain.to_batches(_ROWS):
            sink = pa.BufferOutputStream()
            csv.write_csv(batch, sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
            copy.write(sink.getvalue().to_pybytes())
    connection.execute(f"ANALYZE {place}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
