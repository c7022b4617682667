"""A shard: a range of hash keys, what was written there, and how much it takes and gives in a second."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.kinesis.settings import Limits


class Stored(NamedTuple):
    """A record as a shard keeps it; ``arrival`` in seconds since the epoch."""

    sequence: str
    key: str
    data: bytes
    arrival: float


class Allowance:
    """A token bucket that holds one second's worth and may go into debt; times in seconds of a steady clock."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        self._rate, self._left, self._at = rate, rate, now

    def has(self, amount: float, now: float) -> bool:
        """Whether the amount, or a whole second's worth, is there."""
        if now > self._at:
            self._left = min(self._rate, self._left + (now - self._at) * self._rate)
            self._at = now
        return self._left >= min(amount, self._rate)

    def take(self, amount: float) -> None:
        """Take the amount."""
        self._left -= amount


class Shard:
    """One shard; ``end`` is its last sequence number once it is closed.

    :ivar low: its first hash key.
    :ivar high: its last one.
    :ivar parents: the shards that it came of: none, one (split) or two (merge).
    :ivar records: in the order of writing.
    """

    __slots__ = ("_limits", "_read_bytes", "_reads", "_write_bytes", "_write_records", "children", "end", "high", "id", "low",
                 "parents", "records", "start")  # fmt: skip

    def __init__(
        self, number: int, low: int, high: int, start: str, limits: Limits, parents: tuple[Shard, ...] = (), *, now: float = 0
    ) -> None:
        self.id, self.low, self.high, self.start = f"shardId-{number:012d}", low, high, start
        self.parents = parents
        self.children: list[Shard] = []
        self.end: str | None = None
        self.records: list[Stored] = []
        self.limit(limits, now)

    def limit(self, limits: Limits, now: float) -> None:
        """Begin with fresh allowances."""
        self._limits = limits
        self._write_records, self._write_bytes, self._reads, self._read_bytes = (
            None if rate is None else Allowance(rate, now)
            for rate in (limits.write_records, limits.write_bytes, limits.reads, limits.read_bytes)
        )

    def admits(self, size: int, now: float) -> bool:
        """Take a record of that many bytes off the allowances, if it fits."""
        records, content = self._write_records, self._write_bytes
        if records is not None and not records.has(1, now):
            return False
        if content is not None:
            if not content.has(size, now):
                return False
            content.take(size)
        if records is not None:
            records.take(1)
        return True

    def may_be_read(self, now: float) -> bool:
        """Take a GetRecords off the allowance, if it fits."""
        reads, content = self._reads, self._read_bytes
        if reads is not None:
            if not reads.has(1, now):
                return False
            reads.take(1)
        return content is None or content.has(1, now)

    def was_read(self, size: int) -> None:
        """Take what was given off the allowance, which may go into debt."""
        if self._read_bytes is not None:
            self._read_bytes.take(size)

    def described(self) -> dict[str, object]:
        """As ListShards and DescribeStream give it."""
        told: dict[str, object] = {"ShardId": self.id}
        for name, parent in zip(("ParentShardId", "AdjacentParentShardId"), self.parents, strict=False):
            told[name] = parent.id
        told["HashKeyRange"] = {"StartingHashKey": str(self.low), "EndingHashKey": str(self.high)}
        numbers = {"StartingSequenceNumber": self.start}
        told["SequenceNumberRange"] = numbers if self.end is None else {**numbers, "EndingSequenceNumber": self.end}
        return told
