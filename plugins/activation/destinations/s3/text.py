"""CSV and JSON Lines: some threads make lines of blocks and compress them, the caller's puts them in order."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import pyarrow as pa

from activation.destinations.s3.lines import Lines, lines_of, nonfinite
from activation.destinations.s3.packing import Packer
from activation.destinations.s3.writer import measure
from activation.records.columnar import Projection

AHEAD = 4
"""Blocks that are worked on at the same time. It must not depend on the machine: where parts end follows from it."""


class TextEncoder:
    """An :class:`~activation.destinations.s3.writer.Encoder` of lines."""

    def __init__(self, lines: Lines, packer: Packer) -> None:
        self._lines, self._packer = lines, packer
        threads = min(AHEAD, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="export")
        self._idle = SimpleQueue[Projection]()
        for _ in range(threads):
            self._idle.put(lines.projection())
        self._ahead: deque[tuple[int, Future[tuple[pa.Buffer, pa.Buffer | bytes]]]] = deque()
        self._taken = self._put = self.nonfinite = 0
        if lines.header:
            self._ahead.append((0, self._pool.submit(self._packed, pa.py_buffer(lines.header))))

    def write(self, block: pa.RecordBatch) -> None:
        """Start on a block, and put those that were started :data:`AHEAD` blocks ago."""
        while len(self._ahead) >= AHEAD:
            self._put_next()
        size = measure(block)
        self._taken += size
        self._ahead.append((size, self._pool.submit(self._made, block)))
        self.nonfinite += nonfinite(block, self._lines.finite)

    @property
    def size(self) -> int:
        """What is put, and what is not in the same proportion."""
        while self._ahead and not self._put:
            self._put_next()
        return self._packer.written * self._taken // max(1, self._put)

    def close(self) -> None:
        """Put what is left."""
        while self._ahead:
            self._put_next()
        self._packer.close()
        self._free()

    def abort(self) -> None:
        """Put nothing more."""
        self._packer.abort()
        self._free()

    def _put_next(self) -> None:
        size, future = self._ahead.popleft()
        self._packer.put(*future.result())
        self._put += size

    def _made(self, block: pa.RecordBatch) -> tuple[pa.Buffer, pa.Buffer | bytes]:
        project = self._idle.get()
        try:
            return self._packed(lines_of(block, project))
        finally:
            self._idle.put(project)

    def _packed(self, text: pa.Buffer) -> tuple[pa.Buffer, pa.Buffer | bytes]:
        return text, self._packer.pack(text)

    def _free(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._ahead.clear()
        while not self._idle.empty():
            self._idle.get().close()
