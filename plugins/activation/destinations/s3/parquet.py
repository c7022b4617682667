"""Parquet: blocks are held until they are a row group, which a thread encodes while the next one is gathered."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from activation.destinations.s3.packing import SinkFile
from activation.destinations.s3.writer import Sink, measure

GROUP_BYTES = 128 * 1024 * 1024
"""A row group ends with the block that reaches this many bytes in memory (contracts: s3_export 3.7, S-C2)."""


class ParquetEncoder:
    """An :class:`~activation.destinations.s3.writer.Encoder` of typed columns.

    Beside the columns the file says nothing but who made it: what the readers need of the schema is in Parquet's own types.
    At most two row groups are in memory.

    :param compression: none, snappy or zstd.
    :param rows: of a row group.
    """

    nonfinite = 0

    def __init__(self, schema: pa.Schema, sink: Sink, compression: str, rows: int) -> None:
        self._schema = pa.schema([column.remove_metadata() for column in schema])
        self._compression, self._rows = compression, rows
        self._file = SinkFile(sink)
        self._writer = self._open(pa.PythonFile(self._file, mode="w"))
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="export")
        self._encoding: Future[None] | None = None
        self._held: list[pa.RecordBatch] = []
        self._held_rows = self._held_bytes = 0
        self._taken = self._encoded = self._written = 0
        self._ratio: float | None = None

    def write(self, block: pa.RecordBatch) -> None:
        """Hold a block; start on the row group that it fills."""
        if self._held_rows + block.num_rows >= self._rows:
            head = block.slice(0, self._rows - self._held_rows)
            block = block.slice(head.num_rows)
            self._hold(head)
            self._start()
        if block.num_rows:
            self._hold(block)
        if self._held_bytes >= GROUP_BYTES:
            self._start()

    @property
    def size(self) -> int:
        """What is written, and what is not in the same proportion; that of a sample until a row group is."""
        if not self._encoded and self._ratio is None:
            self._try()
        ratio = self._written / self._encoded if self._encoded else self._ratio or 0.0
        return self._written + int((self._taken - self._encoded) * ratio)

    def close(self) -> None:
        """Write the last row group, and the footer."""
        self._start()
        self._settle()
        self._writer.close()
        self._pool.shutdown()

    def abort(self) -> None:
        """Write nothing more."""
        self._file.detach()
        self._held.clear()
        self._pool.shutdown(cancel_futures=True)
        self._writer.close()

    def _hold(self, block: pa.RecordBatch) -> None:
        size = measure(block)
        self._held.append(block)
        self._held_rows, self._held_bytes = self._held_rows + block.num_rows, self._held_bytes + size
        self._taken += size

    def _start(self) -> None:
        """Encode what is held, as soon as the row group before is written."""
        self._settle()
        if self._held:
            table = pa.Table.from_batches(self._held).cast(self._schema)
            self._held, self._held_rows, self._held_bytes = [], 0, 0
            self._encoding = self._pool.submit(self._writer.write_table, table, self._rows)

    def _settle(self) -> None:
        if self._encoding is not None:
            encoding, self._encoding = self._encoding, None
            encoding.result()
            self._written, self._encoded = self._file.written, self._taken - self._held_bytes

    def _try(self) -> None:
        if self._held:
            file = SinkFile(None)
            with self._open(pa.PythonFile(file, mode="w")) as writer:
                writer.write_table(pa.Table.from_batches(self._held).cast(self._schema))
            self._ratio = file.written / self._held_bytes
        else:
            self._settle()

    def _open(self, file: pa.PythonFile) -> pq.ParquetWriter:
        # Numbers and moments repeat too rarely: without dictionaries they are written twice as fast, and are smaller.
        texts = [column.name for column in self._schema if pa.types.is_string(column.type) or pa.types.is_date(column.type)]
        return pq.ParquetWriter(file, self._schema, compression=self._compression, use_dictionary=texts, store_schema=False)
