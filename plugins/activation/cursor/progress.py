"""Progress inside one window: which rows are settled, so that a retry sends only the others. Pure algebra.

The rows come in the order ``(cursor, key)`` and are cut into *spans* (one span: the rows of one request). Spans finish in any
order. The :class:`~activation.cursor.ledger.Ledger` turns that into a :class:`Progress`: everything up to ``after`` is settled,
and so are the ``ahead`` ranges behind it. A range begins and ends only where the position of the row changes; rows that share
both cursor and key cannot be told apart, so they are settled together or read again together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from activation.cursor.timestamps import from_text, to_text
from activation.cursor.window import Position


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows by their end; ``read`` is counted where rows are read, the others where they end.

    :ivar reasons: rejected rows by reason code.
    """

    read: int = 0
    sent: int = 0
    rejected: int = 0
    skipped: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Totals) -> Totals:
        reasons = dict(self.reasons)
        for code, count in other.reasons.items():
            reasons[code] = reasons.get(code, 0) + count
        return Totals(
            self.read + other.read,
            self.sent + other.sent,
            self.rejected + other.rejected,
            self.skipped + other.skipped,
            reasons,
        )


@dataclass(frozen=True, slots=True)
class Tail:
    """What the next watermark needs to know of the rows that were read.

    :ivar at: the greatest cursor value, nanoseconds since the epoch.
    :ivar rows: how many rows carry it.
    :ivar nulls: how many rows had no cursor value.
    :ivar recent: ``(cursor value, row hash)`` of the latest rows, for the ``dedup`` rule.
    """

    at: int | None = None
    rows: int = 0
    nulls: int = 0
    recent: tuple[tuple[int, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The JSON form that :meth:`from_json` reads back."""
        return {
            "at": None if self.at is None else to_text(self.at),
            "rows": self.rows,
            "nulls": self.nulls,
            "recent": [[to_text(instant), digest] for instant, digest in self.recent],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tail:
        """Read what :meth:`to_json` wrote."""
        return cls(
            None if data["at"] is None else from_text(data["at"]),
            data["rows"],
            data["nulls"],
            tuple((from_text(instant), digest) for instant, digest in data["recent"]),
        )

    def merge(self, other: Tail, *, lookback: int = 0, remember: int = 0) -> Tail:
        """Add the rows of another part of the window; the order of merges does not matter.

        :param lookback: nanoseconds before the greatest value in which row hashes are kept.
        :param remember: most row hashes to keep; the oldest go first.
        """
        nulls = self.nulls + other.nulls
        if self.at is None or other.at is None:
            known = self if other.at is None else other
            return replace(known, nulls=nulls, recent=_latest(self.recent + other.recent, known.at, lookback, remember))
        at = max(self.at, other.at)
        rows = (self.rows if self.at == at else 0) + (other.rows if other.at == at else 0)
        return Tail(at, rows, nulls, _latest(self.recent + other.recent, at, lookback, remember))


def _latest(recent: tuple[tuple[int, str], ...], at: int | None, lookback: int, remember: int) -> tuple[tuple[int, str], ...]:
    if not recent or at is None:
        return ()
    near = [pair for pair in recent if pair[0] >= at - lookback]
    return tuple(sorted(near)[-remember:] if remember else ())


@dataclass(frozen=True, slots=True)
class Progress:
    """What is settled of a window. It survives the death of the process in the task's state.

    :ivar after: every row up to and including this place is settled; ``None``: none is.
    :ivar ahead: further settled ranges, each ``(after this place, up to and including this one)``, in order.
    """

    after: Position | None = None
    ahead: tuple[tuple[Position, Position], ...] = ()
    totals: Totals = Totals()
    tail: Tail = Tail()

    def to_json(self) -> dict[str, Any]:
        """The JSON form that :meth:`from_json` reads back."""
        totals = self.totals
        return {
            "after": None if self.after is None else self.after.to_json(),
            "ahead": [[start.to_json(), end.to_json()] for start, end in self.ahead],
            "totals": {
                "read": totals.read,
                "sent": totals.sent,
                "rejected": totals.rejected,
                "skipped": totals.skipped,
                "reasons": dict(totals.reasons),
            },
            "tail": self.tail.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        """Read what :meth:`to_json` wrote."""
        return cls(
            None if data["after"] is None else Position.from_json(data["after"]),
            tuple((Position.from_json(start), Position.from_json(end)) for start, end in data["ahead"]),
            Totals(**data["totals"]),
            Tail.from_json(data["tail"]),
        )
