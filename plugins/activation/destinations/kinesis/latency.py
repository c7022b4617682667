"""How long it took from a change to the acknowledged record, over any number of records in bounded memory."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_STEP = math.log(1.03)
_FINEST = 1e-3
_BINS = math.ceil(math.log(1e12) / _STEP)
"""From a millisecond to thirty years."""


class Latency:
    """A histogram whose bins grow by 3 %, so that a percentile is wrong by 1.5 % at most, and below a millisecond by that.

    :ivar count: records with a known time of change.
    :ivar longest: seconds of the slowest one, exact; 0 if there is none.
    """

    def __init__(self) -> None:
        self._bins = np.zeros(_BINS, np.int64)
        self.count = 0
        self.longest = 0.0

    def add(self, stamps: npt.NDArray[np.int64], now: float) -> None:
        """Count acknowledged records.

        :param stamps: microseconds since the epoch when each one's change happened, -1 if it is not known.
        :param now: seconds since the epoch when they were acknowledged. A change of the future counts as one of this moment.
        """
        known = stamps[stamps >= 0]
        if not len(known):
            return
        seconds = np.maximum(now - known / 1e6, _FINEST)
        self.longest = max(self.longest, float(now - known.min() / 1e6))
        places = np.minimum((np.log(seconds / _FINEST) / _STEP).astype(np.int64), _BINS - 1)
        self._bins += np.bincount(places, minlength=_BINS)
        self.count += len(known)

    def percentile(self, share: float) -> float | None:
        """The seconds within which a share of the records was acknowledged; ``None`` if there is no record.

        :param share: above 0 up to 1.
        """
        if not self.count:
            return None
        place = int(np.searchsorted(np.cumsum(self._bins), math.ceil(share * self.count)))
        return min(self.longest, _FINEST * math.exp((place + 0.5) * _STEP)) if place else min(self.longest, _FINEST)

    @property
    def p50(self) -> float | None:
        """Seconds within which half of the records was acknowledged."""
        return self.percentile(0.50)

    @property
    def p95(self) -> float | None:
        """Seconds within which 95 of 100 records were acknowledged."""
        return self.percentile(0.95)
