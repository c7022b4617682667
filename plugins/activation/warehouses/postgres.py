"""PostgreSQL, through psycopg2 or psycopg 3: the official hook hands out the one or the other."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from activation.errors import ConfigurationError, TransientError
from activation.warehouses import postgres_copy as bulk
from activation.warehouses import sql
from activation.warehouses.base import Column, Extract, Query, Relation, Session
from activation.warehouses.postgres_errors import grant, map_error, quoted
from activation.warehouses.statements import StatementWarehouse
from activation.warehouses.typed import INSTANT

__all__ = ["DIALECT", "PostgresWarehouse", "map_error"]

_MICROSECONDS = "CAST(EXTRACT(EPOCH FROM {column}) * 1000000 AS bigint)"
"""Exact: since PostgreSQL 14 EXTRACT gives numeric, not floating point."""


def _cursor(kind: str, **rest: Any) -> sql.CursorType:
    return sql.CursorType(_MICROSECONDS, f"CAST({{value}} AS {kind})", unbounded=True, **rest)


DIALECT = sql.Dialect(
    cursors={
        "date": _cursor("date", grain=sql.DAY),
        "timestamp without time zone": _cursor("timestamp"),
        "timestamp with time zone": _cursor("timestamptz", zone="+00"),
    },
    now=_MICROSECONDS.replace("{column}", "clock_timestamp()"),
    text="CAST({column} AS text)",
    json=((r"\[\]$", "CAST(to_json({column}) AS text)"),),
    typed=r"^(boolean|smallint|integer|bigint|real|double precision|date|numeric\(\d+,\d+\)|timestamp[^\[]*)$",
    collation=' COLLATE "C"',
    placeholder="%s",
    slot="mod(mod(hashtextextended({text}, 0), {of}) + {of}, {of})",  # hash partitions lie on disk by it, so it stays
)

_BEGIN = """BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL TimeZone TO 'UTC'; SET LOCAL DateStyle TO 'ISO, YMD'; SET LOCAL IntervalStyle TO 'postgres';
SET LOCAL bytea_output TO 'hex'; SET LOCAL extra_float_digits TO 1"""
"""One snapshot, no writing, and the same text of a value whatever the role's settings are."""

_COLUMNS = """
SELECT a.attname,
       CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END,
       has_schema_privilege(n.oid, 'USAGE'), has_any_column_privilege(c.oid, 'SELECT'), n.nspname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = %s
  AND CASE WHEN %s = '' THEN pg_table_is_visible(c.oid) ELSE n.nspname = %s END
  AND %s IN ('', current_database())
ORDER BY a.attnum"""


_TYPES = """
SELECT CAST(t.oid AS bigint),
       CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(t.oid, NULL) END
FROM pg_catalog.pg_type t WHERE CAST(t.oid AS bigint) = ANY(%s)"""


@dataclass(eq=False, slots=True)
class _Operation:
    """What runs now, in the background if it is a copy, and whether it was cancelled."""

    cancelled: bool = False
    copy: bulk.Copy | None = None


_ANY = Session()


