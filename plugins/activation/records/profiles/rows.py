"""The changed profiles of a window as a source that the reader of a run takes: one row a profile, in the order of the ids."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa

from activation.cursor.window import Position, Window
from activation.records.profiles.assembler import ID, Assembler
from activation.warehouses.base import CURSOR, Column, Extract, Warehouse
from activation.warehouses.profiles import ProfileRead

EXTRACT = Extract(("profiles",), Column(CURSOR, "bigint"), (Column(ID, "text"),), (Column(ID, "text"),))
"""What the reader needs to know: a profile's place is its id alone, because all rows have the same cursor value."""


@dataclass(frozen=True, slots=True)
class ProfileRows:
    """Reads changed profiles and assembles them; what it is asked of other extracts, it does not know.

    :ivar assembler: of the same window; closed by its owner.
    """

    warehouse: Warehouse
    read: ProfileRead
    assembler: Assembler

    def tick_of(self, extract: Extract) -> int:
        """One nanosecond; every row stands at 0."""
        return 1

    def batches(
        self, extract: Extract, window: Window, after: Position | None = None, *, rows: int = 16_384
    ) -> Generator[pa.RecordBatch, None, None]:
        """Give what :meth:`~activation.records.profiles.assembler.Assembler.batches` does; closing it stops the statement.

        :param after: gives only the profiles behind this place.
        """
        behind = after.key[0] if after else ""
        with closing(self.warehouse.changes(self.read, window, behind)) as union:
            yield from self.assembler.batches(union)

    def cancel(self) -> None:
        """Stop the running statement, from any thread."""
        self.warehouse.cancel()
