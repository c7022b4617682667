"""The rows of a finished query job: over the Storage Read API, or page by page where that is not allowed."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pyarrow as pa
from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type

from activation.warehouses.bigquery_errors import ERRORS

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds for which a request is tried again; what lasts longer is for the task's own retry."""

ANSWER = 60.0
"""Seconds to wait for an answer; BigQuery itself holds a request for results for 10 (jobs.getQueryResults, timeoutMs)."""

PAGE_ROWS = 2_000
"""Rows of a page over REST, about 1 MB of short rows; the service sends at most 10 MB at once. A result that fits into the first
page needs no read session."""


def retry() -> Any:
    """The client's own retry of a request, for as long as :data:`PATIENCE`."""
    from google.cloud.bigquery import DEFAULT_RETRY  # loads pandas where it is installed

    return DEFAULT_RETRY.with_timeout(PATIENCE)


def _read_retry() -> Retry:
    """For reads; the client's own goes on for a day."""
    passing = if_exception_type(exceptions.ServiceUnavailable, exceptions.DeadlineExceeded)
    return Retry(predicate=passing, initial=0.1, timeout=PATIENCE)


@dataclass(eq=False, slots=True)
class Operation:
    """What runs now, and whether it was stopped.

    :ivar job: the running job.
    :ivar table: the reference of the table with the job's rows, once it has ended.
    :ivar storage: the client that reads them.
    """

    job: Any = None
    table: Any = None
    storage: Any = None
    stopped: bool = False

    def stop(self, client: Any) -> None:
        """Stop it, from any thread."""
        self.stopped = True
        self.stop_job(client)
        storage = self.storage
        if storage is not None:
            storage.transport.close()

    def stop_job(self, client: Any) -> None:
        """Ask BigQuery to stop the job, if there is one."""
        job = self.job
        if job is not None:
            # Without an answer the job's own time-out remains.
            with suppress(*ERRORS):
                client.cancel_job(job.job_id, project=job.project, location=job.location, retry=retry(), timeout=ANSWER)


class Reader:
    """Reads the rows of jobs.

    :param client: the BigQuery client, whose credentials and project are used.
    :param options: the connection's extra fields.
    """

    def __init__(self, client: Any, options: Mapping[str, Any]) -> None:
        self._client = client
        self._endpoint = options.get("storage_endpoint")
        self._ca_file = options.get("storage_ca_file")
        self._allowed = options.get("storage_read", True) is not False

    def batches(self, operation: Operation, found: Any, shape: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
        """Give the rows in their order.

        :param found: what ``QueryJob.result`` gave.
        :param shape: names and types of the columns, by position.
        """
        pages = iter(found.pages)
        first = next(pages, None)
        if first is None:
            return
        if first.num_items < found.total_rows and self._allowed:
            try:
                yield from self._stored(operation)
                return
            except _NotAllowed as refused:
                self._allowed = False
                log.info(
                    "The Storage Read API may not be used (%s); rows come page by page over REST, which is much slower. "
                    "Give the role roles/bigquery.readSessionUser on the project, or set storage_read to false.",
                    refused,
                )
        yield _page(first, shape)
        for page in pages:
            yield _page(page, shape)

    def _stored(self, operation: Operation) -> Iterator[pa.RecordBatch]:
        from google.cloud.bigquery_storage_v1 import types

        table = operation.table
        path = f"projects/{table.project}/datasets/{table.dataset_id}/tables/{table.table_id}"
        with self._connect() as storage:
            operation.storage = storage
            try:
                # One stream: several would each have their own order.
                session = storage.create_read_session(
                    parent=f"projects/{self._client.project}",
                    read_session=types.ReadSession(table=path, data_format=types.DataFormat.ARROW),
                    max_stream_count=1,
                    retry=_read_retry(),
                    timeout=ANSWER,
                )
            except exceptions.PermissionDenied as error:
                raise _NotAllowed(error.message) from None
            shape = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
            for stream in session.streams:
                # Goes on by itself where a broken connection stopped it.
                for message in storage.read_rows(stream.name, retry=_read_retry()):
                    yield pa.ipc.read_record_batch(pa.py_buffer(message.arrow_record_batch.serialized_record_batch), shape)

    def _connect(self) -> Any:
        """A client of its own for each read: closing its channel stops the read from any thread."""
        from google.cloud.bigquery_storage import BigQueryReadClient
        from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

        trusted = grpc.ssl_channel_credentials(Path(self._ca_file).read_bytes()) if self._ca_file else None
        host = {"host": self._endpoint} if self._endpoint else {}
        return BigQueryReadClient(  # type: ignore[no-untyped-call]
            transport=BigQueryReadGrpcTransport(**host, credentials=self._client._credentials, ssl_channel_credentials=trusted)
        )


class _NotAllowed(Exception):
    """No read session may be made."""


def _page(page: Any, shape: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*(row.values() for row in page), strict=True)) or [()] * len(shape)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, shape, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=shape)
