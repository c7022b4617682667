"""A batch of rows in the form in which it is sent: one buffer of JSON objects, and the rows that were rejected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that a rule or the destination refused.

    :ivar row: the row's index in its batch.
    """

    row: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What a destination wants to know of each good row beside its item; shape (good rows,) each.

    :ivar sizes: bytes that count for the destination's limits, int64.
    :ivar stamps: when the change happened that the row carries, microseconds since the epoch, int64; -1 if it is not known.
    :ivar subjects: a hash of what the row is about, uint64: by it the row is known again, whatever its key is.
    :ivar upper: one half of the row's fingerprint, uint64; rows with equal fingerprints change nothing.
    :ivar lower: the other half.
    :ivar always: whether the row is sent whatever was sent before, bool.
    """

    sizes: npt.NDArray[np.int64]
    stamps: npt.NDArray[np.int64]
    subjects: npt.NDArray[np.uint64]
    upper: npt.NDArray[np.uint64]
    lower: npt.NDArray[np.uint64]
    always: npt.NDArray[np.bool_]

    def take(self, order: npt.NDArray[np.int64]) -> Marks:
        """Those of some rows, in another order."""
        return Marks(
            self.sizes[order],
            self.stamps[order],
            self.subjects[order],
            self.upper[order],
            self.lower[order],
            self.always[order],
        )


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder makes of one batch.

    :ivar data: the encoded good rows, one behind the other, each followed by a comma (UTF-8).
    :ivar offsets: where each good row begins in ``data``; shape (good rows + 1,), the last one is the end.
    :ivar rows: the index in the batch of each good row, ascending; shape (good rows,).
    :ivar keys: a hash of each good row's user; equal users have equal hashes; shape (good rows,), uint64.
    :ivar rejected: the other rows, by ascending index.
    :ivar groups: which call each good row goes to, where a destination has several; shape (good rows,), uint8.
    :ivar marks: what else the destination wants to know; ``None`` if the items say it all.
    """

    data: memoryview
    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    rejected: tuple[Rejected, ...]
    groups: npt.NDArray[np.uint8] | None = None
    marks: Marks | None = None

    @property
    def subjects(self) -> npt.NDArray[np.uint64]:
        """A hash of what each good row is about; shape (good rows,)."""
        return self.keys if self.marks is None else self.marks.subjects

    def take(self, order: npt.NDArray[np.int64]) -> Encoded:
        """Some of the good rows in another order, as a copy.

        :param order: indexes of good rows.
        """
        parts = [self.data[self.offsets[index] : self.offsets[index + 1]] for index in order.tolist()]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(part) for part in parts], dtype=np.int64)])
        groups = None if self.groups is None else self.groups[order]
        marks = None if self.marks is None else self.marks.take(order)
        return Encoded(memoryview(b"".join(parts)), offsets, self.rows[order], self.keys[order], (), groups, marks)


class Encoder(Protocol):
    """Turns batches of a warehouse into :class:`Encoded`; one module a destination and data type."""

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; every row is either good or rejected."""

    def close(self) -> None:
        """Free what the encoder holds."""
