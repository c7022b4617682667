"""What each shard of a stream takes a second, and how fast this sender may therefore be.

A lane is a shard, or the whole stream where its shards are not known. Records are booked ahead: each one is told when it may go,
so that the records of a busy shard wait while the others of the same batch go out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RECORDS = 1_000.0
"""Records that a shard takes a second (contract 2.1)."""

BYTES = 1024.0 * 1024.0
"""Bytes that a shard takes a second, data before base64 and partition keys (contract 2.1)."""

BURST_RECORDS, BURST_BYTES = 1_000.0, 10 * 1024.0 * 1024.0
"""What a shard that was idle takes at once (contract 2.4, the KPL's token buckets)."""

SLOT = 0.2
"""Seconds to which later times are rounded up, so that records that go soon after each other share a call."""

_SLOWER = 0.85  # of the pace is left after a throttled answer
_EVENT = 0.25  # seconds within which throttled answers of a lane count as one
_LOWEST = 0.02  # of a shard's limits is always used
_FASTER = 0.10  # of a shard's limits, or of the pace if that is more, is added a second
_FREE_AFTER = 10.0  # seconds without a throttled answer after which a lane without a fixed budget has none again
_METER = 1.0  # seconds over which the taken records of a lane are counted

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class Budget:
    """The lanes of one stream. A lane's pace is in shards: 1.0 is what one shard takes.

    :param lanes: how many there are.
    :param share: of a shard's limits that may be used; ``None``: there is no fixed budget, a lane only slows down when it is
        throttled.
    """

    def __init__(self, lanes: int, share: float | None, now: float) -> None:
        self._most = np.inf if share is None else share
        self._pace = np.full(lanes, self._most)
        self._booked = np.full((2, lanes), -np.inf)  # until when what is booked uses up records and bytes
        self._slowed = np.full(lanes, -np.inf)
        self._raised = np.full(lanes, now)
        self._taken = np.zeros(lanes)
        self._since = now
        self._seen = np.zeros(lanes)

    def book(self, lanes: Places, sizes: npt.NDArray[np.int64], now: float) -> Floats:
        """Book records.

        :param lanes: the lane of each record.
        :param sizes: bytes of each record.
        :returns: when each record may go, at the earliest ``now``; seconds of the clock of ``now``. The records of a lane get
            their times in their order.
        """
        self._raise(now)
        count = len(self._pace)
        costs = np.stack([np.bincount(lanes, minlength=count), np.bincount(lanes, sizes, minlength=count)])
        rates = self._rates()
        begins = np.maximum(self._booked, now - np.array([[BURST_RECORDS], [BURST_BYTES]]) / rates)
        ends = begins + costs / rates
        touched = costs[0] > 0
        self._booked[:, touched] = ends[:, touched]
        if (ends[:, touched] <= now).all():
            return np.full(len(lanes), now)
        return _rounded_up(_each(lanes, sizes, begins, rates), now)

    def taken(self, lanes: Places, now: float) -> None:
        """Count records that are in."""
        self._taken += np.bincount(lanes, minlength=len(self._pace))
        if now - self._since >= _METER:
            self._seen = self._taken / (now - self._since)
            self._taken[:], self._since = 0, now

    def throttled(self, lanes: Places, now: float) -> None:
        """Slow down lanes in which records were throttled: what was thought to be left of their bursts is not there."""
        hit = np.zeros(len(self._pace), np.bool_)
        hit[lanes] = True
        self._booked[:, hit] = np.maximum(self._booked[:, hit], now)
        hit &= now - self._slowed >= _EVENT
        seen = np.maximum(self._seen, self._taken / max(now - self._since, _EVENT)) / RECORDS
        pace = np.where(np.isinf(self._pace), np.maximum(seen, 1.0), self._pace)
        self._pace[hit] = np.maximum(pace * _SLOWER, min(_LOWEST, self._most))[hit]
        self._slowed[hit] = self._raised[hit] = now

    def _rates(self) -> Floats:
        """Records and bytes a second of each lane; shape (2, lanes)."""
        rates: Floats = np.array([[RECORDS], [BYTES]]) * self._pace
        return rates

    def _raise(self, now: float) -> None:
        slow = self._pace < self._most
        if not slow.any():
            return
        self._pace[slow] += (np.maximum(self._pace, 1.0) * _FASTER * (now - self._raised))[slow]
        self._raised[slow] = now
        self._pace[slow & (np.isinf(self._most) & (now - self._slowed > _FREE_AFTER))] = np.inf
        np.minimum(self._pace, self._most, out=self._pace)


def _each(lanes: Places, sizes: npt.NDArray[np.int64], begins: Floats, rates: Floats) -> Floats:
    """When each record may go, if those of its lane go one after the other."""
    order = np.argsort(lanes, kind="stable")
    of = lanes[order]
    first = np.concatenate([[True], of[1:] != of[:-1]])
    times = np.full(len(lanes), -np.inf)
    for kind, cost in enumerate((np.ones(len(lanes)), sizes[order].astype(np.float64))):
        total = np.cumsum(cost)
        before = (total - cost)[first][np.cumsum(first) - 1]
        times = np.maximum(times, begins[kind][of] + (total - before) / rates[kind][of])
    due = np.empty(len(lanes))
    due[order] = times
    return due


def _rounded_up(due: Floats, now: float) -> Floats:
    return np.where(due <= now, now, now + np.ceil((due - now) / SLOT) * SLOT)