class PostgresWarehouse(StatementWarehouse):
    """Reads over one connection, so a stream must be read to its end or closed before the next call.

    :param connection: an open connection of psycopg2 or psycopg 3, outside of a transaction.
    :param session: its tag stands as a comment before each statement; its time-out counts until a stream has been read.
    """

    dialect = DIALECT

    def __init__(self, connection: Any, session: Session = _ANY) -> None:
        self._connection = connection
        self._comment = session.comment()
        self._begin = _BEGIN
        if session.timeout is not None:
            self._begin += f"; SET LOCAL statement_timeout TO {max(1, round(session.timeout * 1000))}"
        self._psycopg2 = any(kind.__module__.startswith("psycopg2") for kind in type(connection).__mro__)
        self._operation: _Operation | None = None
        self._ready = False

    def columns(self, table: Relation) -> tuple[Column, ...]:
        """List the columns of a table, a view or a query in their order; a domain is shown as the type below it."""
        if isinstance(table, Query):
            return self._columns_of(table)
        database, namespace, name = ("", "", *table)[-3:]
        with self._transaction(table):
            found = self._fetch(sql.Statement(_COLUMNS, (name, namespace, namespace, database)))
        if not found or len(table) > 3:
            raise ConfigurationError(
                f"PostgreSQL has no table or view {'.'.join(table)}.",
                "Check the name as PostgreSQL shows it (upper and lower case count), its schema, and the connection's database.",
            )
        _, _, schema_right, table_right, namespace = found[0]
        if not schema_right:
            raise self._denied(f"the schema of {'.'.join(table)}", grant("schema", quoted(namespace), self._user()))
        if not table_right:
            raise self._denied(".".join(table), grant("table", quoted(namespace, name), self._user()))
        return tuple(Column(row[0], row[1]) for row in found)

    def _columns_of(self, query: Query) -> tuple[Column, ...]:
        with self._transaction(query), self._cursor() as cursor:
            cursor.execute(bulk.bare(f"{self._comment}SELECT * FROM {DIALECT.table(query)} AS src LIMIT 0"))
            names = [column[0] for column in cursor.description]
            types = [str(column[1]) for column in cursor.description]
            cursor.execute(_TYPES, ([int(oid) for oid in types],))
            shown = dict(cursor.fetchall())
        return tuple(Column(name, shown[int(oid)]) for name, oid in zip(names, types, strict=True))

    def cancel(self) -> None:
        """Stop the running statement, from any thread."""
        operation = self._operation
        if operation is not None:
            operation.cancelled = True
            self._cancel()

    def close(self) -> None:
        """Close the connection; a stream that was not closed ends with an error."""
        self.cancel()
        operation = self._operation
        if operation is not None and operation.copy is not None:
            operation.copy.stop(self._cancel)  # the driver does not bear a connection that is closed under its hands
        with suppress(self._connection.Error):
            self._connection.close()

    def _row(self, extract: Extract, statement: sql.Statement) -> Sequence[Any]:
        with self._transaction(extract.table):
            row: Sequence[Any] = self._fetch(statement)[0]
            return row

    def _taken(self, column: Column, field: pa.Field) -> pa.Field:
        local = column.type.endswith("without time zone")
        return field.with_type(pa.timestamp("us")) if local and field.type == INSTANT else super()._taken(column, field)

    def _stream(
        self, extract: Extract, statement: sql.Statement, rows: int, shape: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        run = (bulk.psycopg2_copy if self._psycopg2 else bulk.psycopg3_copy)(self._connection, statement, self._comment)
        copy = bulk.Copy(run, (self._connection.Error,), rows)
        with self._transaction(extract.table) as operation, closing(bulk.batches(copy, shape, self._cancel)) as read:
            operation.copy = copy
            for batch in read:
                if operation.cancelled:
                    raise TransientError(bulk.CANCELLED)
                yield batch

    @contextmanager
    def _transaction(self, table: Relation) -> Iterator[_Operation]:
        if self._operation is not None:
            raise RuntimeError("the connection is busy: read the stream to its end, or close it first")
        operation = self._operation = _Operation()
        failures = (self._connection.Error,)
        try:
            self._prepare()
            self._run(self._begin)
            yield operation
        except failures as error:
            raise map_error(error, table, self._user()) from None
        finally:
            self._operation = None
            self._end()

    def _prepare(self) -> None:
        """Take transactions into our own hands and speak UTF-8, once."""
        if not self._ready:
            self._connection.rollback()
            self._connection.autocommit = True
            if self._psycopg2:
                self._connection.set_client_encoding("UTF8")
            else:
                self._run("SET client_encoding TO 'UTF8'")
                self._connection.prepare_threshold = None  # a pooler may give each transaction another server session
            self._ready = True

    def _end(self) -> None:
        # A cancellation that came too late for its statement, the caller's or our own, can hit a ROLLBACK.
        for _ in range(3):
            with suppress(self._connection.Error):
                self._run("ROLLBACK")
                return

    def _cancel(self) -> None:
        # psycopg 3 has a second way that keeps to the connection's encryption.
        cancel = getattr(self._connection, "cancel_safe", self._connection.cancel)
        with suppress(self._connection.Error):
            cancel()

    def _cursor(self) -> Any:
        return (bulk.psycopg2_cursor if self._psycopg2 else bulk.psycopg3_cursor)(self._connection)

    def _run(self, text: str) -> None:
        with self._cursor() as cursor:
            cursor.execute(text)

    def _fetch(self, statement: sql.Statement) -> list[Any]:
        with self._cursor() as cursor:
            text = self._comment + statement.sql
            if statement.params:
                cursor.execute(text, statement.params)
            else:
                cursor.execute(bulk.bare(text))
            found: list[Any] = cursor.fetchall()
            return found

    def _user(self) -> str:
        with suppress(self._connection.Error):
            return str(self._connection.info.user)
        return ""

    def _denied(self, what: str, fix: str) -> ConfigurationError:
        return ConfigurationError(f"The role {self._user()!r} may not read {what}.", fix)
