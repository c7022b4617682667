"""Messages and partition keys to the entries of PutRecords, in bulk (contracts: kinesis 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from activation.records.arrays import to_numpy
from activation.records.columnar import Projection
from activation.records.rules import text_of


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of some records.

    :ivar data: ``{"Data":"<base64>","PartitionKey":<JSON string>},`` for each record, one behind the other (UTF-8).
    :ivar offsets: where each entry begins in ``data``; shape (records + 1,), the last one is the end.
    :ivar hashes: the first eight bytes of the MD5 of each partition key, as a number with the first byte in front: the upper half
        of the 128 bits that choose the shard; shape (records,).
    """

    data: memoryview
    offsets: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]


class EntryWriter:
    """Writes entries."""

    def __init__(self) -> None:
        self._project = Projection(
            f"""SELECT concat('{{"Data":"', to_base64(encode(message)), '","PartitionKey":', {text_of("key")}, '}},') AS entry,
                md5_number_upper(key) AS hash FROM batch""",
            ("message", "key"),
        )

    def of(self, messages: pa.Array, keys: pa.Array) -> Entries:
        """The entries of records.

        :param messages: texts without NULL; shape (records,).
        :param keys: the partition keys, of 1 to 256 characters, without NULL; shape (records,).
        """
        table = self._project(pa.record_batch([messages, keys], names=["message", "key"]))
        data, offsets = _joined(table["entry"])
        # DuckDB takes the bytes of the digest as a number with the last one in front.
        return Entries(data, offsets, to_numpy(table["hash"], np.uint64).byteswap())

    def close(self) -> None:
        """Free the memory that the writing holds."""
        self._project.close()


def _joined(texts: pa.ChunkedArray) -> tuple[memoryview, npt.NDArray[np.int64]]:
    """Texts as one buffer with their offsets; copied only where there are several chunks."""
    chunks = [chunk for chunk in texts.chunks if len(chunk)]
    if not chunks:
        return memoryview(b""), np.zeros(1, np.int64)
    parts, ends = zip(*(_buffer(chunk) for chunk in chunks), strict=True)
    sizes = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)
    offsets = np.concatenate([sizes[:1], *(end[1:] + size for end, size in zip(ends, sizes[:-1], strict=True))])
    return parts[0] if len(parts) == 1 else memoryview(b"".join(parts)), offsets


def _buffer(texts: pa.Array) -> tuple[memoryview, npt.NDArray[np.int64]]:
    width: Any = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    ends = np.frombuffer(texts.buffers()[1], width, count=texts.offset + len(texts) + 1)[texts.offset :].astype(np.int64)
    return memoryview(texts.buffers()[2])[int(ends[0]) : int(ends[-1])], ends - ends[0]
