"""Databricks SQL, through the connector that the official hook hands out; needs Databricks SQL or Runtime 16.1 for collations."""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa

from activation.errors import TransientError
from activation.warehouses import sql
from activation.warehouses.arrow import reshape
from activation.warehouses.base import Column, Extract, Relation, Session
from activation.warehouses.databricks_errors import map_error
from activation.warehouses.databricks_statements import Client
from activation.warehouses.statements import StatementWarehouse

__all__ = ["DIALECT", "DatabricksWarehouse", "map_error"]

_JSON = (
    "to_json({column}, map('timeZone', 'UTC', 'ignoreNullFields', 'false', "
    "'timestampFormat', \"yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX\", 'timestampNTZFormat', \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\"))"
)
"""By default to_json drops nulls and cuts instants to milliseconds."""


def _cursor(kind: str, ticks: str, **rest: Any) -> sql.CursorType:
    return sql.CursorType(ticks, f"CAST({{value}} AS {kind})", unbounded=True, **rest)


DIALECT = sql.Dialect(
    cursors={
        "date": _cursor("DATE", "CAST(unix_date({column}) AS BIGINT) * 86400000000", grain=sql.DAY),
        "timestamp": _cursor("TIMESTAMP", "unix_micros({column})", zone="Z"),
        "timestamp_ntz": _cursor("TIMESTAMP_NTZ", "unix_micros(CAST({column} AS TIMESTAMP))"),
    },
    now="unix_micros(current_timestamp())",
    text="CAST({column} AS STRING)",
    json=(
        (r"^(struct|map|array)<", _JSON),
        (r"^variant", "to_json({column}, map('timeZone', 'UTC'))"),
        (r"^timestamp$", "CONCAT(CAST({column} AS STRING), '+00')"),
        (r"^binary", "hex({column})"),  # as a text, bytes that are not UTF-8 would be lost
    ),
    # Arrow writes a decimal with more than six digits behind the point with an exponent, if it is small.
    native=r"^(tinyint|smallint|int|bigint|boolean|date|decimal\(\d+,[0-6]\))$",
    typed=r"^(tinyint|smallint|int|bigint|boolean|date|float|double|decimal\(|timestamp)",
    collation=" COLLATE UTF8_BINARY",
    equality=" COLLATE UTF8_BINARY",
    among="array_contains(from_json({texts}, 'array<string>'), {value})",  # a statement takes at most 255 parameters
    quote="`",
    slot="pmod(xxhash64({text}), {of})",
)
"""Conversions take the session's time zone for UTC, which :meth:`DatabricksWarehouse._prepare` sets."""

_FETCH_ROWS = 512
"""Most rows of one fetch. The client joins result files until it has them, whatever their size: 500 MB with rows of 1 MB."""

_FETCH_BYTES = 8 * 1024 * 1024
"""Bytes that one fetch aims at, by the size of the rows before it."""

_BUFFER_BYTES = 32 * 1024 * 1024
"""Most bytes that the warehouse puts into one answer; the connector's own bound is 100 MB."""

_DOWNLOADS = 4
"""Result files, about 20 MB each, that are fetched ahead of the reader: measured, four take 230 MB in all, the connector's own
ten 430 MB."""

_POLL_SECONDS = (0.02, 0.2)
"""First and longest pause between two questions after a statement's state; the warehouse holds each question a little itself."""

_LONGEST_TIMEOUT = 172_800
"""Most seconds that STATEMENT_TIMEOUT takes, two days (Databricks SQL reference)."""

_CANCELLED = "The read from Databricks was cancelled."

_ANY = Session()


