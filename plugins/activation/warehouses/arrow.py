"""The one shape of batches: the cursor as int64, the values as strings, bounded by rows and by bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from activation.warehouses.base import CURSOR, Extract

BATCH_BYTES = 32 * 1024 * 1024
"""Most bytes of a batch, unless a single row is larger. Holds 32 payloads of the largest size that Braze takes (braze 1.4)."""


def schema(extract: Extract) -> pa.Schema:
    """Give the schema that :meth:`~activation.warehouses.base.Warehouse.batches` promises."""
    values = [pa.field(column.name, pa.string()) for column in extract.values]
    return pa.schema([pa.field(CURSOR, pa.int64()), *values])


def reshape(batches: Iterable[pa.RecordBatch], shape: pa.Schema, rows: int, size: int = BATCH_BYTES) -> Iterator[pa.RecordBatch]:
    """Regroup batches of any size into full ones; columns are taken by position and keep their order.

    :param rows: most rows of a batch that comes out, at least 1.
    :param size: most bytes of a batch that comes out, unless one row is larger.
    """
    held: list[pa.RecordBatch] = []
    count = used = 0
    for batch in batches:
        columns = [
            # An instant may lose digits behind the microsecond, see :data:`activation.warehouses.typed.INSTANT`.
            column.cast(kind.type, safe=not pa.types.is_timestamp(kind.type))
            for column, kind in zip(batch.columns, shape, strict=True)
        ]
        for piece in _pieces(pa.RecordBatch.from_arrays(columns, schema=shape), rows, size):
            rest = piece
            if held and (count + piece.num_rows > rows or used + piece.nbytes > size):
                if used + piece.nbytes <= size:  # only the rows are too many: fill the batch up
                    held.append(piece.slice(0, rows - count))
                    rest = piece.slice(rows - count)
                yield _joined(held)
                held, count, used = [], 0, 0
            held.append(rest)
            count, used = count + rest.num_rows, used + rest.nbytes
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _pieces(batch: pa.RecordBatch, rows: int, size: int) -> Iterator[pa.RecordBatch]:
    """Halve a batch until each piece fits; an empty batch gives nothing."""
    if batch.num_rows == 1 or (0 < batch.num_rows <= rows and batch.nbytes <= size):
        yield batch
    elif batch.num_rows:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half), rows, size)
        yield from _pieces(batch.slice(half), rows, size)
