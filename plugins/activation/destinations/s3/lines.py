"""Rows to lines of text in bulk: one SQL projection over a block, whose only column holds the lines (contracts: s3_export 3.6).

A timestamp is ``2026-07-19T09:07:23.000001Z``, always with six digits behind the second, nine where the column has nanoseconds.
A double has the shortest digits that give the same double back, and keeps ``.0``; a decimal has all the digits of its scale.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from activation.records.columnar import Projection
from activation.records.payload import not_strict

JSON_KIND = {b"activation.kind": b"json"}
"""Metadata of a text column whose text is JSON."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A way to write rows as lines.

    :ivar query: SELECT of the column ``line`` from ``batch``, whose columns are ``c0``, ``c1``, … in the order of the schema.
    :ivar header: what stands before the first row.
    :ivar columns: how many columns there are.
    :ivar finite: indexes of the columns whose NaN and infinite doubles become null.
    """

    query: str
    columns: int
    header: bytes = b""
    finite: tuple[int, ...] = ()

    def projection(self) -> Projection:
        """Plan the query; one thread at a time can use it."""
        return Projection(self.query, tuple(f"c{index}" for index in range(self.columns)))


def csv_lines(schema: pa.Schema) -> Lines:
    """CSV as of RFC 4180 with the line end ``\\n``: each text is quoted, so that the empty text, ``""``, is not NULL, which is
    nothing. NaN and infinity are ``nan``, ``inf`` and ``-inf``. In a file of one column NULL is ``""`` too, because readers
    skip an empty line.
    """
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(schema.names)
    values = [_csv_value(f"c{index}", column) for index, column in enumerate(schema)]
    if len(values) == 1:
        values = [f"""coalesce({values[0]}, '""')"""]
    items = ", ',', ".join(values)
    return Lines(f"SELECT concat({items}, E'\\n') AS line FROM batch", len(schema), header.getvalue().encode())


def json_lines(schema: pa.Schema) -> Lines:
    """One JSON object a row, its members in the order of the columns; NULL, NaN and infinity are ``null``.

    The text of a JSON column stands there as it is; text that is no JSON is a string.
    """
    items = []
    for index, column in enumerate(schema):
        key = f"{',' if index else '{'}{json.dumps(column.name, ensure_ascii=False)}:"
        items.append(f"{_literal(key)}, coalesce({_json_value(f'c{index}', column)}, 'null')")
    doubles = tuple(index for index, kind in enumerate(schema.types) if pa.types.is_floating(kind))
    return Lines(f"SELECT concat({', '.join(items)}, E'}}\\n') AS line FROM batch", len(schema), finite=doubles)


def lines_of(block: pa.RecordBatch, project: Projection) -> pa.Buffer:
    """The lines of a block, one after the other.

    :param project: as :meth:`Lines.projection` makes it.
    """
    columns = [_readable(column) for column in block.columns]
    table = project(pa.record_batch(columns, names=[f"c{index}" for index in range(len(columns))]))
    text = table["line"].combine_chunks()
    ends = memoryview(text.buffers()[1]).cast("i")
    return text.buffers()[2][ends[text.offset] : ends[text.offset + len(text)]]


def nonfinite(block: pa.RecordBatch, columns: tuple[int, ...]) -> int:
    """Count NaN and infinity."""
    return sum(pc.sum(pc.invert(pc.is_finite(block.column(index)))).as_py() or 0 for index in columns)


def _readable(column: pa.Array) -> pa.Array:
    """Moments as text. Arrow writes them faster than DuckDB does, and many times faster when it does not look at the zone."""
    if pa.types.is_timestamp(column.type):
        text = pc.cast(column.view(pa.timestamp(column.type.unit)), pa.string())
        return pc.replace_substring(text, " ", "T", max_replacements=1)
    return pc.cast(column, pa.string()) if pa.types.is_date(column.type) else column


def _csv_value(name: str, column: pa.Field) -> str:
    if pa.types.is_timestamp(column.type):
        return f"{name} || 'Z'"
    if pa.types.is_string(column.type):
        return f"""'"' || replace({name}, '"', '""') || '"'"""
    return f"CAST({name} AS VARCHAR)"


def _json_value(name: str, column: pa.Field) -> str:
    if pa.types.is_timestamp(column.type):
        return f"""'"' || {name} || 'Z"'"""
    if pa.types.is_date(column.type):
        return f"""'"' || {name} || '"'"""
    if pa.types.is_floating(column.type):
        return f"CASE WHEN isfinite({name}) THEN CAST({name} AS VARCHAR) END"
    if not pa.types.is_string(column.type):
        return f"CAST({name} AS VARCHAR)"
    text = f"CAST(to_json({name}) AS VARCHAR)"
    if (column.metadata or {}).items() >= JSON_KIND.items():
        # What ends a line can stand between the tokens of JSON, never in them.
        spliced = f"translate({name}, E'\\n\\r', '  ')"
        return f"CASE WHEN NOT json_valid({name}) THEN {text} WHEN {not_strict(name)} THEN {text} ELSE {spliced} END"
    return text


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
