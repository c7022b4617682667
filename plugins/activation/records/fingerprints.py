"""A fingerprint of each encoded item: by it an item is known again that equals the last one about the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from activation.records.arrays import to_numpy
from activation.records.columnar import Projection
from activation.records.encoded import Encoded

Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Which items change nothing if they are sent a second time in a row.

    :ivar always: SQL condition over ``item``, its JSON text: whether an item does change something, so that it is always sent.
    :ivar gone: the group of the items that remove what they are about; they are always sent too.
    """

    always: str = "false"
    gone: int | None = None


@dataclass(frozen=True, slots=True)
class Prints:
    """The fingerprints of a batch's good rows; shape (good rows,) each.

    :ivar upper: one half of the MD5 of the item's text. The text names the user, so equal fingerprints are about one user.
    :ivar lower: the other half.
    :ivar always: whether the item has to be sent, whatever was sent before.
    :ivar lasting: whether an item that had to be sent is known again by its fingerprint all the same; not where it changes what
        is there, as a counter does.
    """

    upper: Numbers
    lower: Numbers
    always: npt.NDArray[np.bool_]
    lasting: bool = False


class Fingerprinting(Protocol):
    """Gives the fingerprints of encoded items."""

    def of(self, encoded: Encoded) -> Prints:
        """The fingerprints of the good rows."""

    def close(self) -> None:
        """Free the memory that it holds."""


class MarkedPrints:
    """Takes the fingerprints from the marks, where the encoder knows better than the item what makes a change."""

    def of(self, encoded: Encoded) -> Prints:
        """The fingerprints of the good rows."""
        assert encoded.marks is not None  # noqa: S101 - its encoder makes them
        return Prints(encoded.marks.upper, encoded.marks.lower, encoded.marks.always, lasting=True)

    def close(self) -> None:
        """Nothing is held."""


class Fingerprints:
    """Makes fingerprints.

    Two different texts have the same one with a probability of 2 to the power of -128, each time that an item is compared with
    the last one of its user: in a hundred years with a thousand million comparisons a day, about 1 to 10 to the power of 25.
    """

    def __init__(self, repeats: Repeats) -> None:
        self._gone = repeats.gone
        self._project = Projection(
            f"""SELECT md5_number_upper(item) AS upper, md5_number_lower(item) AS lower, {repeats.always} AS always FROM batch""",
            ("item",),
        )

    def of(self, encoded: Encoded) -> Prints:
        """The fingerprints of the good rows."""
        offsets = np.ascontiguousarray(encoded.offsets, np.int64)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(encoded.data)]
        items = pa.Array.from_buffers(pa.large_string(), len(encoded.rows), buffers)
        table = self._project(pa.record_batch([items], names=["item"]))
        always = to_numpy(table["always"], np.bool_)
        if self._gone is not None and encoded.groups is not None:
            always = always | (encoded.groups == self._gone)
        return Prints(to_numpy(table["upper"], np.uint64), to_numpy(table["lower"], np.uint64), always)

    def close(self) -> None:
        """Free the memory that the hashing holds."""
        self._project.close()


@cache
def hashing() -> str:
    """What this version of DuckDB makes of a fixed text. Its ``hash`` may change one day, and old entries must not count then."""
    with duckdb.connect() as connection:
        found = connection.execute("SELECT hash('activation'), md5('activation')").fetchone()
    return "-".join(str(value) for value in found or ())
