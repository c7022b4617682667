"""From rows to one value a profile: numpy over the numbers of the profiles, without a loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from activation.records.arrays import to_numpy

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

NEVER = int(np.iinfo(np.int64).max)
"""Stands for a number that is not there, behind all others."""


def single(array: pa.ChunkedArray) -> pa.Array:
    """The values in one piece; a copy only if there are several."""
    chunks = array.chunks or [pa.nulls(0, array.type)]
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def numbers(array: pa.ChunkedArray) -> Numbers:
    """Whole numbers, with :data:`NEVER` for NULL."""
    return to_numpy(pc.fill_null(array.cast(pa.int64()), NEVER), np.int64)


def bools(flags: Flags) -> pa.Array:
    """Flags as an Arrow array."""
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, _bits(flags)])


def without(values: Numbers, missing: Flags) -> pa.Array:
    """Whole numbers as an Arrow array, NULL where one is missing."""
    return pa.Array.from_buffers(pa.int64(), len(values), [_bits(~missing), pa.py_buffer(np.ascontiguousarray(values))])


def _bits(flags: Flags) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def texts(whole: pa.Array, number: Numbers, profiles: int) -> pa.Array:
    """The pieces of each profile, one behind the other; the text itself is not copied.

    :param whole: the pieces.
    :param number: of each piece's profile, ascending; shape (pieces,).
    :param profiles: how many there are; one without pieces has the empty text.
    """
    width: Any = np.int64 if pa.types.is_large_string(whole.type) else np.int32
    if not len(whole):
        return pa.array([""] * profiles, pa.string())
    ends = np.frombuffer(whole.buffers()[1], width, count=whole.offset + len(whole) + 1)[whole.offset :]
    bounds = np.searchsorted(number, np.arange(profiles + 1))
    return pa.Array.from_buffers(whole.type, profiles, [None, pa.py_buffer(ends[bounds]), whole.buffers()[2]]).cast(pa.string())


class Gathered:
    """What the rows of a block say about each of its profiles; shape (profiles,) each.

    :ivar realized: whether a mapped audience has the profile.
    :ivar told: whether there is news of it even if none has.
    :ivar written: whether its attributes were written to.
    :ivar moment: its first change in the window, microseconds since the epoch, or :data:`NEVER`.
    :ivar broken: the first rule that its rows break, or :data:`NEVER`.
    """

    def __init__(self, profiles: int) -> None:
        self.profiles = profiles
        self.realized, self.told, self.written = (np.zeros(profiles, np.bool_) for _ in range(3))
        self.moment, self.broken = (np.full(profiles, NEVER) for _ in range(2))

    def changed(self, number: Numbers, moment: Numbers) -> None:
        """Take notice of changes.

        :param number: of each change's profile.
        :param moment: when it was, or :data:`NEVER`.
        """
        np.minimum.at(self.moment, number, moment)

    def break_rules(self, number: Numbers, rules: Numbers) -> None:
        """Take notice of the rules that rows break, as :meth:`changed` does of moments."""
        np.minimum.at(self.broken, number, rules)