class _Statement:
    """One cursor, and whether it was stopped."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.stopped = threading.Event()

    def run(self, text: str, params: tuple[str, ...] = ()) -> None:
        """Start a statement and wait for its rows.

        It is sent so that the answer comes at once: the connector does not know a statement before its first answer, and one
        that it does not know cannot be cancelled. Only this thread talks to the warehouse, so a cancellation waits for nobody.
        """
        self.cursor.execute_async(text, list(params) or None)
        pause, longest = _POLL_SECONDS
        try:
            while self.cursor.is_query_pending():
                if self.stopped.wait(pause):
                    raise TransientError(_CANCELLED)
                pause = min(2 * pause, longest)
        except BaseException:
            with suppress(Exception):  # what went wrong before is the reason that is told
                self.cursor.cancel()
            raise
        self.cursor.get_async_execution_result()

    def read(self, rows: int) -> Iterator[pa.RecordBatch]:
        """Fetch until nothing comes any more."""
        size = min(rows, 32)
        while (table := self.cursor.fetchmany_arrow(size)).num_rows:
            if self.stopped.is_set():
                raise TransientError(_CANCELLED)
            fitting = _FETCH_BYTES * table.num_rows // max(1, table.nbytes)
            size = max(1, min(rows, _FETCH_ROWS, 4 * size, fitting))
            yield from table.to_batches()


class DatabricksWarehouse(StatementWarehouse):
    """Reads through fresh cursors of a session, so that other statements can run while a window is read.

    :param connection: a ``databricks.sql.client.Connection``, or a client that has one. The extra field ``max_download_threads``
        says how many result files it holds in memory.
    :param session: its tag stands as a comment before each statement; its time-out is the session's STATEMENT_TIMEOUT, in whole
        seconds, which SQL warehouses know and clusters for all purposes do not.
    """

    dialect = DIALECT

    def __init__(self, connection: Any, session: Session = _ANY) -> None:
        self.client = connection if isinstance(connection, Client) else Client(connection)
        self.comment, self.timeout = session.comment(), session.timeout
        self._connection = self.client.connection
        self._settings = ["SET TIME ZONE 'UTC'"]
        if session.timeout is not None:
            seconds = min(max(1, math.ceil(session.timeout)), _LONGEST_TIMEOUT)
            self._settings.append(f"SET STATEMENT_TIMEOUT = {seconds}")
        if "max_download_threads" not in session.options:
            # The connector takes the number only while it connects, which the hook has done.
            self._connection.session.backend._max_download_threads = _DOWNLOADS
        self._running: set[_Statement] = set()
        self._lock = threading.Lock()

    def columns(self, table: Relation) -> tuple[Column, ...]:
        """List the columns of a table, a view or a query in their order."""
        text = f"DESCRIBE QUERY SELECT * FROM {DIALECT.table(table)} AS src"
        with self._statement(table, sql.Statement(text, ())) as running:
            found = running.cursor.fetchall_arrow()
        return tuple(map(Column, found.column(0).to_pylist(), found.column(1).to_pylist()))

    def cancel(self) -> None:
        """Stop the running statements, from any thread; each reader tells the warehouse as soon as it has an answer from it."""
        with self._lock:
            for statement in self._running:
                statement.stopped.set()

    def close(self) -> None:
        """End the session, and with it what still runs."""
        self.cancel()
        with suppress(Exception):  # a session that is lost is closed too
            self._connection.close()

    def _row(self, extract: Extract, statement: sql.Statement) -> list[Any]:
        with self._statement(extract.table, statement) as running:
            return [column[0].as_py() for column in running.cursor.fetchall_arrow().columns]

    def _stream(
        self, extract: Extract, statement: sql.Statement, rows: int, shape: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        with self._statement(extract.table, statement) as running:
            for batch in reshape(running.read(rows), shape, rows):
                if running.stopped.is_set():
                    raise TransientError(_CANCELLED)
                yield batch

    @contextmanager
    def _statement(self, table: Relation, statement: sql.Statement) -> Iterator[_Statement]:
        running = None
        try:
            running = _Statement(self._connection.cursor(buffer_size_bytes=_BUFFER_BYTES))
            with self._lock:
                self._running.add(running)
            self._prepare(running)
            running.run(self.comment + statement.sql, statement.params)
            yield running
        except Exception as error:  # noqa: BLE001 - the connector lets its libraries' errors through
            stopped = running is not None and running.stopped.is_set()
            raise (TransientError(_CANCELLED) if stopped else map_error(error, table)) from None
        finally:
            if running is not None:
                with self._lock:
                    self._running.discard(running)
                with suppress(Exception):  # the rows are here, or the reason why they are not is told already
                    running.cursor.close()

    def _prepare(self, running: _Statement) -> None:
        """Set up the session, once."""
        while self._settings:
            running.run(self.comment + self._settings[0])
            del self._settings[0]
