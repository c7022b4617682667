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
class Encoded:
    """What an encoder makes of one batch.

    :ivar data: the encoded good rows, one behind the other, each followed by a comma (UTF-8).
    :ivar offsets: where each good row begins in ``data``; shape (good rows + 1,), the last one is the end.
    :ivar rows: the index in the batch of each good row, ascending; shape (good rows,).
    :ivar keys: a hash of each good row's user; equal users have equal hashes; shape (good rows,), uint64.
    :ivar rejected: the other rows, by ascending index.
    :ivar groups: which call each good row goes to, where a destination has several; shape (good rows,), uint8.
    """

    data: memoryview
    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    rejected: tuple[Rejected, ...]
    groups: npt.NDArray[np.uint8] | None = None

    def take(self, order: npt.NDArray[np.int64]) -> Encoded:
        """Some of the good rows in another order, as a copy.

        :param order: indexes of good rows.
        """
        parts = [self.data[self.offsets[index] : self.offsets[index + 1]] for index in order.tolist()]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(part) for part in parts], dtype=np.int64)])
        groups = None if self.groups is None else self.groups[order]
        return Encoded(memoryview(b"".join(parts)), offsets, self.rows[order], self.keys[order], (), groups)


class Encoder(Protocol):
    """Turns batches of a warehouse into :class:`Encoded`; one module a destination and data type."""

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; every row is either good or rejected."""

    def close(self) -> None:
        """Free what the encoder holds."""
