"""Snowflake's COPY INTO a location. It runs on the service on its own: another process can ask what became of it by its id."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from activation.cursor.window import Window
from activation.errors import ConfigurationError, FatalError, TransientError
from activation.warehouses.base import Column, Extract, Warehouse
from activation.warehouses.snowflake import DIALECT, SnowflakeWarehouse, map_error
from activation.warehouses.snowflake_errors import driver_error
from activation.warehouses.snowflake_session import CANCELLED, Operation
from activation.warehouses.unload.base import BY_ROWS, Objects, Target, Written
from activation.warehouses.unload.query import query, quoted

_CSV_FORM = "TYPE = CSV COMPRESSION = {} FIELD_OPTIONALLY_ENCLOSED_BY = '\"' NULL_IF = ('') DATE_FORMAT = 'YYYY-MM-DD'"

WRITES = {
    ("parquet", "snappy"): "TYPE = PARQUET COMPRESSION = SNAPPY",
    ("csv", "none"): _CSV_FORM.format("NONE"),
    ("csv", "gzip"): _CSV_FORM.format("GZIP"),
    ("csv", "zstd"): _CSV_FORM.format("ZSTD"),
}
"""Format and compression -> FILE_FORMAT (Snowflake: COPY INTO location, format type options)."""

ANSWER = {"file": "FILE_NAME", "rows": "ROW_COUNT"}
"""Columns of the answer with DETAILED_OUTPUT (Snowflake: COPY INTO location, copy options). Whether the name has a path before it
is not documented for an address, so only its last part is used; the folder is the statement's own."""

MOST_BYTES = 5 * 1024**3
"""Bytes of a file (Snowflake: COPY INTO location, MAX_FILE_SIZE)."""

_ENCRYPTIONS = {"AES256": "AWS_SSE_S3", "aws:kms": "AWS_SSE_KMS"}
_INTEGRATION = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ZONED = re.compile(r"^timestamp_l?tz", re.IGNORECASE)

_PLAIN = r"boolean|date|float|number\(\d+,\s*\d+\)"
_PARQUET = replace(
    DIALECT,
    placeholder="%s",
    typed=rf"^({_PLAIN}|timestamp_ntz.*)$",
    # Snowflake refuses to write instants with a zone to Parquet.
    json=((_ZONED.pattern, "CAST(CONVERT_TIMEZONE('UTC', {column}) AS TIMESTAMP_NTZ(6))"), *DIALECT.json),
)
_STAMP = '\'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"\''
_CSV = replace(
    DIALECT,
    placeholder="%s",
    typed=rf"^({_PLAIN})$",
    # As our own files have it (contracts: s3_export 3.6).
    json=(
        (r"^timestamp_ntz", f"TO_VARCHAR({{column}}, {_STAMP})"),
        (_ZONED.pattern, f"TO_VARCHAR(CONVERT_TIMEZONE('UTC', {{column}}), {_STAMP})"),
        *DIALECT.json,
    ),
)

_UNKNOWN = 10
"""How often the service may say that it does not know the statement, before that is believed."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two questions."""

_FIX = (
    "Let the role use the integration (GRANT USAGE ON INTEGRATION … TO ROLE …), let the integration write to the path "
    "(STORAGE_ALLOWED_LOCATIONS), and let its IAM role put objects there and use the key."
)


