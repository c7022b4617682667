"""Ids on disk, dealt by hash: as many as one likes come in, and go out without duplicates, one part after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from activation.records.advertising_ids.digits import RECORD, Records, distinct
from activation.records.advertising_ids.threads import ahead

SHARES = 256
"""Into how many shares the ids are dealt; one of 100,000,000 has 8 MB."""

AT_ONCE = 1 << 17
"""Records that are collected before they are dealt and written with one call."""

_MOST = 1 << 20
"""Records of a share that are read before duplicates among them go; a share of nothing but duplicates stays small."""

_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
"""Odd numbers that spread every bit into the highest ones. Never change them: they decide the order of the ids in the files."""


class Spill:
    """One file that holds blocks of records, and in each block those of one share beside each other.

    :param file: is written, and removed when this is left.
    """

    def __init__(self, file: Path) -> None:
        self._path, self._file = file, file.open("w+b", buffering=0)
        self._dealer = ThreadPoolExecutor(1, "advertising-ids-spill")
        self._dealing: Future[None] | None = None
        self._blocks: list[npt.NDArray[np.int64]] = []
        self._waiting: list[Records] = []
        self._count = self._end = 0

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._dealer.shutdown()
        self._file.close()
        self._path.unlink(missing_ok=True)

    def add(self, records: Records) -> None:
        """Take some records; they are dealt in the background, a block at a time.

        :raises OSError: if the block before could not be written.
        """
        self._waiting.append(records)
        self._count += len(records)
        if self._count >= AT_ONCE:
            self._hand_over()

    def shares(self) -> Iterator[Records]:
        """Give every share, sorted and without duplicates; the same ids come in the same order, however they came in."""
        if self._count:
            self._hand_over()
        self._settle()
        yield from ahead(self._share, range(SHARES))

    def _hand_over(self) -> None:
        self._settle()
        self._dealing = self._dealer.submit(self._deal, self._waiting)
        self._waiting, self._count = [], 0

    def _settle(self) -> None:
        if self._dealing is not None:
            self._dealing.result()

    def _deal(self, waiting: list[Records]) -> None:
        records = np.concatenate(waiting)
        share = share_of(records)
        ends = self._end + RECORD.itemsize * np.cumsum(np.bincount(share, minlength=SHARES))
        block = np.take(records, np.argsort(share, kind="stable")).view(np.uint8).data
        while block:
            block = block[self._file.write(block) :]
        self._blocks.append(np.concatenate(([self._end], ends)))
        self._end = int(ends[-1])

    def _share(self, number: int) -> Records:
        held, waiting, count = np.empty(0, RECORD), list[Records](), 0
        for block in self._blocks:
            start, end = int(block[number]), int(block[number + 1])
            waiting.append(np.frombuffer(os.pread(self._file.fileno(), end - start, start), RECORD))
            count += len(waiting[-1])
            if count >= _MOST:
                held, waiting, count = distinct(np.concatenate([held, *waiting])), [], 0
        return distinct(np.concatenate([held, *waiting])) if count else held


def share_of(records: Records) -> npt.NDArray[np.uint8]:
    """To which share each id belongs, whatever its spelling."""
    mixed = (records["high"] ^ (records["low"] * _MIX[0])) * _MIX[1]
    shares: npt.NDArray[np.uint8] = (mixed >> np.uint64(56)).astype(np.uint8)
    return shares
