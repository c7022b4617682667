"""Part files: one id a line, each file at most as large as its destination takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from activation.errors import ConfigurationError
from activation.records.advertising_ids.digits import CHARACTERS, RECORD, lines_of

LINE_BYTES = CHARACTERS + 1
"""Bytes of a line: an id and LF (contracts: kakao_moment 2.5)."""

_AT_ONCE = 1 << 14
"""Ids that are turned into lines at once; what that takes fits into a processor's cache."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file of ids: UTF-8 without a byte order mark, one id a line, every line ends with LF, no header.

    :ivar sha256: of its bytes, in hexadecimal digits.
    """

    path: Path
    ids: int
    bytes: int
    sha256: str


def ids_of(limit_bytes: int) -> int:
    """How many ids a file of so many bytes holds.

    :raises ConfigurationError: if it is not even one.
    """
    if limit_bytes < LINE_BYTES:
        raise ConfigurationError(
            f"A part file of at most {limit_bytes} bytes holds no advertising id; one takes {LINE_BYTES} bytes.",
            "Raise file.limit.",
        )
    return limit_bytes // LINE_BYTES


def write_part(records: Path, start: int, ids: int, path: Path) -> PartFile:
    """Write some ids into a file.

    :param records: a file of :data:`~activation.records.advertising_ids.digits.RECORD`.
    :param start: number of the first one, from 0.
    :param ids: how many; as many must be there.
    """
    digest = hashlib.sha256()
    with records.open("rb") as source, path.open("wb", buffering=0) as file:
        source.seek(RECORD.itemsize * start)
        left = ids
        while left:
            found = np.frombuffer(source.read(RECORD.itemsize * min(_AT_ONCE, left)), RECORD)
            lines = lines_of(found).data.cast("B", (LINE_BYTES * len(found),))
            digest.update(lines)
            while lines:
                lines = lines[file.write(lines) :]
            left -= len(found)
    return PartFile(path, ids, ids * LINE_BYTES, digest.hexdigest())
