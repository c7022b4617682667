"""A warehouse and a destination in memory: the plainest thing that keeps the protocols, for tests of what lies between."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from activation.cursor.window import Position, Window
from activation.delivery.answer import Answer, Reason, Verdict
from activation.delivery.items import Items
from activation.warehouses.base import CURSOR, Column, Extract, Survey

EXTRACT = Extract(
    ("t",),
    Column("UPDATED_AT", "int"),
    (Column("EXTERNAL_ID", "text"),),
    (Column("EXTERNAL_ID", "text"), Column("PAYLOAD", "text")),
)
ROLES = {"external_id": "EXTERNAL_ID", "payload": "PAYLOAD"}


@dataclass(frozen=True)
class Row:
    """One row: cursor in nanoseconds, user, and a number that makes its content its own."""

    at: int | None
    user: str | None
    number: int

    @property
    def payload(self) -> str:
        return json.dumps({"n": self.number})


@dataclass
class MemoryWarehouse:
    """Keeps rows in a list; every statement sees the rows of its beginning, as a database with snapshots does."""

    rows: list[Row]
    clock: int = 0
    page: int = 1000
    before_batch: Callable[[int], None] = lambda number: None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def tick_of(self, extract: Extract) -> int:
        return 1

    def columns(self, table: tuple[str, ...]) -> tuple[Column, ...]:
        return (EXTRACT.cursor, *EXTRACT.values)

    def survey(self, extract: Extract, at: int | None) -> Survey:
        stamps = [row.at for row in self.rows if row.at is not None]
        nulls = len(self.rows) - len(stamps)
        return Survey(self.clock, sum(stamp == at for stamp in stamps), nulls, max(stamps, default=None))

    def _select(self, window: Window, after: Position | None) -> list[Row]:
        def inside(row: Row) -> bool:
            if row.at is None:
                return window.nulls
            low = window.lower is None or row.at > window.lower or (window.closed and row.at == window.lower)
            return low and row.at <= window.upper

        places = [(Position(row.at, (row.user or "",)), row) for row in self.rows if inside(row)]
        kept = [(place, row) for place, row in places if after is None or place.order > after.order]
        return [row for _, row in sorted(kept, key=lambda pair: (pair[0].order, hash(pair[1])))]

    def count(self, extract: Extract, window: Window, after: Position | None = None) -> int:
        return len(self._select(window, after))

    def batches(
        self, extract: Extract, window: Window, after: Position | None = None, *, rows: int = 16_384
    ) -> Generator[pa.RecordBatch, None, None]:
        selected = self._select(window, after)
        for number, first in enumerate(range(0, len(selected), self.page)):
            self.before_batch(number)
            page = selected[first : first + self.page]
            yield pa.record_batch(
                [
                    pa.array([row.at for row in page], pa.int64()),
                    pa.array([row.user for row in page], pa.string()),
                    pa.array([row.payload for row in page], pa.string()),
                ],
                names=[CURSOR, "EXTERNAL_ID", "PAYLOAD"],
            )

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        pass


@dataclass
class MemorySink:
    """Takes every item, or answers what ``reply`` says; remembers what it took, in the order of arrival."""

    reply: Callable[[list[dict[str, Any]]], Answer | None] = lambda objects: None
    delay: Callable[[], float] = lambda: 0.0
    taken: list[dict[str, Any]] = field(default_factory=list)
    flying: list[set[str]] = field(default_factory=list)
    overlaps: int = 0
    most_flying: int = 0

    async def open(self) -> None:
        pass

    async def send(self, items: Items) -> Answer:
        objects = json.loads(b"[" + bytes(items.data) + b"]")
        users = {one["external_id"] for one in objects}
        self.overlaps += sum(bool(users & other) for other in self.flying)
        self.flying.append(users)
        self.most_flying = max(self.most_flying, len(self.flying))
        try:
            await asyncio.sleep(self.delay())
            answer = self.reply(objects) or Answer(Verdict.ACCEPTED)
        finally:
            self.flying.remove(users)
        if answer.verdict is Verdict.ACCEPTED:
            self.taken += [one for index, one in enumerate(objects) if index not in answer.rejected]
        return answer

    async def close(self) -> None:
        pass


BAD = Reason("bad", "the destination does not like it")
