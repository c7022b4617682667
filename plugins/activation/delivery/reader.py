"""Reads a window as encoded chunks: joins small batches, leaves out what earlier attempts settled, marks what was seen."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from activation.cursor.progress import Progress
from activation.cursor.window import Position, Window
from activation.delivery.sent import Sent
from activation.delivery.units import Chunk, Unit
from activation.records.arrays import to_arrow, to_numpy
from activation.records.digests import Digests
from activation.records.encoded import Encoded, Encoder, Rejected
from activation.warehouses.base import CURSOR, Extract

CHUNK_ROWS = 16_384
CHUNK_BYTES = 16 * 1024 * 1024


class Rows(Protocol):
    """What the reader asks of a warehouse; see :class:`~activation.warehouses.base.Warehouse`."""

    def tick_of(self, extract: Extract) -> int:
        """Give the nanoseconds that one unit of the batches' cursor column stands for."""

    def batches(
        self, extract: Extract, window: Window, after: Position | None = None, *, rows: int = ...
    ) -> Generator[pa.RecordBatch, None, None]:
        """Read the rows of a window in the order ``(cursor NULLS FIRST, key)``."""

    def cancel(self) -> None:
        """Stop the running statement, from any thread."""


@dataclass(frozen=True, slots=True)
class Source:
    """What to read, and from where on.

    :ivar limit: most rows over all tries; reading ends where the next row has another cursor value, so that the watermark never
        comes to stand between rows that share one. ``None`` is without limit.
    """

    warehouse: Rows
    extract: Extract
    window: Window
    start: Progress
    limit: int | None = None


