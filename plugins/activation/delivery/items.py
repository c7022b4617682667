"""The items of one request: a slice of an encoded batch, not a copy of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from activation.records.encoded import Encoded


@dataclass(frozen=True, slots=True)
class Items:
    """Good rows ``first`` to ``last`` (exclusive) of an encoded batch."""

    encoded: Encoded
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first

    @property
    def data(self) -> memoryview:
        """The encoded items with commas between them."""
        offsets = self.encoded.offsets
        return self.encoded.data[int(offsets[self.first]) : int(offsets[self.last]) - 1]

    def row(self, index: int) -> int:
        """The row in the batch that stands at an index of the request."""
        return int(self.encoded.rows[self.first + index])

    def halves(self) -> tuple[Items, Items]:
        """Split in the middle; both halves keep the order."""
        middle = (self.first + self.last) // 2
        return Items(self.encoded, self.first, middle), Items(self.encoded, middle, self.last)


def cut(encoded: Encoded, *, most: int, most_bytes: int) -> list[Items]:
    """Cut the good rows of a batch into requests.

    :param most: most items of a request.
    :param most_bytes: most bytes of a request's items; a single item may be larger.
    """
    total = len(encoded.rows)
    bounds = np.append(np.arange(0, total, most), total)
    sizes = np.diff(encoded.offsets[bounds])
    if total and sizes.max() > most_bytes:
        bounds = _greedy(encoded, most, most_bytes)
    return [Items(encoded, int(first), int(last)) for first, last in pairwise(bounds)]


def _greedy(encoded: Encoded, most: int, most_bytes: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    offsets, total = encoded.offsets, len(encoded.rows)
    bounds = [0]
    while bounds[-1] < total:
        first = bounds[-1]
        fits = int(np.searchsorted(offsets, offsets[first] + most_bytes, side="right")) - 1
        bounds.append(min(max(fits, first + 1), first + most, total))
    return np.asarray(bounds, dtype=np.int64)
