"""Redshift, through psycopg or through the driver of the official hook: a cursor on the server gives the rows page by page."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import pyarrow as pa

from activation.errors import ConfigurationError, TransientError
from activation.warehouses import sql
from activation.warehouses.arrow import reshape
from activation.warehouses.base import Column, Extract, Relation, Session
from activation.warehouses.redshift_client import Client, type_names
from activation.warehouses.redshift_errors import map_error
from activation.warehouses.statements import StatementWarehouse

__all__ = ["DIALECT", "RedshiftWarehouse", "map_error"]

_MICROSECONDS = (
    "(CAST(EXTRACT(EPOCH FROM DATE_TRUNC('second', {column})) AS BIGINT) * 1000000"
    " + MOD(CAST(EXTRACT(MICROSECONDS FROM {column}) AS BIGINT), 1000000))"
)
"""Exact wherever EXTRACT gives whole seconds, a fraction or a floating-point number, and whether its microseconds hold the
seconds of the minute or not."""


def _cursor(kind: str, **rest: Any) -> sql.CursorType:
    return sql.CursorType(_MICROSECONDS, f"CAST({{value}} AS {kind})", unbounded=True, **rest)


DIALECT = sql.Dialect(
    cursors={
        "date": sql.CursorType(
            "(CAST({column} - CAST('1970-01-01' AS DATE) AS BIGINT) * 86400000000)",
            "CAST({value} AS DATE)",
            grain=sql.DAY,
            unbounded=True,
        ),
        "timestamp without time zone": _cursor("TIMESTAMP"),
        "timestamp with time zone": _cursor("TIMESTAMPTZ", zone="+00"),
    },
    # The start of the statement in whole seconds, which errs to the safe side. CURRENT_TIMESTAMP runs on the leader node only.
    now=_MICROSECONDS.replace("{column}", "GETDATE()"),
    # Without a length a cast is as wide as its input; VARCHAR(n) would cut.
    text="CAST({column} AS VARCHAR)",
    json=(
        (r"^super$", "JSON_SERIALIZE({column})"),
        (r"^bool", "CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' END"),  # no cast from BOOLEAN to VARCHAR
        (r"^varbyte|^bytea", "FROM_VARBYTE({column}, 'hex')"),
    ),
    placeholder="%s",  # never sent: see _text
    slot="MOD(STRTOL(SUBSTRING(MD5({text}), 1, 8), 16), {of})",
)

LIMITS = {
    "page": 32_768,
    "single node": 1_000,
    "first page": 64,
    "growth": 4,
    "page bytes": 8 * 1024 * 1024,
    "query group": 320,
}
"""Sizes. ``page``: rows of a FETCH; ``single node``: what a cluster of one node allows (AWS: DECLARE, usage notes); a read starts
with ``first page`` rows, since their width is not known, and a page has at most ``growth`` times the rows of the one before and
about ``page bytes``; ``query group``: characters that the query history keeps of a label (AWS: SYS_QUERY_HISTORY)."""

_TOO_MANY = re.compile(r"exceeds the limit of (\d+) for a single node")

_PROBE = "activation_probe"

_BEGIN = "BEGIN READ ONLY"

_SETTINGS = (
    "SET client_encoding TO 'UTF8'",
    "SET timezone TO 'UTC'",
    "SET datestyle TO 'ISO, YMD'",
    "SET extra_float_digits TO 2",  # the most that Redshift takes: no digit of a floating-point number is lost
)
"""The same text of a value whatever the user's settings are."""

_CANCELLED = "The read from Redshift was cancelled."

_ANY = Session()


@dataclass(eq=False, slots=True)
class _Operation:
    """What runs now, and whether it was cancelled."""

    cancelled: bool = False

    def go_on(self) -> None:
        if self.cancelled:
            raise TransientError(_CANCELLED)


