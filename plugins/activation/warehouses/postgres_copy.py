"""Bulk reading from PostgreSQL: COPY in the background, whole rows in bounded chunks, parsed into Arrow column by column."""

from __future__ import annotations

import queue
import selectors
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import csv

from activation.errors import ConfigurationError, FatalError, TransientError
from activation.warehouses.sql import Statement

CHUNK_BYTES = 8 * 1024 * 1024
"""Most bytes of a chunk as CSV, unless one row is larger. At most five chunks are in memory at a time."""

_WAITING = 2
"""Chunks that wait for the reader; behind them the COPY waits, and through the socket the server does."""

CANCELLED = "The read from PostgreSQL was cancelled."

COPY = "COPY ({sql}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole rows as CSV."""

    data: bytearray
    rows: int


class Copy:
    """Runs a COPY in the background and gives its rows in chunks.

    The server sends each row as one message (PostgreSQL's protocol, CopyData), so a chunk never cuts a row, however long it is.

    :param run: runs the statement and hands each row to the object's ``write``.
    :param failures: what ``run`` may raise; it is raised again in the reader.
    :param rows: most rows of a chunk.
    """

    def __init__(self, run: Callable[[Copy], None], failures: tuple[type[Exception], ...], rows: int) -> None:
        self._run, self._failures, self._rows = run, failures, rows
        self._held = bytearray()
        self._count = 0
        self._ready: queue.Queue[Chunk | None] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._complete = False
        self._error: Exception | None = None
        # A daemon, so that an abandoned read does not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="postgres-copy", daemon=True)

    def chunks(self) -> Iterator[Chunk]:
        """Start, and give the chunks in order; raises what the statement raised."""
        self._thread.start()
        while not self._stopped.is_set() and (chunk := self._ready.get()) is not None:
            yield chunk
        self._thread.join()
        if self._stopped.is_set():
            raise TransientError(CANCELLED)
        if self._error is not None:
            raise self._error
        if not self._complete:
            raise FatalError("Reading from PostgreSQL ended before its end was seen.")

    def stop(self, cancel: Callable[[], None]) -> None:
        """Give up what is not read yet and wait until nothing uses the connection any more; a second time nothing happens.

        :param cancel: cancels the statement on the server; called only if it may still run.
        """
        self._stopped.set()
        while not self._ready.empty():
            self._ready.get_nowait()
        if self._thread.is_alive():
            cancel()
            self._thread.join()

    def write(self, row: Any) -> None:
        """Take one row; the drivers call this."""
        if self._stopped.is_set():
            return
        if self._count and (self._count >= self._rows or len(self._held) + len(row) > CHUNK_BYTES):
            self._hand_over()
        self._held += row
        self._count += 1

    def _hand_over(self) -> None:
        chunk = Chunk(self._held, self._count)
        self._held, self._count = bytearray(), 0
        self._ready.put(chunk)

    def _work(self) -> None:
        try:
            self._run(self)
            if self._held and not self._stopped.is_set():
                self._hand_over()
            self._complete = True
        except self._failures as error:
            self._error = error
        finally:
            with suppress(queue.Full):
                self._ready.put(None, block=not self._stopped.is_set())


def parse(chunk: Chunk, shape: pa.Schema) -> pa.RecordBatch:
    """Turn a chunk into a batch; the columns are taken by position.

    An unquoted empty field is NULL and a quoted one the empty text, as COPY writes them. If some value does not fit its column's
    type, the columns come as texts, truth values excepted, so that the reader can say which one it was.
    """
    try:
        table = _read(chunk, shape)
    except pa.ArrowInvalid:
        shape = pa.schema([field if pa.types.is_boolean(field.type) else field.with_type(pa.string()) for field in shape])
        try:
            table = _read(chunk, shape)
        except pa.ArrowInvalid as error:
            raise ConfigurationError(
                f"PostgreSQL gave text that is not UTF-8 ({type(error).__name__}).",
                "Use a database whose encoding is UTF8, or convert the column in a view.",
            ) from None
    if table.num_rows != chunk.rows:
        raise FatalError(f"PostgreSQL sent {chunk.rows} rows, but {table.num_rows} were understood.")
    columns = [column.combine_chunks() for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=shape)


def _read(chunk: Chunk, shape: pa.Schema) -> pa.Table:
    names = [str(number) for number in range(len(shape))]
    return csv.read_csv(
        pa.BufferReader(chunk.data),
        read_options=csv.ReadOptions(column_names=names, block_size=len(chunk.data) + 1, use_threads=False),
        # Where blocks end is all that newlines_in_values is about, and there is only one; without it reading is twice as fast.
        parse_options=csv.ParseOptions(newlines_in_values=False, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict(zip(names, shape.types, strict=True)),
            null_values=[""],
            true_values=["t", "true"],
            false_values=["f", "false"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def psycopg2_cursor(connection: Any) -> Any:
    """Open a cursor that gives tuples, whatever the hook's connection says."""
    from psycopg2.extensions import cursor

    return connection.cursor(cursor_factory=cursor)


def bare(text: str) -> str:
    """A statement without parameters as it is sent: the drivers leave it as it stands then, doubled percent signs and all."""
    return text.replace("%%", "%")


def psycopg2_copy(connection: Any, statement: Statement, comment: str = "") -> Callable[[Copy], None]:
    """Prepare a COPY through psycopg2."""

    def run(target: Copy) -> None:
        with psycopg2_cursor(connection) as cursor:
            text = comment + COPY.format(sql=statement.sql)
            whole = cursor.mogrify(text, statement.params).decode() if statement.params else bare(text)
            cursor.copy_expert(whole, target)

    return run


def psycopg3_cursor(connection: Any) -> Any:
    """Open a cursor that gives tuples, whatever the hook's connection says."""
    from psycopg.rows import tuple_row

    return connection.cursor(row_factory=tuple_row)


def psycopg3_copy(connection: Any, statement: Statement, comment: str = "") -> Callable[[Copy], None]:
    """Prepare a COPY through psycopg 3."""

    def run(target: Copy) -> None:
        text = comment + COPY.format(sql=statement.sql)
        query = text if statement.params else bare(text)
        with psycopg3_cursor(connection) as cursor, cursor.copy(query, statement.params):
            _drain(connection.pgconn, target)

    return run


def _drain(server: Any, target: Copy) -> None:
    """Read a COPY by libpq's own calls: all rows that have arrived, then a wait. The driver's ``read`` waits for each row."""
    with selectors.DefaultSelector() as selector:
        selector.register(server.socket, selectors.EVENT_READ)
        while (got := server.get_copy_data(1))[0] >= 0:
            if got[0]:
                target.write(got[1])
            else:
                selector.select()
                server.consume_input()
        while server.is_busy():
            selector.select()
            server.consume_input()
    _finish(server)


def _finish(server: Any) -> None:
    """Take the results behind the rows, which are there.

    :raises psycopg.Error: what the statement ended with.
    """
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus

    failed = None
    while (result := server.get_result()) is not None:
        if result.status != ExecStatus.COMMAND_OK:
            failed = failed or error_from_result(result)
    if failed is not None:
        raise failed


def batches(copy: Copy, shape: pa.Schema, cancel: Callable[[], None]) -> Generator[pa.RecordBatch, None, None]:
    """Read a COPY as batches; closing the generator cancels it."""
    try:
        for chunk in copy.chunks():
            yield parse(chunk, shape)
    finally:
        copy.stop(cancel)
