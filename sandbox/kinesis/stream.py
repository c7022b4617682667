"""A stream: its shards, and how they are split and merged."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from hashlib import md5

from sandbox.kinesis import contract
from sandbox.kinesis.errors import Refused, invalid
from sandbox.kinesis.settings import Limits
from sandbox.kinesis.shard import Shard

_FIRST_SEQUENCE = 49_600_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000
"""Sequence numbers have 56 digits, as those of Kinesis, and grow with time over all shards of a stream."""


class Stream:
    """A stream.

    :ivar shards: all of them by id, closed ones too, in the order of their making.
    :ivar status: ``ACTIVE``, ``UPDATING``, ``CREATING`` or ``DELETING``.
    :ivar encryption: id of its KMS key; ``None`` for none.
    :ivar spreads: whether its records go to the shards in turn, whatever their keys (distribution strategy ``AUTO``).
    :ivar created: seconds since the epoch.
    """

    def __init__(self, name: str, count: int, limits: Limits, clock: Callable[[], float], *, on_demand: bool = False) -> None:
        self.name, self.on_demand, self.status = name, on_demand, "ACTIVE"
        self.max_record = contract.RECORD_KIB[0] * 1024
        self.encryption: str | None = None
        self.spreads = False
        self.created = time.time()
        self.shards: dict[str, Shard] = {}
        self._limits, self._clock = limits, clock
        self._sequence = _FIRST_SEQUENCE
        for low, high in _even(count):
            self._add(low, high)
        self._map()

    def sequence(self) -> str:
        """The next sequence number."""
        self._sequence += 16
        return str(self._sequence)

    @property
    def open(self) -> list[Shard]:
        """The open shards by their ranges."""
        return self._open

    def shard_of(self, hash_key: int) -> Shard:
        """The open shard that takes a hash key."""
        return self._open[bisect_right(self._lows, hash_key) - 1]

    def shard_for(self, hash_key: int) -> Shard:
        """The open shard that the next record goes to."""
        return self._open[self._sequence // 16 % len(self._open)] if self.spreads else self.shard_of(hash_key)

    def limit(self, limits: Limits) -> None:
        """Let all shards, and those to come, take and give that much from now on."""
        self._limits = limits
        for shard in self.shards.values():
            shard.limit(limits, self._clock())

    def find(self, shard_id: str, account: str) -> Shard:
        """A shard by its id."""
        if shard_id not in self.shards:
            raise Refused(
                "ResourceNotFoundException", f"Could not find shard {shard_id} in stream {self.name} under account {account}."
            )
        return self.shards[shard_id]

    def split(self, shard: Shard, at: int) -> None:
        """Split an open shard; the second half begins with the hash key ``at``."""
        self._must_be_open(shard)
        if not shard.low < at <= shard.high:
            raise invalid(
                f"NewStartingHashKey {at} used in SplitShard() on shard {shard.id} in stream {self.name} is not both greater "
                f"than one plus the shard's StartingHashKey {shard.low} and less than the shard's EndingHashKey {shard.high}."
            )
        self._close(shard)
        self._add(shard.low, at - 1, (shard,))
        self._add(at, shard.high, (shard,))
        self._map()

    def merge(self, first: Shard, second: Shard) -> None:
        """Merge two open shards whose ranges are neighbours."""
        for shard in (first, second):
            self._must_be_open(shard)
        low, high = sorted((first, second), key=lambda shard: shard.low)
        if low.high + 1 != high.low:
            raise invalid(f"Shards {first.id} and {second.id} in stream {self.name} are not an adjacent pair of shards")
        for shard in (low, high):
            self._close(shard)
        self._add(low.low, high.high, (first, second))
        self._map()

    def resize(self, count: int) -> None:
        """Have that many shards of the same size, by splits and merges."""
        now = len(self._open)
        if not now / 2 <= count <= now * 2:
            raise invalid(
                f"UpdateShardCount cannot scale {'up over double' if count > now else 'down below half'} your current open shard "
                f"count. Current open shard count: {now}. Target shard count: {count}."
            )
        ranges = list(_even(count))
        for low, _ in ranges:
            shard = self.shard_of(low)
            if shard.low != low:
                self.split(shard, low)
        for low, high in ranges:
            while (shard := self.shard_of(low)).high < high:
                self.merge(shard, self.shard_of(shard.high + 1))

    def _must_be_open(self, shard: Shard) -> None:
        if shard.end is not None:
            raise invalid(f"Shard {shard.id} in stream {self.name} is closed.")

    def _add(self, low: int, high: int, parents: tuple[Shard, ...] = ()) -> None:
        shard = Shard(len(self.shards), low, high, self.sequence(), self._limits, parents, now=self._clock())
        self.shards[shard.id] = shard
        for parent in parents:
            parent.children.append(shard)

    def _close(self, shard: Shard) -> None:
        shard.end = self.sequence()

    def _map(self) -> None:
        self._open = sorted((one for one in self.shards.values() if one.end is None), key=lambda shard: shard.low)
        self._lows = [shard.low for shard in self._open]


def hash_of(key: str) -> int:
    """The hash key of a partition key (contracts: kinesis_profiles 2.1)."""
    return int.from_bytes(md5(key.encode(), usedforsecurity=False).digest(), "big")


def _even(count: int) -> Iterator[tuple[int, int]]:
    width = contract.HASHES // count
    for number in range(count):
        last = number == count - 1
        yield number * width, contract.HASHES - 1 if last else (number + 1) * width - 1
