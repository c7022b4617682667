"""Databricks' INSERT OVERWRITE DIRECTORY. It runs on a SQL warehouse on its own: another process can ask what became of it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from activation.cursor.window import Window
from activation.errors import ConfigurationError, TransientError
from activation.warehouses import sql
from activation.warehouses.base import Extract, Warehouse
from activation.warehouses.databricks import DIALECT, DatabricksWarehouse
from activation.warehouses.databricks_errors import map_answer
from activation.warehouses.databricks_statements import RUNNING, WELL, ServiceError, Statements
from activation.warehouses.unload.base import Objects, Target, Written
from activation.warehouses.unload.query import query, quoted

_STAMP = "\"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\""
_CSV_FORM = (
    "header 'true', escape '\"', nullValue '', emptyValue '\"\"', ignoreLeadingWhiteSpace 'false', "
    f"ignoreTrailingWhiteSpace 'false', timestampNTZFormat {_STAMP}"
)
_JSON_FORM = f"ignoreNullFields 'false', timestampNTZFormat {_STAMP}"

FORMS = {"parquet": ("PARQUET", ""), "csv": ("CSV", _CSV_FORM), "jsonl": ("JSON", _JSON_FORM)}
"""Kind -> format and its options beside the compression (Databricks: data format options; Spark: CSV, JSON files).

As they are by default Spark's CSV has backslashes before quotes and no blanks at the ends of texts, and its JSON no nulls."""

WRITES = (
    ("parquet", "snappy"), ("parquet", "zstd"), ("parquet", "none"),
    ("csv", "none"), ("csv", "gzip"), ("jsonl", "none"), ("jsonl", "gzip"),
)  # fmt: skip
"""Format and compression. Spark has no zstd for text: CODEC_NOT_AVAILABLE."""

SUCCESS, COMMITTED = "_SUCCESS", "_committed_"
"""What Spark writes behind the last file; how the names of the objects begin in which Databricks tells which files count, since
tasks that failed can leave some (Databricks: transactional writes to cloud storage). What is in them is not documented."""

_UTC = "(TIMESTAMP_NTZ'1970-01-01 00:00:00' + make_dt_interval(0, 0, 0, CAST(unix_micros({column}) AS DECIMAL(24, 0)) / 1000000))"
"""An instant in UTC, whatever the session's time zone is: a statement of its own has no session to set it in. Parquet has such
values as plain microseconds, and not in the 96 bits that Spark writes for a TIMESTAMP."""

_DOUBLE = "CAST({column} AS DOUBLE)"
_SMALL = r"^(tinyint|smallint|int|decimal\((\d|1[0-8]),\s*0\))$"
_NESTED = r"(struct|map|array)<|variant"
_PLAIN = "bigint|boolean|date|timestamp_ntz"
_EXACT = r"decimal\((?!(\d|1[0-8]),\s*0\))"
_TYPES = ((_SMALL, "CAST({column} AS BIGINT)"), (r"^timestamp$", _UTC))

_ORDER = replace(
    DIALECT, placeholder="%s", json=((r"^timestamp$", f"CONCAT(CAST({_UTC} AS STRING), '+00')"), *DIALECT.json)
)  # fmt: skip


def _shown(typed: str, *json: tuple[str, str]) -> sql.Dialect:
    return replace(_ORDER, typed=typed, json=(*_TYPES, *json, *DIALECT.json))


_SHOWN = {
    "parquet": _shown(rf"^({_PLAIN}|{_EXACT}|double)", (r"^float$", _DOUBLE)),
    "csv": _shown(
        # Spark's CSV has exponents in decimals with more than six digits behind the point; as texts they have none.
        rf"^({_PLAIN}|decimal\(\d+,\s*[0-6]\))",
        (r"^(float|double)$", f"replace(replace(CAST({_DOUBLE} AS STRING), 'NaN', 'nan'), 'Infinity', 'inf')"),
    ),
    "jsonl": _shown(
        rf"^({_PLAIN}|{_EXACT}|{_NESTED})",
        (r"^(float|double)$", f"nullif(nullif(nullif({_DOUBLE}, double('NaN')), double('Infinity')), double('-Infinity'))"),
    ),
}
"""Kind -> how its columns are written: as our own files have them (contracts: s3_export 3.6)."""

