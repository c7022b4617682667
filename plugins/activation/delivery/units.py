"""From an encoded batch to units: one unit is one request together with the source rows that it settles."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from activation.cursor.ledger import Span
from activation.cursor.progress import Tail
from activation.cursor.window import Position
from activation.delivery.cutting import Cutting, pieces
from activation.delivery.items import Items
from activation.records.arrays import to_numpy
from activation.records.encoded import Encoded, Rejected
from activation.warehouses.base import CURSOR


@dataclass(frozen=True, slots=True)
class Chunk:
    """A batch of source rows, read and encoded.

    :ivar batch: the rows as the warehouse gave them; a reject's payload is taken from here.
    :ivar key: the names of the key columns.
    :ivar tick: nanoseconds of one unit of the cursor column.
    :ivar fresh: whether each row stands at another place than the row before it; shape (rows,).
    :ivar skipped: rows that were sent by an earlier run; shape (rows,); they are not among the encoded ones.
    :ivar digests: hash of each row as text, for the ``dedup`` rule; empty otherwise.
    :ivar elsewhere: rows that were refused in the request of an earlier unit, until their own unit takes them.
    """

    batch: pa.RecordBatch
    key: tuple[str, ...]
    tick: int
    encoded: Encoded
    fresh: npt.NDArray[np.bool_]
    skipped: npt.NDArray[np.bool_] | None = None
    digests: tuple[str, ...] = ()
    elsewhere: dict[int, Rejected] = field(default_factory=dict)

    def place(self, row: int) -> Position:
        """The position of one row."""
        at = self.batch.column(CURSOR)[row].as_py()
        key = tuple(self.batch.column(name)[row].as_py() or "" for name in self.key)
        return Position(None if at is None else at * self.tick, key)


@dataclass(slots=True)
class Unit:
    """Some requests, mostly one, and the source rows that they settle: the items, and the rejected and skipped rows between.

    :ivar number: its place in the order of the rows.
    :ivar requests: what is sent, one after the other; empty if no row is good.
    :ivar first: the index in the chunk of its first row.
    :ivar away: its rows that an earlier unit sends, together with other rows of their users.
    :ivar lends: whether it sends rows of later units.
    :ivar waits_for: the units before it that carry a row of one of its users, or one of its rows.
    :ivar rejected: rows that the rules rejected; rows that the destination refuses are added.
    """

    number: int
    chunk: Chunk
    requests: tuple[Items, ...]
    span: Span
    rows: int
    skipped: int = 0
    first: int = 0
    away: int = 0
    lends: bool = False
    waits_for: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The index in the chunk behind its last row."""
        return self.first + self.rows

    def own(self, items: Items) -> int:
        """How many of some items are rows of this unit."""
        if not self.lends:
            return len(items)
        rows = items.encoded.rows[items.first : items.last]
        return int(np.count_nonzero((rows >= self.first) & (rows < self.last)))


def units_of(chunk: Chunk, first_number: int, how: Cutting) -> list[Unit]:
    """Cut a chunk into units that cover each of its rows exactly once.

    :param first_number: the number of the first unit.
    """
    rows = chunk.batch.num_rows
    ticks, nulls = _ticks(chunk)
    rejected_rows = [one.row for one in chunk.encoded.rejected]
    units: list[Unit] = []
    first = 0
    for offset, (requests, last) in enumerate(pieces(chunk.encoded, rows, how)):
        span = Span(chunk.place(last - 1), _tail(chunk, ticks, nulls, first, last), last < rows and bool(chunk.fresh[last]))
        rejected = chunk.encoded.rejected[bisect_left(rejected_rows, first) : bisect_left(rejected_rows, last)]
        skipped = 0 if chunk.skipped is None else int(np.count_nonzero(chunk.skipped[first:last]))
        number = first_number + offset
        units.append(Unit(number, chunk, requests, span, last - first, skipped, first, rejected=list(rejected)))
        first = last
    if how.together:
        _lend(units)
    return units


def _lend(units: list[Unit]) -> None:
    """Let each unit know of its rows that an earlier one sends."""
    ends = [unit.last for unit in units]
    for unit in units:
        for items in unit.requests:
            rows = items.encoded.rows[items.first : items.last]
            homes, counts = np.unique(np.searchsorted(ends, rows[rows >= unit.last], side="right"), return_counts=True)
            unit.lends = unit.lends or len(homes) > 0
            for home, count in zip(homes.tolist(), counts.tolist(), strict=True):
                units[home].away += count
                if unit.number not in units[home].waits_for[-1:]:
                    units[home].waits_for.append(unit.number)


def _ticks(chunk: Chunk) -> tuple[npt.NDArray[np.int64], int]:
    """The cursor values without the leading NULLs, and how many NULLs lead."""
    column = chunk.batch.column(CURSOR)
    nulls = column.null_count
    return to_numpy(column.slice(nulls), np.int64), nulls


def _tail(chunk: Chunk, ticks: npt.NDArray[np.int64], nulls: int, first: int, last: int) -> Tail:
    missing = max(0, min(last, nulls) - first)
    if last <= nulls:
        return Tail(nulls=missing)
    part = ticks[max(0, first - nulls) : last - nulls]
    same = len(part) - int(np.searchsorted(part, part[-1], side="left"))
    recent: tuple[tuple[int, str], ...] = ()
    if chunk.digests:
        start = max(first, nulls)
        recent = tuple(zip((int(tick) * chunk.tick for tick in part), chunk.digests[start:last], strict=True))
    return Tail(int(part[-1]) * chunk.tick, same, missing, recent)
