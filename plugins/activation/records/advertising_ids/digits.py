"""Texts of 36 characters <-> numbers, for whole columns at once: 128 bits for the digits, 32 for which letters are small.

DuckDB does this too, but not within the bounds: with a memory limit of 96 MB and two threads its GROUP BY ran out of memory with
10 million ids and its ORDER BY with 60 million, and both took longer. Its cast to UUID takes other forms of ids as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from activation.records.advertising_ids.rules import Case

CHARACTERS = 36
"""Length of an id (contracts: kakao_moment 7.1)."""

RECORD = np.dtype([("high", "<u8"), ("low", "<u8"), ("small", "<u4")])
"""One id: its digits, and from the first digit down a bit for each that is a small letter. Of two spellings of an id the smaller
number is the one that comes first by code point."""

Records = npt.NDArray[Any]
"""Of :data:`RECORD`."""

_GROUPS = ((0, 0, 8), (8, 9, 4), (12, 14, 4), (16, 19, 4), (20, 24, 12))
"""First digit, first character, digits."""
_HYPHENS = (8, 13, 18, 23)
_GOOD = 0x0101010101010101


def records_of(texts: pa.StringArray, case: Case) -> tuple[Records, npt.NDArray[np.bool_]]:
    """Read ids.

    :param texts: each of :data:`CHARACTERS` bytes, none null.
    :returns: a record for each text that is an id, and which ones are.
    """
    if not len(texts):
        return np.empty(0, RECORD), np.empty(0, np.bool_)
    start = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset]
    data = np.frombuffer(texts.buffers()[2], np.uint8)[start : start + CHARACTERS * len(texts)].reshape(-1, CHARACTERS)
    digits = np.empty((len(texts), 32), np.uint8)
    for digit, character, count in _GROUPS:
        digits[:, digit : digit + count] = data[:, character : character + count]
    good = ((digits - 0x30) <= 9) | (((digits | 0x20) - 0x61) <= 5)
    eights = good.view(np.uint64)
    right = (eights[:, 0] & eights[:, 1] & eights[:, 2] & eights[:, 3]) == _GOOD
    for place in _HYPHENS:
        right &= data[:, place] == 0x2D
    return _records(digits if right.all() else digits[right], case), right


def _records(digits: npt.NDArray[np.uint8], case: Case) -> Records:
    pairs = ((digits & 15) + (digits >> 6) * 9).view("<u2")
    numbers = ((pairs << 4) | (pairs >> 8)).astype(np.uint8).view(">u8").reshape(-1, 2)
    records = np.empty(len(digits), RECORD)
    records["high"], records["low"], records["small"] = numbers[:, 0], numbers[:, 1], 0
    if case != "upper":
        small = (digits & 0x60) == 0x60 if case == "keep" else digits >= 0x40
        records["small"] = np.packbits(small).view(">u4")
    return records


def lines_of(records: Records) -> npt.NDArray[np.uint8]:
    """Write ids as lines of UTF-8 that end with LF: one row of 37 bytes for each."""
    numbers = np.empty((len(records), 2), ">u8")
    numbers[:, 0], numbers[:, 1] = records["high"], records["low"]
    pairs = numbers.view(np.uint8).astype("<u2")
    digits = ((pairs >> 4) | ((pairs & 15) << 8)).view(np.uint8)
    small = np.unpackbits(records["small"].astype(">u4").view(np.uint8)).reshape(-1, 32)
    digits += 0x30 + 7 * (digits > 9).view(np.uint8)
    digits |= small << 5
    lines = np.empty((len(records), CHARACTERS + 1), np.uint8)
    for digit, character, count in _GROUPS:
        lines[:, character : character + count] = digits[:, digit : digit + count]
    lines[:, _HYPHENS] = 0x2D
    lines[:, CHARACTERS] = 0x0A
    return lines


def distinct(records: Records) -> Records:
    """Sort ids and keep one record of each, with its first spelling."""
    records = np.take(records, np.argsort(records["high"]))  # takes rows that have fields far faster than an index does
    same = records["high"][1:] == records["high"][:-1]
    if not same.any():
        return records
    # Only what shares its first half with a neighbour has to be looked at closer.
    tied = np.zeros(len(records), np.bool_)
    tied[1:] |= same
    tied[:-1] |= same
    places = np.flatnonzero(tied)
    close = np.take(records, places)
    records[places] = np.take(close, np.lexsort((close["small"], close["low"], close["high"])))
    first = np.ones(len(records), np.bool_)
    first[1:] = ~(same & (records["low"][1:] == records["low"][:-1]))
    return np.take(records, np.flatnonzero(first))
