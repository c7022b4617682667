"""Rows in the shapes of the protocol: Arrow batches within the answer, or links to files (CloudFetch)."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pyarrow as pa

from .operations import Operation

ttypes: Any = import_module("databricks.sql.thrift_api.TCLIService.ttypes")
lz4: Any = import_module("lz4.frame")

FILE_BYTES = 20 * 1024 * 1024
"""Bytes of a result file before it is compressed; the service's are of that order."""

INLINE_BYTES = 1024 * 1024
"""A larger result comes as links, if the client can follow them."""

_LINKS = 10
"""Links in one answer."""

_LINK_SECONDS = 900
"""How long the service's links last."""

_NAMES = {"int": "INT", "timestamp_ntz": "TIMESTAMP", "void": "NULL"}
_PLAIN = ("boolean", "tinyint", "smallint", "bigint", "float", "double", "string", "timestamp", "binary", "date")
_NESTED = ("array", "map", "struct")


class Files:
    """What links lead to: slices of results that are still kept, written when they are asked for."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address
        self._slices: dict[str, tuple[Operation, int, int, bool]] = {}
        self._lock = threading.Lock()

    def link(self, operation: Operation, offset: int, rows: int, size: int, *, compressed: bool) -> Any:
        """Make a link to some rows of a result."""
        name = uuid.uuid4().hex
        with self._lock:
            self._slices[name] = (operation, offset, rows, compressed)
        return ttypes.TSparkArrowResultLink(
            fileLink=f"{self._address()}/files/{name}",
            expiryTime=int((time.time() + _LINK_SECONDS) * 1000),
            startRowOffset=offset,
            rowCount=rows,
            bytesNum=size,
            httpHeaders={},
        )

    def read(self, name: str) -> bytes | None:
        """Write the file behind a link; nothing if its result was freed."""
        with self._lock:
            found = self._slices.get(name)
        rows = None if found is None else found[0].rows
        if found is None or rows is None:
            return None
        _, offset, count, compressed = found
        table = rows.slice(offset, count)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        data = sink.getvalue().to_pybytes()
        return bytes(lz4.compress(data)) if compressed else bytes(data)

    def free(self, operation: Operation) -> None:
        """Forget a result and every link to it."""
        operation.rows = None
        with self._lock:
            self._slices = {name: one for name, one in self._slices.items() if one[0] is not operation}


class Result:
    """How the client of one statement gets its rows.

    :param compressed: whether it takes LZ4.
    :param links: whether it follows links.
    """

    def __init__(self, operation: Operation, files: Files, *, compressed: bool, links: bool) -> None:
        self._operation, self._files, self._compressed, self._links = operation, files, compressed, links

    def metadata(self, status: Any) -> Any:
        """Describe the columns and the shape of the rows."""
        rows = self._operation.rows
        kinds = ttypes.TSparkRowSetType
        return ttypes.TGetResultSetMetadataResp(
            status=status,
            schema=ttypes.TTableSchema([_column(one, at) for at, one in enumerate(self._operation.fields, 1)]),
            resultFormat=kinds.URL_BASED_SET if self._linked() else kinds.ARROW_BASED_SET,
            lz4Compressed=self._compressed,
            arrowSchema=rows.schema.serialize().to_pybytes() if rows is not None else b"",
            isStagingOperation=False,
        )

    def fetch(self, status: Any, rows: int, size: int) -> Any:
        """Give the next rows: at most so many, and so many bytes unless one row is larger."""
        operation = self._operation
        answer = ttypes.TRowSet(startRowOffset=operation.offset, rows=[])
        if self._linked():
            answer.resultLinks = [link for _ in range(_LINKS) if (link := self._link()) is not None]
        else:
            answer.arrowBatches = [self._batch(one) for one in self._take(rows, size).to_batches()]
        more = operation.rows is not None and operation.offset < operation.rows.num_rows
        return ttypes.TFetchResultsResp(status=status, hasMoreRows=more, results=answer, resultSetMetadata=self.metadata(status))

    def _linked(self) -> bool:
        rows = self._operation.rows
        return self._links and rows is not None and rows.nbytes > INLINE_BYTES

    def _link(self) -> Any:
        begin = self._operation.offset
        taken = self._take(2**31 - 1, FILE_BYTES)
        if not taken.num_rows:
            return None
        return self._files.link(self._operation, begin, taken.num_rows, taken.nbytes, compressed=self._compressed)

    def _take(self, most: int, size: int) -> pa.Table:
        table = self._operation.rows
        if table is None:
            return pa.table({})
        rest = table.slice(self._operation.offset, most)
        while rest.num_rows > 1 and rest.nbytes > size:
            rest = rest.slice(0, max(1, min(rest.num_rows - 1, rest.num_rows * size // rest.nbytes)))
        self._operation.offset += rest.num_rows
        return rest

    def _batch(self, batch: pa.RecordBatch) -> Any:
        data = batch.serialize().to_pybytes()
        return ttypes.TSparkArrowBatch(lz4.compress(data) if self._compressed else data, batch.num_rows)


def _column(one: Any, position: int) -> Any:
    kind, qualifiers = one.dataType.simpleString().partition("(")[0].partition("<")[0], None
    if kind == "decimal":
        name = "DECIMAL"
        numbers = {"precision": one.dataType.precision, "scale": one.dataType.scale}
        qualifiers = ttypes.TTypeQualifiers({key: ttypes.TTypeQualifierValue(i32Value=n) for key, n in numbers.items()})
    else:
        name = _NAMES.get(kind, kind.upper() if kind in _PLAIN + _NESTED else "STRING")
    entry = ttypes.TPrimitiveTypeEntry(getattr(ttypes.TTypeId, f"{name}_TYPE"), qualifiers)
    return ttypes.TColumnDesc(one.name, ttypes.TTypeDesc([ttypes.TTypeEntry(primitiveEntry=entry)]), position, "")
