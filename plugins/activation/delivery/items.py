"""The items of one request: a slice of an encoded batch, not a copy of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

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

    @property
    def group(self) -> int:
        """Which of the destination's calls the items go to; all of them go to the same one."""
        groups = self.encoded.groups
        return 0 if groups is None or not len(self) else int(groups[self.first])

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
    :param most_bytes: most bytes of a request's items, as the destination counts them; a single item may be larger.
    """
    total = len(encoded.rows)
    bounds = np.append(np.arange(0, total, most), total)
    ends = encoded.offsets if encoded.marks is None else np.append(0, np.cumsum(encoded.marks.sizes))
    sizes = np.diff(ends[bounds])
    if total and sizes.max() > most_bytes:
        bounds = _greedy(ends, most, most_bytes)
    return [Items(encoded, int(first), int(last)) for first, last in pairwise(bounds)]


def arrange(items: Items, per_key: int | None) -> tuple[Items, ...]:
    """Split what cannot stand in one request: items of different calls, and too many of one key. Sent one after the other, the
    requests keep the order of each key.

    :param per_key: most items of one key in a request; ``None`` is without limit.
    """
    encoded, place = items.encoded, slice(items.first, items.last)
    groups = np.zeros(len(items), np.uint8) if encoded.groups is None else encoded.groups[place]
    waves = np.zeros(len(items), np.int64) if per_key is None else _occurrence(encoded.keys[place]) // per_key
    if len(items) == 0 or ((groups == groups[0]).all() and not waves.any()):
        return (items,)
    order = np.lexsort((groups, waves))
    part = encoded.take(items.first + order)
    changes = np.flatnonzero((np.diff(groups[order]) != 0) | (np.diff(waves[order]) != 0)) + 1
    return tuple(Items(part, int(first), int(last)) for first, last in pairwise([0, *changes, len(items)]))


def _occurrence(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """How many equal keys stand before each one."""
    order = np.argsort(keys, kind="stable")
    ranks = np.arange(len(keys))
    starts = np.concatenate([[True], keys[order][1:] != keys[order][:-1]]) if len(keys) else np.empty(0, np.bool_)
    found = np.empty(len(keys), np.int64)
    found[order] = ranks - np.maximum.accumulate(np.where(starts, ranks, 0))
    return found


def _greedy(ends: npt.NDArray[np.int64], most: int, most_bytes: int) -> npt.NDArray[np.int64]:
    """Fill each request as far as it goes.

    :param ends: where each item begins, and where the last one ends.
    """
    total = len(ends) - 1
    bounds = [0]
    while bounds[-1] < total:
        first = bounds[-1]
        fits = int(np.searchsorted(ends, ends[first] + most_bytes, side="right")) - 1
        bounds.append(min(max(fits, first + 1), first + most, total))
    return np.asarray(bounds, dtype=np.int64)