class Reader:
    """Gives the chunks of a source in the order of the rows; closing the iterator stops the warehouse's statement.

    :param digests: finds rows that were sent before; ``None`` unless the ``dedup`` rule is used.
    :param sent: finds items that equal the last ones that were sent; ``None`` unless unchanged rows are skipped.
    """

    def __init__(self, source: Source, encoder: Encoder, digests: Digests | None = None, sent: Sent | None = None) -> None:
        self._source, self._encoder, self._digests, self._sent = source, encoder, digests, sent
        self._key = tuple(column.name for column in source.extract.key)
        self._tick = source.warehouse.tick_of(source.extract)
        self._last: Position | None = None
        self._full = False
        self.rows = 0
        """Rows that were read and given out so far; those that earlier attempts settled do not count."""

    def chunks(self) -> Generator[Chunk, None, None]:
        """Read the window."""
        source = self._source
        batches = source.warehouse.batches(source.extract, source.window, source.start.after, rows=CHUNK_ROWS)
        with closing(batches):
            for batch in _joined(batches):
                rest = self._within(without(batch, source.start.ahead, self._key, self._tick))
                if rest.num_rows:
                    self.rows += rest.num_rows
                    yield self._chunk(rest)
                if self._full:
                    return

    def settle(self, units: Iterable[Unit]) -> None:
        """Take notice of units that are settled, before the progress says so."""
        if self._sent is not None:
            self._sent.settle(units)

    def cancel(self) -> None:
        """Stop the running statement, from any thread."""
        self._source.warehouse.cancel()

    def _within(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows up to the limit, and those behind it that share the last one's cursor value."""
        limit = self._source.limit
        if limit is None or batch.num_rows <= (room := max(0, limit - self._source.start.totals.read - self.rows)):
            return batch
        at = batch.column(CURSOR)[room - 1].as_py() if room else self._ticks_of_last()
        rest = batch.column(CURSOR).slice(room)
        same = rest.is_null() if at is None else pc.fill_null(pc.equal(rest, at), False)
        others = pc.index(same, False).as_py()
        self._full = others >= 0
        return batch.slice(0, room + others) if self._full else batch

    def _ticks_of_last(self) -> int | None:
        last = self._last or self._source.start.after
        return None if last is None or last.at is None else last.at // self._tick

    def _chunk(self, batch: pa.RecordBatch) -> Chunk:
        tick = self._tick
        fresh = _differs(batch, self._key)
        if self._digests is None:
            chunk = Chunk(batch, self._key, tick, self._encoder.encode(batch), fresh)
        else:
            digests = self._digests.of(batch)
            skipped = self._digests.seen(digests)
            chunk = Chunk(batch, self._key, tick, self._encode_but(batch, skipped), fresh, skipped, digests)
        fresh[0] = chunk.place(0) != self._last
        self._last = chunk.place(batch.num_rows - 1)
        return chunk if self._sent is None else self._but_sent(chunk, self._sent, self._last)

    @staticmethod
    def _but_sent(chunk: Chunk, sent: Sent, last: Position) -> Chunk:
        """Leave out the items that equal the last ones that were sent."""
        encoded, rows = sent.pass_on(chunk.encoded, last)
        skipped = np.zeros(chunk.batch.num_rows, np.bool_) if chunk.skipped is None else chunk.skipped
        skipped[rows] = True
        return replace(chunk, encoded=encoded, skipped=skipped)

    def _encode_but(self, batch: pa.RecordBatch, skipped: npt.NDArray[np.bool_]) -> Encoded:
        """Encode the rows that are not skipped, and say of each where it stands in the whole batch."""
        if not skipped.any():
            return self._encoder.encode(batch)
        kept = np.flatnonzero(~skipped)
        part = self._encoder.encode(batch.take(to_arrow(kept)))
        rejected = tuple(Rejected(int(kept[one.row]), one.code, one.message) for one in part.rejected)
        return Encoded(part.data, part.offsets, kept[part.rows], part.keys, rejected, part.groups)


def without(
    batch: pa.RecordBatch, ranges: tuple[tuple[Position, Position], ...], key: tuple[str, ...], tick: int
) -> pa.RecordBatch:
    """Leave out the rows that lie in settled ranges, each ``(after this place, up to and including this one)``."""
    for start, end in ranges:
        inside = pc.and_(_behind(batch, start, key, tick), pc.invert(_behind(batch, end, key, tick)))
        batch = batch.filter(pc.invert(inside))
    return batch


def _behind(batch: pa.RecordBatch, place: Position, key: tuple[str, ...], tick: int) -> pa.Array:
    """Which rows stand behind a place, in the order ``(cursor NULLS FIRST, key)``."""
    cursor = batch.column(CURSOR)
    if place.at is None:
        later, same = cursor.is_valid(), cursor.is_null()
    else:
        at = place.at // tick
        later, same = (pc.fill_null(compare(cursor, at), False) for compare in (pc.greater, pc.equal))
    for name, value in zip(key, place.key, strict=True):
        text = pc.fill_null(batch.column(name), "")
        later = pc.or_(later, pc.and_(same, pc.greater(text, value)))
        same = pc.and_(same, pc.equal(text, value))
    return later


def _differs(batch: pa.RecordBatch, key: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Whether each row stands at another place than the one before it; the first row counts as different."""
    differs = np.ones(batch.num_rows, np.bool_)
    if batch.num_rows > 1:
        same: pa.Array | None = None
        for column in (pc.fill_null(batch.column(CURSOR), -(2**63)), *(pc.fill_null(batch.column(name), "") for name in key)):
            equal = pc.equal(column.slice(1), column.slice(0, batch.num_rows - 1))
            same = equal if same is None else pc.and_(same, equal)
        differs[1:] = ~to_numpy(same, np.bool_)
    return differs


def _joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Join small batches, so that requests are full and the work per batch is shared by many rows."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= CHUNK_ROWS or size >= CHUNK_BYTES:
            yield from _one(waiting)
            waiting, rows, size = [], 0, 0
    yield from _one(waiting)


def _one(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if len(batches) == 1:
        yield batches[0]
    elif batches:
        yield from pa.Table.from_batches(batches).combine_chunks().to_batches()
