"""Events and purchases: always appended, so duplicates stay visible (row S10)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.braze.wire import decode_object, encode


class Occurrence:
    """How often and when one event name or product was seen."""

    __slots__ = ("count", "first", "last")

    def __init__(self, time: datetime, count: int) -> None:
        self.first = self.last = time
        self.count = count

    def add(self, time: datetime, count: int) -> None:
        """Take in ``count`` more at ``time``."""
        self.first, self.last = min(self.first, time), max(self.last, time)
        self.count += count


class Activity:
    """What one user did, in the grouping of an export. ``revenue`` adds prices of all currencies as they are (I)."""

    __slots__ = ("events", "purchases", "revenue")

    def __init__(self) -> None:
        self.events: dict[str, Occurrence] = {}
        self.purchases: dict[str, Occurrence] = {}
        self.revenue = 0.0


def count(occurrences: dict[str, Occurrence], name: str, time: datetime, number: int) -> None:
    """Add an event, or a purchase of ``number`` pieces, to its group."""
    known = occurrences.get(name)
    if known is None:
        occurrences[name] = Occurrence(time, number)
    else:
        known.add(time, number)


def grouped(occurrences: dict[str, Occurrence]) -> list[dict[str, Any]]:
    """The groups as an export shows them."""
    return [
        {"name": name, "first": _stamp(seen.first), "last": _stamp(seen.last), "count": seen.count}
        for name, seen in occurrences.items()
    ]


class ActivityLog:
    """All accepted events, or purchases, in the order in which they were applied."""

    def __init__(self) -> None:
        self.total = 0
        self._entries: list[tuple[str, bytes, int]] = []

    def append(self, braze_id: str, sent: bytes, number: int) -> None:
        """Keep an object as sent; ``number`` is its quantity."""
        self._entries.append((braze_id, sent, number))
        self.total += number

    def lines(self, *, expand: bool) -> Iterator[bytes]:
        """One JSON line for each entry; with ``expand`` a quantity of n is n lines of quantity one."""
        for braze_id, sent, number in self._entries:
            entry = {"braze_id": braze_id, **decode_object(sent)}
            if expand and number > 1:
                entry["quantity"] = 1
            yield from [encode(entry) + b"\n"] * (number if expand else 1)


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
