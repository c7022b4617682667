"""DuckDB, the embedded warehouse: reads a database file in the worker's own process."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from activation.cursor.timestamps import from_text
from activation.errors import ActivationError, ConfigurationError, FatalError, TransientError
from activation.warehouses import sql
from activation.warehouses.arrow import reshape
from activation.warehouses.base import Column, Extract, Relation, Session, named
from activation.warehouses.statements import StatementWarehouse

_ERRORS = (duckdb.Error, pa.ArrowException, OSError)
"""What a DuckDB statement raises; the Arrow reader turns DuckDB's own errors into OSError."""

_FETCH_ROWS = 2_048
"""Rows of one fetch, one vector of DuckDB: 200 MB with rows of 100 KB. Each takes the interpreter's lock, so fewer go faster."""

_STREAMING_RELATIONS = int(duckdb.__version__.partition(".")[0]) >= 2
"""Up to DuckDB 1.5 the result of ``execute`` streams and a relation with parameters is collected; 2.0 has it the other way."""

_CANCELLED = "The read from DuckDB was cancelled."


def _cursor(kind: str, ticks: str, **rest: Any) -> sql.CursorType:
    return sql.CursorType(ticks, f"CAST({{value}} AS {kind})", unbounded=True, **rest)


DIALECT = sql.Dialect(
    cursors={
        "date": _cursor("DATE", "epoch_us({column})", grain=sql.DAY),
        "timestamp": _cursor("TIMESTAMP", "epoch_us({column})"),
        "timestamp_s": _cursor("TIMESTAMP_S", "epoch_us({column})", grain=1_000_000_000),
        "timestamp_ms": _cursor("TIMESTAMP_MS", "epoch_us({column})", grain=1_000_000),
        # 64 bits of nanoseconds reach from September 1677 to April 2262; the whole years in between are used.
        "timestamp_ns": _cursor(
            "TIMESTAMP_NS",
            "epoch_ns({column})",
            tick=1,
            grain=1,
            first=from_text("1678-01-01T00:00:00Z"),
            last=from_text("2261-12-31T23:59:59.999999999Z"),
        ),
        "timestamp with time zone": _cursor("TIMESTAMP WITH TIME ZONE", "epoch_us({column})", zone="+00"),
    },
    now="epoch_us(now())",
    text="CAST({column} AS VARCHAR)",
    json=((r"^(struct|map|union)\(|^variant|\]$", "CAST(to_json({column}) AS VARCHAR)"),),
    typed=r"^(boolean|u?(tiny|small)int|u?integer|u?bigint|float|double|date|decimal\(\d+,\d+\)|timestamp[^\[]*)$",
    collation=' COLLATE "C"',
    equality=' COLLATE "C"',
    slot="mod(md5_number_lower({text}), {of})",  # the result of hash() may change from version to version
)

_QUOTING = ("Conversion Error", "Invalid Input Error", "Out of Range Error")
"""Kinds whose texts quote the value that did not fit, which belongs to a customer: only the kind is shown."""

_PROBLEMS: tuple[tuple[str, type[ActivationError], str], ...] = (
    ("INTERRUPT Error", TransientError, ""),
    ("Connection Error", TransientError, ""),
    ("TransactionContext Error", TransientError, ""),
    ("HTTP Error", TransientError, ""),
    ("INTERNAL Error", FatalError, ""),
    ("FATAL Error", FatalError, ""),
    ("IO Error: Could not set lock", TransientError, ""),
    ("IO Error", ConfigurationError, "Check the path of the database file, its rights and the space on its disk."),
    ("Catalog Error", ConfigurationError, "Check the name; the hook's connection must point to the file that holds the table."),
    ("Binder Error", ConfigurationError, "Check the names of the columns, and that a view still fits the tables it reads."),
    ("Permission Error", ConfigurationError, "Allow it in the connection's extra field 'config', or read another table."),
    (
        "Out of Memory Error",
        ConfigurationError,
        "Raise memory_limit in the connection's extra field 'config', or lower threads there; rows are sorted whole.",
    ),
)
"""Start of DuckDB's text -> error class and fix. The kinds of DuckDB's exceptions, as their texts name them."""


