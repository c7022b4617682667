"""Snowflake, through its official connector: results come as Arrow, chunk by chunk."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import pyarrow as pa

from activation.cursor.timestamps import from_text
from activation.errors import ConfigurationError, TransientError
from activation.warehouses import sql
from activation.warehouses.arrow import reshape
from activation.warehouses.base import Column, Extract, Query, Relation, Session, named
from activation.warehouses.snowflake_errors import driver_error, map_error, quoted
from activation.warehouses.snowflake_session import CANCELLED, Operation, SnowflakeSession, tables
from activation.warehouses.statements import StatementWarehouse

__all__ = ["DIALECT", "SnowflakeWarehouse", "map_error"]

_MICROSECONDS, _NANOSECONDS = "DATE_PART(EPOCH_MICROSECOND, {column})", "DATE_PART(EPOCH_NANOSECOND, {column})"

_YEARS = {"first": from_text("1678-01-01T00:00:00Z"), "last": from_text("2261-12-31T23:59:59.999999999Z")}
"""64 bits of nanoseconds reach from September 1677 to April 2262; the whole years in between are used."""


def _cursors() -> dict[str, sql.CursorType]:
    """Timestamps with up to six digits are counted in microseconds and reach all years; finer ones, as is usual, in nanoseconds.

    A bound is parsed as a text of any known form, whatever the session's TIMESTAMP_INPUT_FORMAT is, and carries its zone,
    whatever TIMEZONE is.
    """
    found = {
        "date": sql.CursorType("DATE_PART(EPOCH_SECOND, {column}) * 1000000", "TO_DATE({value}, 'YYYY-MM-DD')", grain=sql.DAY)
    }
    found["date"] = replace(found["date"], unbounded=True)
    for kind, zone in (("timestamp_ntz", ""), ("timestamp_ltz", " +00:00"), ("timestamp_tz", " +00:00")):
        parsed = f"TO_{kind.upper()}({{value}}, 'AUTO')"
        fine = sql.CursorType(_NANOSECONDS, parsed, tick=1, grain=1, zone=zone, unbounded=True, **_YEARS)
        found[kind] = fine
        for digits in range(10):
            grain = 10 ** (9 - digits)
            coarse = sql.CursorType(
                _MICROSECONDS, f"CAST({parsed} AS {kind.upper()}({digits}))", grain=grain, zone=zone, unbounded=True
            )
            found[f"{kind}({digits})"] = coarse if digits <= 6 else replace(fine, grain=grain)
    return found


def _trimmed(text: str) -> str:
    """Digits behind the second as far as there are any."""
    return f"RTRIM(RTRIM({text}, '0'), '.')"


_STAMP = "'YYYY-MM-DD HH24:MI:SS.FF9'"

DIALECT = sql.Dialect(
    cursors=_cursors(),
    now=_MICROSECONDS.replace("{column}", "CURRENT_TIMESTAMP()"),
    text="CAST({column} AS VARCHAR)",
    # A format of its own wherever the text would depend on a parameter of the session.
    json=(
        (r"^(variant|object|array|map)\b", "TO_JSON({column})"),
        (r"^vector\b", "TO_JSON(CAST({column} AS ARRAY))"),
        (r"^(geography|geometry)\b", "TO_JSON(ST_ASGEOJSON({column}))"),
        (r"^timestamp_ntz\b", _trimmed(f"TO_VARCHAR({{column}}, {_STAMP})")),
        (r"^timestamp_l?tz\b", _trimmed(f"TO_VARCHAR(CONVERT_TIMEZONE('UTC', {{column}}), {_STAMP})") + " || '+00'"),
        (r"^date$", "TO_VARCHAR({column}, 'YYYY-MM-DD')"),
        (r"^time\b", _trimmed("TO_VARCHAR({column}, 'HH24:MI:SS.FF9')")),
        (r"^binary$", "TO_VARCHAR({column}, 'HEX')"),
    ),
    native=r"^(boolean|date|number\(\d+,\s*0\))$",
    typed=r"^(boolean|date|float|number\(\d+,\s*0\))$",
    collation=" COLLATE 'utf8'",
    equality=" COLLATE 'utf8'",
    slot="MOD(MD5_NUMBER_LOWER64({text}), {of})",  # HASH() promises nothing from release to release
)

_FOLDED = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
"""Names that SQL takes without quotes, and that Snowflake then reads in upper case."""

_NAMES = {"FIXED": "NUMBER", "REAL": "FLOAT", "TEXT": "VARCHAR"}
"""The connector's name of a type -> the name in SQL, where they differ."""

