"""BigQuery, through the official client: statements are query jobs, rows come over the Storage Read API."""

from __future__ import annotations

import concurrent.futures
import re
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from activation.errors import ConfigurationError, TransientError
from activation.warehouses import sql
from activation.warehouses.arrow import reshape
from activation.warehouses.base import Column, Extract, Query, Relation, Session
from activation.warehouses.bigquery_errors import ERRORS, map_error
from activation.warehouses.bigquery_rows import ANSWER, PAGE_ROWS, Operation, Reader, retry
from activation.warehouses.statements import StatementWarehouse

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

__all__ = ["DIALECT", "BigQueryWarehouse", "map_error"]


class _Dialect(sql.Dialect):
    """Names have two or three parts, and a backtick inside one has no use: BigQuery takes it in no name."""

    def identifier(self, name: str) -> str:
        if re.search(r"[`\\\x00-\x1f]", name):
            raise ConfigurationError(
                f"{name!r} cannot be the name of a table or column.", "Write the name as BigQuery shows it, without backticks."
            )
        return super().identifier(name)

    def table(self, relation: Relation) -> str:
        if not isinstance(relation, Query) and len(relation) < 2:
            raise ConfigurationError(
                f"BigQuery needs the dataset before the name of the table {'.'.join(relation)!r}.",
                "Write dataset.table, or project.dataset.table.",
            )
        return super().table(relation)


def _cursor(kind: str, ticks: str, **rest: Any) -> sql.CursorType:
    return sql.CursorType(ticks, f"CAST({{value}} AS {kind})", **rest)


_JSON = "CASE WHEN {column} IS NOT NULL THEN TO_JSON_STRING({column}) END"
"""TO_JSON_STRING makes the text ``null`` of NULL."""

DIALECT = _Dialect(
    cursors={
        "timestamp": _cursor("TIMESTAMP", "UNIX_MICROS({column})", zone="+00"),
        "datetime": _cursor("DATETIME", "UNIX_MICROS(TIMESTAMP({column}, 'UTC'))"),
        "date": _cursor("DATE", "UNIX_DATE({column}) * 86400000000", grain=sql.DAY),
    },
    now="UNIX_MICROS(CURRENT_TIMESTAMP())",
    text="CAST({column} AS STRING)",
    json=(
        (r"^string$", "COLLATE({column}, '')"),  # a column's own collation may ignore case
        (r"^timestamp$", "FORMAT_TIMESTAMP('%E4Y-%m-%d %H:%M:%E*S+00', {column}, 'UTC')"),
        (r"^datetime$", "FORMAT_DATETIME('%E4Y-%m-%d %H:%M:%E*S', {column})"),
        (r"^time$", "FORMAT_TIME('%H:%M:%E*S', {column})"),
        (r"^bytes$", "TO_BASE64({column})"),
        (r"^geography$", "ST_ASTEXT({column})"),
        (r"^json$|^(array|struct|range)<", _JSON),
    ),
    quote="`",
    slot="MOD(MOD(FARM_FINGERPRINT({text}), {of}) + {of}, {of})",
)

_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
"""The API's names of types that GoogleSQL calls differently."""

_CANCELLED = "The read from BigQuery was cancelled."
_CLOSED = "The connection to BigQuery was closed."
_ANY = Session()


