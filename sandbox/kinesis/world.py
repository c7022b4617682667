"""What the server holds: streams, faults and counts."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from sandbox.kinesis.errors import Refused, not_found
from sandbox.kinesis.faults import Faults
from sandbox.kinesis.settings import Limits, Settings
from sandbox.kinesis.stream import Stream

_KEPT_REQUESTS = 10_000


class World:
    """Everything that one server knows.

    :ivar calls: operation -> how often it was asked, refusals included.
    :ivar counts: records ``taken``, ``throttled`` by a limit, and ``failed`` on purpose; error code -> requests refused with it.
    :ivar writes: the last PutRecords: stream, records, bytes, records that failed, when (seconds since the epoch).
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self.clock = settings, clock
        self.streams: dict[str, Stream] = {}
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.writes: deque[dict[str, Any]] = deque(maxlen=_KEPT_REQUESTS)
        self.delay_ms = settings.delay_ms
        self.limits = settings.limits

    def create(self, name: str, count: int, *, on_demand: bool = False) -> Stream:
        """Make a stream."""
        if name in self.streams:
            raise Refused("ResourceInUseException", f"Stream {name} under account {self.settings.account} already exists.")
        stream = self.streams[name] = Stream(name, count, self.limits, self.clock, on_demand=on_demand)
        return stream

    def stream(self, name: str) -> Stream:
        """A stream by its name."""
        if name not in self.streams:
            raise not_found(name, self.settings.account)
        return self.streams[name]

    def arn(self, name: str) -> str:
        """The ARN of a stream."""
        return f"arn:aws:kinesis:{self.settings.region}:{self.settings.account}:stream/{name}"

    def limit(self, limits: Limits) -> None:
        """Set what every shard takes and gives from now on."""
        self.limits = limits
        for stream in self.streams.values():
            stream.limit(limits)