_MISSING = (2003, 2043)
"""Numbers of the errors about a name that does not exist, or is not to be seen."""

_ANY = Session()


class SnowflakeWarehouse(StatementWarehouse):
    """Reads through a cursor a statement, so that others can run while a window is read.

    A name is looked for as it is written, then in upper case as Snowflake reads a name without quotes, once for each table.

    :param connection: an open connection of ``snowflake.connector``.
    :param session: its tag is each statement's QUERY_TAG, as JSON; its time-out is STATEMENT_TIMEOUT_IN_SECONDS.
    """

    dialect = DIALECT

    def __init__(self, connection: Any, session: Session = _ANY) -> None:
        self._session = SnowflakeSession(connection, session)
        self._running: set[Operation] = set()
        self._names: dict[Relation, Relation] = {}

    def columns(self, table: Relation) -> tuple[Column, ...]:
        """List the columns of a table, a view or a query in their order; nothing is run for it, so no warehouse is needed."""
        with self._operation(table) as operation:
            return self._find(operation, table)

    def cancel(self) -> None:
        """Stop the running statements, from any thread."""
        for operation in tuple(self._running):
            self._session.cancel(operation)

    def close(self) -> None:
        """Stop what runs and log out."""
        self.cancel()
        self._session.close()

    def _row(self, extract: Extract, statement: sql.Statement) -> Sequence[Any]:
        with self._operation(extract.table) as operation:
            row: Sequence[Any] = self._session.execute(operation, statement.sql, statement.params).fetchone()
            return row

    def _stream(
        self, extract: Extract, statement: sql.Statement, rows: int, shape: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        with self._operation(extract.table) as operation:
            cursor = self._session.execute(operation, statement.sql, statement.params)
            with closing(tables(cursor, self._session.connection)) as chunks:
                pieces = (piece for chunk in chunks for piece in chunk.to_batches())
                for batch in reshape(pieces, shape, rows):
                    if operation.cancelled:
                        raise TransientError(CANCELLED)
                    yield batch

    def _located(self, extract: Extract) -> Extract:
        """The same extract under the table's name as Snowflake stores it."""
        if extract.table not in self._names:
            self.columns(extract.table)
        return replace(extract, table=self._names[extract.table])

    def _find(self, operation: Operation, table: Relation) -> tuple[Column, ...]:
        """Find a relation under one of its spellings, keep that one, and give its columns."""
        candidates = spellings(table)
        for candidate in candidates:
            try:
                found = self._session.describe(operation, f"SELECT * FROM {DIALECT.table(candidate)} AS src")
            except driver_error() as error:
                if getattr(error, "errno", None) not in _MISSING or isinstance(table, Query):
                    raise
                missing = error
            else:
                self._names[table] = candidate
                return tuple(Column(column.name, _type(column)) for column in found)
        # Which right is missing is said about the name that a person most likely means.
        told = map_error(missing, candidates[min(1, len(candidates) - 1)], self._session.connection)
        tried = ", ".join(quoted(*candidate) for candidate in candidates if not isinstance(candidate, Query))
        fix = told.fix if isinstance(told, ConfigurationError) else ""
        raise ConfigurationError(
            f"Snowflake has no table or view {named(table)}, or hides it from the role (tried {tried}).", fix
        )

    @contextmanager
    def _operation(self, table: Relation) -> Iterator[Operation]:
        operation = Operation()
        self._running.add(operation)
        try:
            yield operation
        except Exception as error:  # noqa: BLE001 - downloads raise what their libraries do; what is not theirs is raised as it is
            raise map_error(error, table, self._session.connection) from None
        finally:
            self._running.discard(operation)


def spellings(table: Relation) -> list[Relation]:
    """The names that a relation can have: as it is written, in upper case, then every mixture of both.

    Only a name that SQL takes without quotes is put in upper case.
    """
    if isinstance(table, Query):
        return [table]
    folded = tuple(part.upper() if _FOLDED.fullmatch(part) else part for part in table)
    pairs = [tuple(dict.fromkeys(pair)) for pair in zip(reversed(table), reversed(folded), strict=True)]
    mixtures: list[Relation] = [tuple(reversed(parts)) for parts in product(*pairs)]
    return list(dict.fromkeys([table, folded, *mixtures]))


def _type(column: Any) -> str:
    from snowflake.connector.constants import FIELD_ID_TO_NAME

    kind = FIELD_ID_TO_NAME[column.type_code]
    if kind == "FIXED":
        return f"NUMBER({column.precision},{column.scale})"
    if kind.startswith("TIME"):
        return f"{kind}({column.scale})"
    return _NAMES.get(kind, kind)
