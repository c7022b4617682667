"""Counts the advertising ids of an upload while it arrives, without holding them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from sandbox.kakao.settings import Ids

_LENGTH: Final = 36
_HYPHENS: Final = (8, 13, 18, 23)
_DIGITS: Final = np.array([place for place in range(_LENGTH) if place not in _HYPHENS])
_BUCKETS: Final = 32
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_BAD: Final = 255
_LONGEST_LINE: Final = 1 << 20

_Bytes = npt.NDArray[np.uint8]


class Tally:
    """Lines, valid ids, and valid ids that are there for the first time, whatever their case.

    Ids are spread over files by a hash, sixteen bytes each, so that :meth:`finish` needs the memory of one file at a time.

    :param folder: where those files are written.
    :ivar lines: that are not blank.
    :ivar valid: lines that are an advertising id.
    """

    def __init__(self, folder: Path, rules: Ids) -> None:
        self.lines = self.valid = 0
        self._rules, self._values = rules, _values(rules.case)
        self._paths = [folder / f"ids-{number}" for number in range(_BUCKETS)]
        self._files: list[BinaryIO] = [path.open("wb") for path in self._paths]
        self._rest, self._skipping = b"", False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of a part."""
        if self._skipping:
            _, found, chunk = chunk.partition(b"\n")
            if not found:
                return
            self._skipping = False
        chunk = self._rest + chunk
        end = chunk.rfind(b"\n") + 1
        self._rest = chunk[end:]
        if len(self._rest) > _LONGEST_LINE:  # no id; what follows of it is not even kept
            self._rest, self._skipping = b"", True
            self.lines += 1
        if end:
            self._count(chunk[:end])

    def end_part(self) -> None:
        """Take the part's last line, which may have no line end."""
        self._skipping = False
        if self._rest:
            self._count(self._rest + b"\n")
            self._rest = b""

    def finish(self) -> int:
        """How many different ids were valid; removes the files."""
        self._close()
        unique = 0
        for path in self._paths:
            pairs = np.fromfile(path, np.uint64).reshape(-1, 2)
            if len(pairs):
                ordered = pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]
                unique += 1 + int((ordered[1:] != ordered[:-1]).any(axis=1).sum())
            path.unlink()
        return unique

    def drop(self) -> None:
        """Remove the files without a count."""
        self._close()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _close(self) -> None:
        for file in self._files:
            file.close()

    def _count(self, lines: bytes) -> None:
        """Count whole lines."""
        data = np.frombuffer(lines, np.uint8)
        ends = np.flatnonzero(data == ord("\n"))
        starts = np.concatenate(([0], ends[:-1] + 1))
        lengths = ends - starts
        if self._rules.line_ends == "any":
            lengths = lengths - ((lengths > 0) & (data[ends - 1] == ord("\r")))
        self.lines += int((lengths > 0).sum())
        starts = starts[lengths == _LENGTH]
        if not len(starts):
            return
        ids = data[starts[:, None] + np.arange(_LENGTH)]
        digits = self._values[ids[:, _DIGITS]]
        good = (digits != _BAD).all(axis=1) & (ids[:, _HYPHENS] == ord("-")).all(axis=1)
        if not self._rules.all_zero:
            good &= digits.any(axis=1)
        digits = digits[good]
        self.valid += len(digits)
        self._spread(np.ascontiguousarray(digits[:, 0::2] << 4 | digits[:, 1::2]).view(np.uint64))

    def _spread(self, pairs: npt.NDArray[np.uint64]) -> None:
        buckets = ((pairs[:, 0] ^ pairs[:, 1]) * _SPREAD >> np.uint64(59)).astype(np.intp)
        order = np.argsort(buckets, kind="stable")
        borders = np.searchsorted(buckets[order], np.arange(_BUCKETS + 1))
        ordered = pairs[order]
        for number, file in enumerate(self._files):
            file.write(ordered[borders[number] : borders[number + 1]].tobytes())


def _values(case: str) -> _Bytes:
    """The value of every character as a hexadecimal digit, or 255."""
    table: np.ndarray[Any, np.dtype[np.uint8]] = np.full(256, _BAD, np.uint8)
    letters = {"any": "abcdefABCDEF", "lower": "abcdef", "upper": "ABCDEF"}[case]
    for letter in "0123456789" + letters:
        table[ord(letter)] = int(letter, 16)
    return table
