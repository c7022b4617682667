"""Results as the service gives them: the first rows in the answer, the rest in chunks of their own addresses."""

from __future__ import annotations

import itertools
import secrets
from base64 import b64encode
from collections import OrderedDict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from isal import igzip  # type: ignore[import-not-found]

INLINE_BYTES = 100_000
"""About what the service sends in the answer itself."""

KEEP = 20
"""Results whose chunks are kept."""

KEY = {"x-amz-server-side-encryption-customer-key": "c2FuZGJveA=="}
"""Header without which no chunk is given."""


class Results:
    """Chunks of the last results; they are written when they are asked for."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, pa.Table] = OrderedDict()

    def answer(self, table: pa.Table, columns: list[dict[str, Any]], address: str, most: int) -> dict[str, Any]:
        """The part of an answer that holds rows.

        :param table: the rows.
        :param address: where chunks are found.
        :param most: most bytes of a chunk, unless a row is larger.
        """
        encoded = encode(table, columns)
        width = encoded.nbytes / max(1, encoded.num_rows)
        inline = min(encoded.num_rows, max(1, int(INLINE_BYTES / max(1.0, width))))
        rows = max(1, int(most / max(1.0, width)))
        name = secrets.token_hex(8)
        data: dict[str, Any] = {
            "queryResultFormat": "arrow",
            "rowsetBase64": b64encode(_stream(encoded.slice(0, inline))).decode() if encoded.num_rows else "",
            "total": encoded.num_rows,
            "returned": encoded.num_rows,
        }
        if inline < encoded.num_rows:
            self._kept[name] = encoded
            while len(self._kept) > KEEP:
                self._kept.popitem(last=False)
            data |= {"chunks": _chunks(encoded, inline, rows, f"{address}/{name}"), "chunkHeaders": KEY}
        return data

    def chunk(self, name: str, start: int, end: int) -> bytes | None:
        """A chunk, compressed; nothing if it is not there any more."""
        table = self._kept.get(name)
        return None if table is None else bytes(igzip.compress(_stream(table.slice(start, end - start)), 1))


def encode(table: pa.Table, columns: list[dict[str, Any]]) -> pa.Table:
    """Bring a table of DuckDB into the service's form, where a timestamp is a struct and a NULL stays one."""
    fields = []
    for column in columns:
        values = {"logicalType": column["type"].upper(), "precision": column["precision"] or 38, "scale": column["scale"] or 0}
        values["charLength"] = column["length"] or 0
        fields.append({name: str(value) for name, value in values.items()})
    arrays = [_instants(one) if pa.types.is_timestamp(one.type) else _plain(one) for one in table.columns]
    schema = pa.schema(
        [pa.field(f.name, one.type, metadata=meta) for f, one, meta in zip(table.schema, arrays, fields, strict=True)]
    )
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_time(values.type):
        return pc.multiply(values.cast(pa.int64()), 1_000)
    if pa.types.is_uint64(values.type):
        return values.cast(pa.int64())
    return values.cast(pa.string()) if pa.types.is_null(values.type) else values


def _instants(values: pa.ChunkedArray) -> pa.Array:
    naive = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    ticks = naive.cast(pa.int64())
    second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[naive.type.unit]
    epoch = pc.divide(pc.floor_temporal(naive, unit="second").cast(pa.int64()), second)
    rest = pc.multiply(pc.subtract(ticks, pc.multiply(epoch, second)), 1_000_000_000 // second).cast(pa.int32())
    parts, names = [pc.fill_null(epoch, 0), pc.fill_null(rest, 0)], ["epoch", "fraction"]
    if naive.type.tz:
        parts.append(pa.array(itertools.repeat(1_440, len(naive)), pa.int32(), size=len(naive)))
        names.append("timezone")
    return pa.StructArray.from_arrays(parts, names=names, mask=pc.is_null(naive))


def _chunks(table: pa.Table, start: int, rows: int, address: str) -> list[dict[str, Any]]:
    found = []
    for place in range(start, table.num_rows, rows):
        end = min(place + rows, table.num_rows)
        size = table.slice(place, end - place).nbytes
        found.append(
            {"url": f"{address}/{place}/{end}", "rowCount": end - place, "uncompressedSize": size, "compressedSize": size}
        )
    return found


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())
