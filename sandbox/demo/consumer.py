"""Somebody who reads the stream: real shard iterators, and the latest message of every profile."""

from __future__ import annotations

import json
import threading
from types import TracebackType
from typing import Any, TypeVar

from sandbox.kinesis import KinesisSandbox

C = TypeVar("C", bound="Consumer")


class Consumer:
    """Reads a stream from its beginning, for as long as a ``with`` block lasts.

    :ivar latest: partition key, which is the profile's id -> its newest message.
    :ivar count: messages read.
    :ivar error: what ended the reading too early.
    """

    def __init__(self, kinesis: KinesisSandbox, stream: str) -> None:
        self.latest: dict[str, dict[str, Any]] = {}
        self.count = 0
        self._kinesis, self._stream = kinesis, stream
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.error: Exception | None = None

    def __enter__(self: C) -> C:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def finish(self) -> None:
        """Read what is there and end.

        :raises Exception: what went wrong while reading.
        """
        self._over.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _read(self) -> None:
        try:
            for record in self._kinesis.reader(self._stream, idle=None, stop=self._over.is_set):
                self.latest[record.key] = json.loads(record.data)
                self.count += 1
        except Exception as error:  # noqa: BLE001 - told by finish
            self.error = error