class BigQueryWarehouse(StatementWarehouse):
    """Runs each statement as a query job, whose labels carry the session's tag. A job has ended before its first batch, and
    BigQuery keeps the rows for a day: a slow reader costs it nothing.

    :param connection: a ``google.cloud.bigquery.Client`` with a project; its location and default job configuration are kept.
    :param session: of its options, ``storage_read: false`` leaves the Storage Read API alone, ``storage_endpoint`` (host and
        port) and ``storage_ca_file`` lead to it through a proxy or an emulator.
    """

    dialect = DIALECT

    def __init__(self, connection: Any, session: Session = _ANY) -> None:
        self._client = connection
        self._reader = Reader(connection, session.options)
        self._labels = {**_defaults(connection), **labels(session.tag)}
        self._timeout = session.timeout
        self._running: set[Operation] = set()
        self._lock = threading.Lock()
        self._closed = False

    def columns(self, table: Relation) -> tuple[Column, ...]:
        """List the columns of a table, a view or a query in their order, from a dry run: it needs the right to read, costs
        nothing, and reads nothing.
        """
        statement = sql.Statement(f"SELECT * FROM {DIALECT.table(table)} AS src LIMIT 0", ())
        with self._operation(table):
            job = self._insert(statement, dry_run=True)
        return tuple(Column(field.name, shown(field)) for field in job.schema or ())

    def cancel(self) -> None:
        """Stop the running jobs and reads, from any thread."""
        with self._lock:
            running = list(self._running)
        for operation in running:
            operation.stop(self._client)

    def close(self) -> None:
        """Stop what runs and close the connection."""
        self._closed = True
        self.cancel()
        self._client.close()

    def _row(self, extract: Extract, statement: sql.Statement) -> tuple[Any, ...]:
        with self._operation(extract.table) as operation:
            found: tuple[Any, ...] = next(iter(self._run(operation, statement))).values()
            return found

    def _stream(
        self, extract: Extract, statement: sql.Statement, rows: int, shape: pa.Schema
    ) -> Generator[pa.RecordBatch, None, None]:
        with self._operation(extract.table) as operation:
            found = self._run(operation, statement)
            with closing(self._reader.batches(operation, found, shape)) as read:
                for batch in reshape(read, shape, rows):
                    if operation.stopped:
                        raise TransientError(_CANCELLED)
                    yield batch

    @contextmanager
    def _operation(self, table: Relation) -> Iterator[Operation]:
        if self._closed:
            raise TransientError(_CLOSED)
        operation = Operation()
        with self._lock:
            self._running.add(operation)
        try:
            yield operation
            if operation.stopped:
                raise TransientError(_CANCELLED)
        except (*ERRORS, ValueError) as error:  # a closed channel is a ValueError of gRPC
            raise (TransientError(_CANCELLED) if operation.stopped else map_error(error, table, self._account())) from None
        finally:
            with self._lock:
                self._running.discard(operation)

    def _insert(self, statement: sql.Statement, *, dry_run: bool = False) -> Any:
        from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter  # loads pandas where it is installed

        config = QueryJobConfig(
            labels=self._labels,
            query_parameters=[ScalarQueryParameter(None, "STRING", value) for value in statement.params],
            use_legacy_sql=False,
        )
        if dry_run:
            config.dry_run, config.use_query_cache = True, False
        elif self._timeout is not None:
            config.job_timeout_ms = max(1, round(self._timeout * 1000))
        # A job that fails is not run again: that is for the task's own retry, which looks at the clock first.
        return self._client.query(statement.sql, job_config=config, retry=retry(), timeout=ANSWER, job_retry=None)

    def _run(self, operation: Operation, statement: sql.Statement) -> Any:
        """Run a statement to its end; gives its rows, of which the first page has come."""
        operation.job = job = self._insert(statement)
        try:
            while True:
                if operation.stopped:
                    operation.stop(self._client)  # the first try may have come before the job
                try:
                    found = job.result(page_size=PAGE_ROWS, retry=retry(), timeout=ANSWER, job_retry=None)
                except concurrent.futures.TimeoutError:
                    continue
                operation.job, operation.table = None, job.destination
                return found
        except ERRORS:
            if job.state != "DONE":
                operation.stop_job(self._client)
            raise

    def _account(self) -> str:
        return str(getattr(self._client._credentials, "service_account_email", ""))


def labels(tag: Mapping[str, str]) -> dict[str, str]:
    """Write a tag as labels: at most 63 lower-case letters, digits, dashes and underscores, a name begins with a letter."""
    return {_label(name): _label(value) for name, value in tag.items()}


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63]


def _defaults(client: Any) -> dict[str, str]:
    """The labels of the client's default configuration, which a job's own ones would replace as a whole."""
    config = client.default_query_job_config
    return dict(config.labels) if config is not None else {}


def shown(field: SchemaField) -> str:
    """Write a column's type as GoogleSQL does."""
    if field.field_type in ("RECORD", "STRUCT"):
        kind = f"STRUCT<{', '.join(f'{one.name} {shown(one)}' for one in field.fields)}>"
    elif field.field_type == "RANGE":
        kind = f"RANGE<{field.range_element_type.element_type if field.range_element_type else 'TIMESTAMP'}>"
    else:
        kind = _NAMES.get(field.field_type, field.field_type)
    return f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind
