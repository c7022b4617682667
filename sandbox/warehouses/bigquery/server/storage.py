"""The part of the Storage Read API that reads the rows of a query job, as Arrow, in one stream."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import grpc  # type: ignore[import-untyped,unused-ignore]
import pyarrow as pa
from bqemulator.streaming.read_session import serialize_arrow_record_batch  # type: ignore[import-not-found,unused-ignore]
from google.cloud.bigquery_storage_v1 import types  # type: ignore[import-untyped,unused-ignore]

MESSAGE_BYTES = 1024 * 1024
"""About the size of the service's messages, unless a row is larger."""

KEPT = 8
"""Sessions that can be read; the service keeps them for six hours."""

_REFUSAL = (
    "request failed: the user does not have 'bigquery.readsessions.create' permission for 'projects/sandbox-project' "
    "or the project does not exist"
)

_SERVICE = "/google.cloud.bigquery.storage.v1.BigQueryRead/"


class StorageRead(grpc.GenericRpcHandler):  # type: ignore[misc,unused-ignore]
    """CreateReadSession and ReadRows.

    :param find: gives the rows of an anonymous table by its id.
    """

    def __init__(self, find: Callable[[str], pa.Table | None]) -> None:
        self._find = find
        self._sessions: OrderedDict[str, pa.Table] = OrderedDict()
        self.reading = 0
        self.made = 0
        self.allowed = True

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """Give the handler of a method."""
        if details.method == f"{_SERVICE}CreateReadSession":
            return grpc.unary_unary_rpc_method_handler(self._create)
        if details.method == f"{_SERVICE}ReadRows":
            return grpc.unary_stream_rpc_method_handler(self._read)
        return None

    async def _create(self, request: bytes, context: Any) -> bytes:
        if not self.allowed:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, _REFUSAL)
        asked = types.CreateReadSessionRequest.deserialize(request).read_session
        table = self._find(asked.table.rpartition("/")[2])
        if table is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Not found: Table {asked.table}")
            raise AssertionError
        name = f"projects/sandbox/locations/us/sessions/{uuid4().hex}"
        self._sessions[name] = table
        self.made += 1
        while len(self._sessions) > KEPT:
            self._sessions.popitem(last=False)
        session = types.ReadSession(
            name=name,
            table=asked.table,
            data_format=types.DataFormat.ARROW,
            arrow_schema=types.ArrowSchema(serialized_schema=table.schema.serialize().to_pybytes()),
            streams=[types.ReadStream(name=f"{name}/streams/0")] if table.num_rows else [],
        )
        return bytes(types.ReadSession.serialize(session))

    async def _read(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        asked = types.ReadRowsRequest.deserialize(request)
        table = self._sessions.get(asked.read_stream.rpartition("/streams/")[0])
        if table is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Not found: Stream {asked.read_stream}")
            raise AssertionError
        rows = max(1, MESSAGE_BYTES * table.num_rows // max(1, table.nbytes))
        self.reading += 1
        try:
            for batch in table.slice(asked.offset).to_batches(max_chunksize=rows):
                record = types.ArrowRecordBatch(
                    serialized_record_batch=await asyncio.to_thread(serialize_arrow_record_batch, batch)
                )
                yield bytes(
                    types.ReadRowsResponse.serialize(types.ReadRowsResponse(row_count=batch.num_rows, arrow_record_batch=record))
                )
        finally:
            self.reading -= 1