class RedshiftWarehouse(StatementWarehouse):
    """Reads over one connection, so a stream must be read to its end or closed before the next call.

    :param connection: what :func:`activation.hooks.redshift.connect` makes of the hook.
    :param session: its tag is the session's query group; its time-out holds for each statement, and the first page of a read
        waits for the whole query.
    """

    dialect = DIALECT

    def __init__(self, connection: Client, session: Session = _ANY) -> None:
        self.client, self._session = connection, session
        self._operation: _Operation | None = None
        self._ready = self._limited = self._closed = False
        self._most = LIMITS["page"]
        self._numbers = count(1)

    def columns(self, table: Relation) -> tuple[Column, ...]:
        """List the columns of a table, a view, an external or shared table, or a query, in their order."""
        text = _text(sql.Statement(f"SELECT * FROM {DIALECT.table(table)} AS src LIMIT 0", ()))
        with self._transaction(table):
            found = self.client.describe(text)
            names = type_names(self.client, (number for _, number in found))
        return tuple(Column(name, names.get(number, str(number))) for name, number in found)

    def cancel(self) -> None:
        """Stop the running statement, from any thread."""
        operation = self._operation
        if operation is not None:
            operation.cancelled = True
            self.client.cancel()

    def close(self) -> None:
        """Close the connection; a stream that was not closed ends with an error."""
        self.cancel()
        if not self._closed:
            self._closed = True
            self.client.close()

    def _row(self, extract: Extract, statement: sql.Statement) -> Sequence[Any]:
        text = _text(statement)
        with self._transaction(extract.table):
            return self.client.fetch(text)[0]

    def _stream(
        self, extract: Extract, statement: sql.Statement, rows: int, shape: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        text = _text(statement)
        with self._transaction(extract.table) as operation:
            for batch in reshape(self._pages(operation, text, shape), shape, rows):
                operation.go_on()
                yield batch
            operation.go_on()

    def _pages(self, operation: _Operation, text: str, shape: pa.Schema) -> Iterator[pa.RecordBatch]:
        self._learn_limit()
        name = f"activation_{next(self._numbers)}"
        self.client.run(f"DECLARE {name} CURSOR FOR {text}")
        rows = min(LIMITS["first page"], self._most)
        while True:
            operation.go_on()
            found = self.client.fetch(f"FETCH FORWARD {rows} FROM {name}")
            if not found:
                return
            columns = [pa.array(values, field.type) for values, field in zip(zip(*found, strict=True), shape, strict=True)]
            page = pa.RecordBatch.from_arrays(columns, schema=shape)
            yield page
            fitting = max(1, LIMITS["page bytes"] * page.num_rows // max(1, page.nbytes))
            rows = min(self._most, rows * LIMITS["growth"], fitting)

    def _learn_limit(self) -> None:
        """Ask once for one row more than a cluster of a single node gives: in the middle of a read it would be too late."""
        if self._limited:
            return
        self.client.run(f"DECLARE {_PROBE} CURSOR FOR SELECT 1")
        try:
            self.client.fetch(f"FETCH FORWARD {LIMITS['single node'] + 1} FROM {_PROBE}")
            self.client.run(f"CLOSE {_PROBE}")
        except self.client.failures as error:
            found = _TOO_MANY.search(str(error))
            if not found:
                raise
            self._most = int(found.group(1))
            self.client.run("ROLLBACK")
            self.client.run(_BEGIN)
        self._limited = True

    @contextmanager
    def _transaction(self, table: Relation) -> Iterator[_Operation]:
        if self._operation is not None:
            raise RuntimeError("the connection is busy: read the stream to its end, or close it first")
        if self._closed:
            raise TransientError("The connection to Redshift is closed.")
        operation = self._operation = _Operation()
        try:
            self._prepare()
            self.client.run(_BEGIN)
            yield operation
        except self.client.failures as error:
            if operation.cancelled:
                raise TransientError(_CANCELLED) from None
            raise map_error(error, table, self.client.user) from None
        finally:
            self._operation = None
            self._end()

    def _prepare(self) -> None:
        if self._ready:
            return
        for setting in _SETTINGS:
            self.client.run(setting)
        if self._session.tag:
            label = ", ".join(f"{name}={value}" for name, value in self._session.tag.items())
            self.client.run(f"SET query_group TO {_literal(label[: LIMITS['query group']])}")
        if self._session.timeout is not None:
            self.client.run(f"SET statement_timeout TO {max(1, round(self._session.timeout * 1000))}")
        self._ready = True

    def _end(self) -> None:
        # A cancellation that came too late for its statement can hit a ROLLBACK.
        for _ in range(3):
            with suppress(*self.client.failures):
                self.client.run("ROLLBACK")
                return


def _text(statement: sql.Statement) -> str:
    """Write the values into the statement: DECLARE takes no parameters on Redshift."""
    return statement.sql % tuple(_literal(value) for value in statement.params)


def _literal(value: str) -> str:
    """Write a text that means the same whether or not a backslash is special, which Redshift and PostgreSQL see differently."""
    if "\0" in value:
        raise ConfigurationError("A key value holds a NUL character, which Redshift has not.", "Clear the run's progress.")
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\\")]
    return parts[0] if len(parts) == 1 else f"({' || CHR(92) || '.join(parts)})"
