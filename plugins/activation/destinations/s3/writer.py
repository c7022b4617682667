"""What every format shares: batches of any size go in, blocks of fixed ones reach the encoder, so that only the rows decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from activation.errors import FatalError

BLOCK_ROWS = 16_384
"""Rows of a block; with 65,536 the lines are made a tenth faster, for four times the memory."""

BLOCK_BYTES = 8 * 1024 * 1024
"""A block ends with the row that reaches this many bytes (as :func:`measure` counts them)."""


class Sink(Protocol):
    """Takes the bytes of a file."""

    def write(self, data: bytes | memoryview | pa.Buffer) -> Any:
        """Take the next bytes; they stay as they are after the call."""


class Encoder(Protocol):
    """One format: blocks of rows to bytes in a sink."""

    def write(self, block: pa.RecordBatch) -> None:
        """Take the next rows."""

    def close(self) -> None:
        """Write what is left, and free what is held."""

    def abort(self) -> None:
        """Free what is held without writing."""

    @property
    def size(self) -> int:
        """About how many bytes the file would have if it ended here. Follows from the rows alone, not from any timing."""

    @property
    def nonfinite(self) -> int:
        """How many NaN and infinite doubles are written as null, because the format has no word for them."""


class Blocks:
    """Cuts a stream of batches into blocks, wherever the batches end."""

    def __init__(self) -> None:
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take a batch; gives the blocks that it fills."""
        while batch.num_rows:
            piece = batch.slice(0, BLOCK_ROWS - self.rows)
            size = measure(piece)
            full = self._bytes + size >= BLOCK_BYTES
            if full:
                piece = piece.slice(0, _reaching(piece, BLOCK_BYTES - self._bytes))
            batch = batch.slice(piece.num_rows)
            self._held.append(piece)
            self.rows, self._bytes = self.rows + piece.num_rows, self._bytes + size
            if full or self.rows == BLOCK_ROWS:
                yield from self.rest()

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Give what is held, as a block that is not full."""
        held, self._held, self.rows, self._bytes = self._held, [], 0, 0
        if held:
            yield held[0] if len(held) == 1 else pa.concat_batches(held)


class Writer:
    """Writes one file. The bytes follow from the rows alone, however they are cut into batches."""

    def __init__(self, encoder: Encoder, schema: pa.Schema) -> None:
        self._encoder, self._schema = encoder, schema
        self._blocks = Blocks()

    def write(self, batch: pa.RecordBatch) -> None:
        """Take the next rows.

        :raises FatalError: if the columns are not those of the file.
        """
        check_columns(batch, self._schema)
        for block in self._blocks.add(batch):
            self._encoder.write(block)

    def close(self) -> None:
        """Write what is left; the sink stays open."""
        for block in self._blocks.rest():
            self._encoder.write(block)
        self._encoder.close()

    def abort(self) -> None:
        """Free what is held; nothing more is written."""
        self._encoder.abort()


def check_columns(batch: pa.RecordBatch, schema: pa.Schema) -> None:
    """Check that a batch fits the file.

    :raises FatalError: if it does not.
    """
    if not batch.schema.equals(schema):
        raise FatalError(f"The rows changed their columns within the export: from {_listed(schema)} to {_listed(batch.schema)}.")


def measure(batch: pa.RecordBatch) -> int:
    """Bytes of the rows: those of each text, and the width of every other value. It is the same for every way to cut them."""
    texts = (pc.sum(pc.binary_length(column)).as_py() or 0 for column in batch.columns if pa.types.is_string(column.type))
    return int(_width(batch.schema) * batch.num_rows + sum(texts))


def _reaching(batch: pa.RecordBatch, size: int) -> int:
    """How many of the rows it takes to reach so many bytes; there are enough."""
    each = pa.repeat(pa.scalar(_width(batch.schema), pa.int64()), batch.num_rows)
    for column in batch.columns:
        if pa.types.is_string(column.type):
            each = pc.add(each, pc.fill_null(pc.binary_length(column), 0).cast(pa.int64()))
    return 1 + int(pc.sum(pc.less(pc.cumulative_sum(each), size)).as_py())


def _width(schema: pa.Schema) -> int:
    """Bytes of a row without its texts; a text's own place counts 4, a boolean 1."""
    return sum(4 if pa.types.is_string(kind) else max(1, kind.bit_width // 8) for kind in schema.types)


def _listed(schema: pa.Schema) -> str:
    return ", ".join(f"{column.name} {column.type}" for column in schema)
