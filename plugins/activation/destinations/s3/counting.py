"""Counts the rows of a file of lines while its bytes pass by, compressed or not."""

from __future__ import annotations

import zlib

from activation.errors import FatalError

_MOST = 4 * 1024 * 1024
"""Bytes that are unpacked at a time, however well they were packed."""


class LineCounter:
    """Counts the rows of one CSV file with a header, or of one of JSON Lines.

    :param kind: ``csv`` or ``jsonl``.
    :param compression: ``none`` or ``gzip``.
    """

    def __init__(self, kind: str, compression: str) -> None:
        self._csv = kind == "csv"
        self._packed = _gzip() if compression == "gzip" else None
        self._ends, self._inside, self._last = 0, False, b"\n"
        self._broken, self._fed = "", False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the file."""
        self._fed = True
        if self._packed is None:
            return self._count(data)
        try:
            while data and not self._broken:
                if self._packed.eof:  # a file can consist of several
                    self._packed = _gzip()
                self._count(self._packed.decompress(data, _MOST))
                data = self._packed.unconsumed_tail or self._packed.unused_data
        except zlib.error as error:
            self._broken = str(error)
        return None

    def rows(self, place: str) -> int:
        """How many rows the file had.

        :param place: the file, for the text.
        :raises FatalError: if it was cut off, or is not compressed as it should be.
        """
        if self._packed is not None and self._fed and not self._broken:
            self._count(self._packed.flush())
            self._broken = "" if self._packed.eof else "it ends too early"
        if self._broken or self._inside:
            raise FatalError(f"The warehouse wrote {place}, which is broken: {self._broken or 'a quote is open at its end'}.")
        lines = self._ends + (self._last != b"\n")
        return max(0, lines - 1) if self._csv else lines

    def _count(self, data: bytes) -> None:
        """Count line ends outside of quotes; a quote in a text is two, which change nothing."""
        if not data:
            return
        self._last = data[-1:]
        if not self._csv:
            self._ends += data.count(b"\n")
            return
        pieces = data.split(b'"')
        self._ends += b"".join(pieces[self._inside :: 2]).count(b"\n")
        self._inside ^= len(pieces) % 2 == 0


def _gzip() -> zlib._Decompress:
    return zlib.decompressobj(wbits=31)