class SnowflakeUnloader:
    """Lets Snowflake write, over the warehouse's own connection.

    :param warehouse: an open :class:`~activation.warehouses.snowflake.SnowflakeWarehouse`.
    """

    name = "Snowflake"

    def __init__(self, warehouse: Warehouse) -> None:
        assert isinstance(warehouse, SnowflakeWarehouse)  # noqa: S101 - the registry says so
        self._warehouse, self._session = warehouse, warehouse._session
        self._connection = self._session.connection
        self._own = ""
        self._cancelled = False

    def refusal(self, target: Target) -> str:
        """Why Snowflake cannot write such files; empty if it can."""
        if (target.kind, target.compression) not in WRITES:
            can = ", ".join(f"{kind} with {compression}" for kind, compression in WRITES)
            return f"Snowflake does not unload {target.kind} with {target.compression}; it writes {can}."
        if target.part_rows is not None:
            return f"Snowflake {BY_ROWS}"
        if not _INTEGRATION.fullmatch(target.credential):
            return "Snowflake needs unload.credential: the name of a storage integration."
        return ""

    def statement(self, extract: Extract, window: Window, target: Target) -> str:
        """The COPY INTO statement. It orders the rows of each file; how rows are dealt to files is Snowflake's choice."""
        parquet = target.kind == "parquet"
        texts = (*extract.key, *(only.column for only in extract.only))
        if parquet and (zoned := next(filter(_zoned, texts), None)):
            raise ConfigurationError(
                f"Snowflake cannot unload to Parquet where {zoned.name} ({zoned.type}) is in the key or chooses rows.",
                "Give it as TIMESTAMP_NTZ in a view, or write unload: never.",
            )
        text = query(_PARQUET if parquet else _CSV, self._warehouse._located(extract), window)
        parts = [f"COPY INTO {quoted(target.url)} FROM ({text}) STORAGE_INTEGRATION = {target.credential}"]
        parts.append(f"FILE_FORMAT = ({WRITES[target.kind, target.compression]})")
        if target.encryption:
            key = f" KMS_KEY_ID = {quoted(target.key)}" if target.key else ""
            parts.append(f"ENCRYPTION = (TYPE = '{_ENCRYPTIONS[target.encryption]}'{key})")
        parts.append(f"MAX_FILE_SIZE = {min(target.part_bytes or MOST_BYTES, MOST_BYTES)}")
        parts.append("HEADER = TRUE DETAILED_OUTPUT = TRUE INCLUDE_QUERY_ID = TRUE")
        return " ".join(parts)

    def submit(self, statement: str) -> str:
        """Send the statement, which the service then runs whether or not anybody waits."""
        cursor = self._connection.cursor()
        with self._explained():
            cursor.execute_async(statement, _statement_params=self._session._parameters, _force_qmark_paramstyle=True)
        self._own = str(cursor.sfqid)
        return self._own

    def outcome(self, submitted: str, target: Target, objects: Objects) -> tuple[Written, ...] | None:
        """Wait until the statement has ended, and read its answer by its id.

        :raises ConfigurationError: if a statement of this very object failed for what a person must fix.
        :raises TransientError: if a later try can succeed.
        """
        if not _ID.fullmatch(submitted) or not self._ended_well(submitted):
            return None
        with self._explained():
            text = f"SELECT * FROM TABLE(RESULT_SCAN('{submitted}'))"
            cursor = self._session.execute(Operation(), text)
            return files_of([column.name for column in cursor.description], cursor.fetchall(), target.url)

    def cancel(self) -> None:
        """Stop the statement that this object has submitted."""
        self._cancelled = True
        if self._own:
            with suppress(driver_error(), TransientError):
                self._connection.cursor().abort_query(self._own)

    def _ended_well(self, submitted: str) -> bool:
        from snowflake.connector.constants import QueryStatus

        pause, unknown = _FIRST_PAUSE, 0
        while True:
            if self._cancelled:
                raise TransientError(CANCELLED)
            with self._explained():
                mine = submitted == self._own
                ask = self._connection.get_query_status_throw_if_error if mine else self._connection.get_query_status
                status = ask(submitted)
            unknown = unknown + 1 if status == QueryStatus.NO_DATA else 0
            if unknown > _UNKNOWN or not self._connection.is_still_running(status):
                return bool(status == QueryStatus.SUCCESS)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except driver_error() as error:
            if self._cancelled:
                raise TransientError(CANCELLED) from None
            known = map_error(error, (), self._connection)
            problem = str(getattr(known, "problem", known)).replace("Connecting to", "Unloading from")
            raise (ConfigurationError(problem, _FIX) if isinstance(known, ConfigurationError) else type(known)(problem)) from None


def files_of(names: list[str], rows: list[tuple[Any, ...]], url: str) -> tuple[Written, ...]:
    """Read the answer of a statement.

    :param names: of its columns.
    :param url: what the statement was told to write to.
    :raises FatalError: if the columns are not as documented.
    """
    upper = [name.upper() for name in names]
    if missing := [name for name in ANSWER.values() if name not in upper]:
        raise FatalError(f"Snowflake's answer to COPY INTO has no column {missing[0]}; it has {', '.join(names)}.")
    file, count = upper.index(ANSWER["file"]), upper.index(ANSWER["rows"])
    found = (Written(url + str(row[file]).rpartition("/")[2], int(row[count])) for row in rows)
    return tuple(sorted(found, key=lambda one: one.url))


def _zoned(column: Column) -> bool:
    return _ZONED.match(column.type) is not None
