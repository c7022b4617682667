"""Cuts one stream of rows into parts, each of which is one object (contracts: s3_export 3.2, 3.7)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from activation.destinations.s3.formats import Format, open_encoder
from activation.destinations.s3.writer import Blocks, Encoder, Sink, check_columns
from activation.errors import ConfigurationError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PartLimit:
    """Where a part ends.

    :ivar rows: most rows of a part; ``None`` for any number.
    :ivar bytes: a part ends with the block of rows at which the object has about this many bytes; ``None`` for any number.
    """

    rows: int | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        :raises ConfigurationError: if a part could hold nothing.
        """
        for limit, what in ((self.rows, "rows"), (self.bytes, "bytes")):
            if limit is not None and limit < 1:
                raise ConfigurationError(f"A part of {limit} {what} can hold nothing.", "Choose 1 or more.")


class PartSink(Sink, Protocol):
    """The object that a part becomes."""

    def finish(self) -> str:
        """Make the object visible; gives its ETag. Called in another thread than ``write``, after its last call."""

    def abort(self) -> None:
        """Leave nothing behind. Called after any failure, also that of ``finish``."""


@dataclass(frozen=True, slots=True)
class Part:
    """A finished part.

    :ivar number: counts from 0.
    :ivar bytes: of the object.
    :ivar sha256: of the object, hexadecimal.
    """

    number: int
    rows: int
    bytes: int
    sha256: str
    etag: str


class _Tap:
    """Counts and hashes what goes into a sink."""

    def __init__(self, sink: PartSink) -> None:
        self._sink, self._hash, self.bytes = sink, hashlib.sha256(), 0

    def write(self, data: bytes | memoryview | pa.Buffer) -> Any:
        self._hash.update(data)
        self.bytes += len(data)
        return self._sink.write(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@dataclass(slots=True)
class _Open:
    """The part that is being written."""

    sink: PartSink
    tap: _Tap
    encoder: Encoder
    rows: int = 0


class Parts:
    """Writes rows into parts. Where one ends follows from the rows alone; no rows give no part.

    While the last bytes of a part are on their way, the next one is encoded. After an error nothing stays open: the parts that
    were not finished are aborted.

    :param open_part: opens the object of the part of that number, from 0 without gaps.
    """

    def __init__(self, form: Format, schema: pa.Schema, limit: PartLimit, open_part: Callable[[int], PartSink]) -> None:
        self._form, self._schema, self._limit, self._open_part = form, schema, limit, open_part
        self._blocks = Blocks()
        self._open: _Open | None = None
        self._finishing: tuple[PartSink, Future[Part]] | None = None
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="finish")
        self._parts: list[Part] = []
        self._opened = self._nonfinite = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Take the next rows.

        :raises FatalError: if the columns are not those of the export.
        """
        with self._or_abort():
            check_columns(batch, self._schema)
            while batch.num_rows:
                room = self._room(batch.num_rows)
                for block in self._blocks.add(batch.slice(0, room)):
                    self._put(block)
                batch = batch.slice(room)
                if self._room(1) == 0:
                    self._end()

    def close(self) -> list[Part]:
        """End the last part, and wait until every part is finished; gives them in order."""
        with self._or_abort():
            self._end()
            self._settle()
        self._finisher.shutdown()
        return self._parts

    def abort(self) -> None:
        """Abort what is not finished; finished parts stay."""
        opened, self._open = self._open, None
        finishing, self._finishing = self._finishing, None
        if opened is not None:
            _try(opened.encoder.abort)
            _try(opened.sink.abort)
        if finishing is not None and finishing[1].exception() is not None:
            _try(finishing[0].abort)
        self._finisher.shutdown()

    @property
    def nonfinite(self) -> int:
        """How many NaN and infinite doubles were written as null, because JSON has no word for them."""
        return self._nonfinite + (self._open.encoder.nonfinite if self._open else 0)

    def _room(self, rows: int) -> int:
        """How many of so many rows the part can still take."""
        if self._limit.rows is None:
            return rows
        return min(rows, self._limit.rows - self._blocks.rows - (self._open.rows if self._open else 0))

    def _put(self, block: pa.RecordBatch) -> None:
        if self._open is None:
            self._open = self._begin()
        self._open.encoder.write(block)
        self._open.rows += block.num_rows
        if self._limit.bytes is not None and self._open.encoder.size >= self._limit.bytes:
            self._finish(self._open)

    def _begin(self) -> _Open:
        sink = self._open_part(self._opened)
        self._opened += 1
        tap = _Tap(sink)
        try:
            return _Open(sink, tap, open_encoder(self._form, self._schema, tap))
        except BaseException:
            sink.abort()
            raise

    def _end(self) -> None:
        for block in self._blocks.rest():
            self._put(block)
        if self._open is not None:
            self._finish(self._open)

    def _finish(self, opened: _Open) -> None:
        opened.encoder.close()
        self._nonfinite += opened.encoder.nonfinite
        self._settle()
        number = self._opened - 1

        def finish() -> Part:
            return Part(number, opened.rows, opened.tap.bytes, opened.tap.sha256, opened.sink.finish())

        self._open, self._finishing = None, (opened.sink, self._finisher.submit(finish))

    def _settle(self) -> None:
        """Wait for the part that is being finished."""
        if self._finishing is not None:
            self._parts.append(self._finishing[1].result())
            self._finishing = None

    @contextmanager
    def _or_abort(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.abort()
            raise


def _try(abort: Callable[[], None]) -> None:
    """Abort one thing; the rest is to be aborted too, and the error that led here is the one to raise."""
    try:
        abort()
    except Exception as error:  # noqa: BLE001 - whatever it is, see above
        log.warning("Something may be left of a part that was given up: %s", error)