_LOCATION = re.compile(r"[\w.@+=-]{1,255}")
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_REFUSED = re.compile(r"external location|(READ|WRITE)[ _]FILES|storage credential|Access ?Denied|\b403\b", re.IGNORECASE)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two questions."""

_CANCELLED = "The unload from Databricks was cancelled."


class DatabricksUnloader:
    """Lets Databricks write, over the SQL warehouse of the connection, but in a session of its own.

    :param warehouse: an open :class:`~activation.warehouses.databricks.DatabricksWarehouse`. Its tag stands before the statement;
        its time-out is kept here, because there is no session to set it in.
    """

    name = "Databricks"

    def __init__(self, warehouse: Warehouse) -> None:
        assert isinstance(warehouse, DatabricksWarehouse)  # noqa: S101 - the registry says so
        self._warehouse = warehouse
        self._own = self._awaited = ""
        self._stopped = threading.Event()

    def refusal(self, target: Target) -> str:
        """Why Databricks cannot write such files; empty if it can."""
        if (target.kind, target.compression) not in WRITES:
            can = ", ".join(f"{kind} with {compression}" for kind, compression in WRITES)
            return f"Databricks does not unload {target.kind} with {target.compression}; it writes {can}."
        if target.part_bytes is not None:
            return (
                "Databricks does not cut files by bytes: write files.part_bytes: null, and files.part_rows if they must be cut."
            )
        if target.encryption:
            return (
                "Databricks encrypts as the external location or the bucket says, not as a statement does: leave "
                "access.encryption out."
            )
        if not _LOCATION.fullmatch(target.credential):
            return "Databricks needs unload.credential: the name of the external location that covers the path."
        return "" if self._warehouse.client.statements else self._warehouse.client.missing

    def statement(self, extract: Extract, window: Window, target: Target) -> str:
        """The INSERT statement. Spark deals ordered rows to files in the order of the files' names."""
        if target.kind == "csv" and len(extract.values) == 1:
            raise ConfigurationError(
                "Databricks leaves NULL out of a CSV file of one column.", "Export another column too, or write unload: never."
            )
        name, form = FORMS[target.kind]
        options = [f"compression '{target.compression}'"]
        options += [form] if form else []
        if target.kind == "jsonl":
            options.append("timeZone 'UTC', timestampFormat \"yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX\"")
        if target.part_rows is not None:
            options.append(f"maxRecordsPerFile '{target.part_rows}'")
        text = query(_ORDER, extract, window, _SHOWN[target.kind])
        return f"INSERT OVERWRITE DIRECTORY {quoted(target.url)} USING {name} OPTIONS ({', '.join(options)}) {text}"

    def submit(self, statement: str) -> str:
        """Send the statement, which the service then runs whether or not anybody waits."""
        with self._explained():
            self._own = self._statements.submit(self._warehouse.comment + statement)
        return self._own

    def outcome(self, submitted: str, target: Target, objects: Objects) -> tuple[Written, ...] | None:
        """Wait until the statement has ended, and list what it has written.

        The service forgets a statement half a day after its end: then Spark's own marker says whether it has ended well.

        :raises ConfigurationError: if a statement of this very object failed for what a person must fix.
        :raises TransientError: if a later try can succeed, or it takes longer than the time-out of the warehouse.
        """
        well = self._ended_well(submitted, target) if _ID.fullmatch(submitted) else None
        if well is None:
            well = objects.read(f"{target.url}{SUCCESS}") is not None
        return _written(target.url, objects) if well else None

    def cancel(self) -> None:
        """Stop the statement that is waited for."""
        self._stopped.set()
        if self._awaited:
            with suppress(ServiceError):
                self._statements.cancel(self._awaited)

    @property
    def _statements(self) -> Statements:
        found = self._warehouse.client.statements
        assert found is not None  # noqa: S101 - without it everything is refused
        return found

    def _ended_well(self, submitted: str, target: Target) -> bool | None:
        """Whether a statement succeeded; ``None`` if the service does not know it."""
        self._awaited = submitted
        pause, timeout = _FIRST_PAUSE, self._warehouse.timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._stopped.is_set():
                self.cancel()
                raise TransientError(_CANCELLED)
            try:
                told = self._statements.state(submitted)
            except ServiceError as error:
                if error.status in (403, 404) and submitted != self._own:
                    return None
                with self._explained():
                    raise
            if told.state not in RUNNING:
                break
            if deadline is not None and time.monotonic() > deadline:
                with suppress(ServiceError):
                    self._statements.cancel(submitted)
                raise TransientError(f"Unloading from Databricks took longer than {timeout:g} s; the statement was stopped.")
            self._stopped.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        if submitted == self._own and told.state not in WELL:
            with self._explained(target):
                raise ServiceError(told.message or f"the statement has ended as {told.state}")
        return told.state in WELL

    @contextmanager
    def _explained(self, target: Target | None = None) -> Iterator[None]:
        try:
            yield
        except ServiceError as error:
            if self._stopped.is_set():
                raise TransientError(_CANCELLED) from None
            known = map_answer(error.text, "Unloading from Databricks", error.status)
            if target is not None and _REFUSED.search(error.text):
                raise ConfigurationError(str(getattr(known, "problem", known)), _fix(target)) from None
            raise known from None


def _written(url: str, objects: Objects) -> tuple[Written, ...]:
    """The files below an address, but for those of tasks that failed."""
    found = {one: one[len(url) :] for one in objects.below(url)}
    data = {one: name for one, name in found.items() if not name.startswith(("_", "."))}
    told = [_committed(objects.read(one)) for one, name in found.items() if name.startswith(COMMITTED)]
    lists = [one for one in told if one is not None]
    if lists:
        kept = {name for added, _ in lists for name in added} - {name for _, removed in lists for name in removed}
        data = {one: name for one, name in data.items() if name in kept}
    return tuple(Written(one, None) for one in sorted(data))


def _committed(content: bytes | None) -> tuple[Sequence[str], Sequence[str]] | None:
    """The names that a commit has added and removed; ``None`` if it is not written like that."""
    try:
        found: Any = json.loads(content or b"")
        return list(found["added"]), list(found["removed"])
    except (ValueError, KeyError, TypeError):
        return None


def _fix(target: Target) -> str:
    return (
        f"The external location {target.credential} must cover {target.url}: correct its URL or unload.credential, let an owner "
        f"run GRANT READ FILES, WRITE FILES ON EXTERNAL LOCATION `{target.credential}` TO `principal`, and let the role of its "
        "storage credential put objects there."
    )
