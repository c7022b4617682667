"""Where the records of a stream go and how fast: the shard map and the budget over it, renewed when the stream is resharded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from activation.destinations.kinesis.budget import Budget
from activation.destinations.kinesis.settings import Stream
from activation.destinations.kinesis.shards import ShardMap, read_map
from activation.destinations.kinesis.wire import Wire

REREAD = 1.0
"""Seconds between two readings of the shard map."""

Keys = npt.NDArray[np.uint64]


class Standing:
    """The shards of one stream as this sender knows them. Belongs to one event loop.

    :param share: of each shard's limits that may be used.
    :ivar shards: ``None`` if they are not known: then the stream as a whole is slowed down where it is throttled.
    """

    def __init__(self, wire: Wire, stream: Stream, share: float) -> None:
        self._wire, self._stream, self._share = wire, stream, share
        self._reading = asyncio.Lock()
        self._read_at = -REREAD
        self._budget = Budget(1, None, time.monotonic())
        self.shards: ShardMap | None = None

    async def open(self) -> None:
        """Read the map."""
        await self._read()

    def book(self, keys: Keys, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """When each record may go; see :meth:`Budget.book`.

        :param keys: the upper 64 bits of each record's hash.
        """
        return self._budget.book(self._lanes(keys), sizes, time.monotonic())

    def taken(self, keys: Keys) -> None:
        """Count records that are in."""
        self._budget.taken(self._lanes(keys), time.monotonic())

    def throttled(self, keys: Keys) -> None:
        """Slow down the shards of throttled records."""
        self._budget.throttled(self._lanes(keys), time.monotonic())

    async def check(self, keys: Keys, landed: Sequence[str], *, wait: bool) -> bool:
        """Compare where records landed with where they were expected; if they differ, the map is read again.

        :param landed: the shard of each record.
        :param wait: whether it matters which shard is which now; else an old map may stay for a moment.
        :returns: whether one landed elsewhere.
        """
        shards = self.shards
        if shards is None:
            return False
        expected = shards.places(keys)
        if all(shard == shards.ids[place] for shard, place in zip(landed, expected.tolist(), strict=True)):
            return False
        if wait or not (self._reading.locked() or time.monotonic() < self._read_at + REREAD):
            async with self._reading:
                if self.shards is shards:
                    await asyncio.sleep(self._read_at + REREAD - time.monotonic())
                    await self._read()
        return True

    async def _read(self) -> None:
        found = await read_map(self._wire, self._stream)
        self._read_at = time.monotonic()
        if found is not None and found != self.shards:
            self.shards = found
            self._budget = Budget(len(found.ids), None if self._stream.on_demand else self._share, time.monotonic())

    def _lanes(self, keys: Keys) -> npt.NDArray[np.int64]:
        return np.zeros(len(keys), np.int64) if self.shards is None else self.shards.places(keys)