def map_error(error: Exception, table: Relation = ()) -> Exception:
    """Turn what DuckDB raised into an error of this package; anything else comes back as it is.

    :param table: the table that was read, for the text.
    """
    if not isinstance(error, _ERRORS):
        return error
    text = next(iter(str(error).splitlines()), type(error).__name__)
    if text.startswith(_QUOTING):
        text = text.partition(":")[0]
    place = f"Reading {named(table)} from DuckDB" if table else "Opening the DuckDB file"
    for start, kind, fix in _PROBLEMS:
        if text.startswith(start):
            problem = f"{place} failed: {text}"
            return ConfigurationError(problem, fix) if kind is ConfigurationError else kind(problem)
    return ConfigurationError(f"{place} failed: {text}", "Check the table, or the view and the tables it reads.")


_ANY = Session()


class _Statement:
    """One cursor, and why it was stopped, if it was."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.stopped = ""

    def stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        self.cursor.interrupt()


class DuckDBWarehouse(StatementWarehouse):
    """Reads through fresh cursors of a connection, so that other statements can run while a window is read.

    :param connection: a ``duckdb.DuckDBPyConnection``. Its ``memory_limit`` bounds the sort, which spills to its
        ``temp_directory``; DuckDB sorts whole rows and holds at least 2,048 of them for each thread.
    :param session: its tag is not used, since an embedded engine keeps no history.
    """

    dialect = DIALECT

    def __init__(self, connection: Any, session: Session = _ANY) -> None:
        self._connection, self._timeout = connection, session.timeout
        self._running: set[_Statement] = set()
        self._lock = threading.Lock()

    def columns(self, table: Relation) -> tuple[Column, ...]:
        """List the columns of a table, a view or a query in their order."""
        with self._statement(table) as running:
            found = running.cursor.execute(f"DESCRIBE SELECT * FROM {DIALECT.table(table)} AS src").fetchall()
        return tuple(Column(row[0], row[1]) for row in found)

    def cancel(self) -> None:
        """Stop the running statements, from any thread."""
        with self._lock:
            for statement in self._running:
                statement.stop(_CANCELLED)

    def close(self) -> None:
        """Stop what runs and close the connection."""
        self.cancel()
        self._connection.close()

    def _row(self, extract: Extract, statement: sql.Statement) -> Any:
        with self._statement(extract.table) as running:
            return running.cursor.execute(statement.sql, list(statement.params)).fetchone()

    def _stream(
        self, extract: Extract, statement: sql.Statement, rows: int, shape: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        with self._statement(extract.table) as running:
            reader = _reader(running.cursor, statement, min(rows, _FETCH_ROWS))
            try:
                for batch in reshape(reader, shape, rows):
                    if running.stopped:
                        raise TransientError(running.stopped)
                    yield batch
            finally:
                reader.close()

    @contextmanager
    def _statement(self, table: Relation) -> Iterator[_Statement]:
        running = timer = None
        try:
            running = _Statement(self._connection.cursor())
            with self._lock:
                self._running.add(running)
            if self._timeout is not None:
                timer = threading.Timer(self._timeout, running.stop, [f"DuckDB took longer than {self._timeout:g} s to read."])
                timer.daemon = True
                timer.start()
            running.cursor.execute("SET TimeZone = 'UTC'")
            # Otherwise a name that is not in the database would be looked up among Python's variables.
            running.cursor.execute("SET python_enable_replacements = false")
            yield running
        except _ERRORS as error:
            raise (TransientError(running.stopped) if running and running.stopped else map_error(error, table)) from None
        finally:
            if timer is not None:
                timer.cancel()
            if running is not None:
                with self._lock:
                    self._running.discard(running)
                    running.cursor.close()


def _reader(cursor: Any, statement: sql.Statement, rows: int) -> Any:
    if _STREAMING_RELATIONS:
        return cursor.sql(statement.sql, params=list(statement.params)).to_arrow_reader(rows)
    return cursor.execute(statement.sql, list(statement.params)).fetch_record_batch(rows)
