"""Columns in their own types: what the engines call them -> a few types of Arrow, and texts -> values in bulk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from activation.errors import FatalError
from activation.warehouses.base import Column

JSON = {b"activation.kind": b"json"}
"""Metadata of a field whose texts are JSON."""

INSTANT = pa.timestamp("us", "UTC")
"""Every instant. Digits behind the microsecond are cut, because readers of Parquet disagree about nanoseconds."""

_MOST_DIGITS = 38

_PLAIN = (
    (r"^bool(ean)?$", pa.bool_()),
    (r"^(u?(tiny|small)int|integer|int|int[1248]|int64|byteint|mediumint|uinteger|bigint)$", pa.int64()),
    (r"^ubigint$", pa.decimal128(20, 0)),
    (r"^(float[48]?|float64|double( precision)?|real)$", pa.float64()),
    (r"^date$", pa.date32()),
    (r"^(timestamp|datetime)", INSTANT),
    (r"^numeric$", pa.string()),  # as many digits as one likes in PostgreSQL; BigQuery's has 38
)

_DECIMAL = re.compile(r"^(?:number|numeric|decimal)\((\d+)(?:,\s*(\d+))?\)")

_NESTED = re.compile(r"\]$|^(json|jsonb|variant|object|array|map|struct|union|super|record)\b")


def field_of(column: Column) -> pa.Field:
    """How a column is typed in Arrow; what has no type of its own there is text, nested values are JSON.

    Whole numbers of up to 18 digits are ``int64``, decimals ``decimal128`` up to 38 digits, instants are in microseconds of UTC.
    """
    kind = column.type.lower()
    if _NESTED.search(kind):
        return pa.field(column.name, pa.string(), metadata=JSON)
    if found := _DECIMAL.match(kind):
        digits, scale = int(found[1]), int(found[2] or 0)
        small = (
            pa.int64() if digits <= 18 and scale == 0 else pa.decimal128(digits, scale) if digits <= _MOST_DIGITS else pa.string()
        )
        return pa.field(column.name, small)
    return pa.field(column.name, next((plain for pattern, plain in _PLAIN if re.search(pattern, kind)), pa.string()))


def fitted(batches: Iterable[pa.RecordBatch], shape: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Turn texts into values of their types; what has its type already stays.

    :param shape: one field for each column, in order.
    :raises FatalError: if a value does not fit the type that the warehouse gave its column.
    """
    for batch in batches:
        columns = [_fit(column, field) for column, field in zip(batch.columns, shape, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=shape)


def _fit(column: pa.Array, field: pa.Field) -> pa.Array:
    if column.type == field.type:
        return column
    try:
        texts = pa.types.is_string(column.type)
        return _instants(column) if texts and field.type == INSTANT else pc.cast(column, field.type)
    except pa.ArrowInvalid as error:
        raise FatalError(f"A value of the column {field.name} is no {field.type}: {error}") from None


def _instants(texts: pa.Array) -> pa.Array:
    """Read ``2026-02-28 09:00:00.123456789+00`` and its shorter forms; without a zone it is UTC."""
    bare = pc.replace_substring_regex(texts, r"(\.\d{6})\d+", r"\1")
    bare = pc.replace_substring_regex(bare, r"(\+00(:?00)?|Z)$", "")
    return pc.cast(bare, pa.timestamp("us")).cast(INSTANT)
