"""Compression of text files, so that the same text gives the same bytes (contracts: s3_export 3.7, S-F3).

Either way the file is one stream, not several in a row: some readers stop quietly at the end of the first one.
"""

from __future__ import annotations

import struct
import zlib
from typing import Protocol

import pyarrow as pa

from activation.destinations.s3.writer import Sink

GZIP_LEVEL = 1
"""Three times as fast as the usual 6, for a tenth more bytes (measured with ids, names, numbers and moments)."""

# No name, no time, and no word about the machine: the fields of RFC 1952 that would differ from run to run.
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"


class Packer(Protocol):
    """One compression."""

    @property
    def written(self) -> int:
        """Bytes that the sink was given."""

    def pack(self, text: pa.Buffer) -> pa.Buffer | bytes:
        """Compress a piece of text as far as it does not need what stands before it. Any thread may call it at any time."""

    def put(self, text: pa.Buffer, packed: pa.Buffer | bytes) -> None:
        """Write the next piece of text, in order."""

    def close(self) -> None:
        """Write the end."""

    def abort(self) -> None:
        """Write nothing more."""


def packer(compression: str, sink: Sink) -> Packer:
    """Choose the packer.

    :param compression: none, gzip or zstd.
    """
    return {"none": _Plain, "gzip": _Gzip, "zstd": _Zstd}[compression](sink)


class SinkFile:
    """A sink as the file that Arrow writes to; without one, and after :meth:`detach`, it only counts."""

    closed = False

    def __init__(self, sink: Sink | None) -> None:
        self._sink = sink
        self.written = 0

    def write(self, data: bytes | memoryview | pa.Buffer) -> int:
        """Pass bytes on."""
        if self._sink is not None:
            self._sink.write(data)
        self.written += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held here."""

    def close(self) -> None:
        """Leave the sink open."""

    def detach(self) -> None:
        """Drop what comes from now on."""
        self._sink = None


class _Plain:
    def __init__(self, sink: Sink) -> None:
        self._sink, self.written = sink, 0

    def pack(self, text: pa.Buffer) -> pa.Buffer | bytes:
        return text

    def put(self, text: pa.Buffer, packed: pa.Buffer | bytes) -> None:
        self._write(packed)

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def _write(self, data: pa.Buffer | bytes) -> None:
        self._sink.write(data)
        self.written += len(data)


class _Gzip(_Plain):
    """Pieces are compressed side by side: each ends on a whole byte, and none refers to another."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._sum = self._size = 0

    def pack(self, text: pa.Buffer) -> bytes:
        deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)

    def put(self, text: pa.Buffer, packed: pa.Buffer | bytes) -> None:
        self._begin()
        self._sum, self._size = zlib.crc32(text, self._sum), self._size + len(text)
        self._write(packed)

    def close(self) -> None:
        self._begin()
        self._write(_LAST_BLOCK + struct.pack("<LL", self._sum, self._size & 0xFFFFFFFF))

    def _begin(self) -> None:
        if not self.written:
            self._write(_GZIP_HEAD)


class _Zstd(_Plain):
    """One frame has one state, so it is compressed in order; that is fast enough."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._file = SinkFile(sink)
        self._stream = pa.CompressedOutputStream(pa.PythonFile(self._file, mode="w"), "zstd")

    def put(self, text: pa.Buffer, packed: pa.Buffer | bytes) -> None:
        self._stream.write(packed)
        self.written = self._file.written

    def close(self) -> None:
        self._stream.close()
        self.written = self._file.written

    def abort(self) -> None:
        self._file.detach()
        self._stream.close()
