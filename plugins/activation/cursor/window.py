"""The window of one run: which rows of the table it covers, fixed before the first row is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from activation.cursor.timestamps import from_text, to_text


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order ``(cursor, key)``.

    :ivar at: the row's cursor value in nanoseconds since the epoch; ``None`` sorts before every instant.
    :ivar key: the row's key columns as text, NULL as ``""``.
    """

    at: int | None
    key: tuple[str, ...]

    @property
    def order(self) -> tuple[bool, int, tuple[str, ...]]:
        """Sorts places as the warehouses do: NULL first, then by instant, then by key as binary text."""
        return (self.at is not None, self.at or 0, self.key)

    def to_json(self) -> dict[str, Any]:
        """The JSON form that :meth:`from_json` reads back."""
        return {"at": None if self.at is None else to_text(self.at), "key": list(self.key)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Position:
        """Read what :meth:`to_json` wrote."""
        return cls(None if data["at"] is None else from_text(data["at"]), tuple(data["key"]))


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of one run: ``lower < cursor <= upper``, or ``lower <= cursor`` where the rule says so.

    :ivar lower: nanoseconds since the epoch; ``None`` reads from the beginning.
    :ivar closed: whether rows that equal ``lower`` belong to the window.
    :ivar upper: nanoseconds since the epoch, always included. Fixed once a run, so a retry sees the same rows.
    :ivar nulls: whether the rows without a cursor value are read too, in order to be rejected and kept.
    """

    lower: int | None
    closed: bool
    upper: int
    nulls: bool

    def to_json(self) -> dict[str, Any]:
        """The JSON form that :meth:`from_json` reads back."""
        lower = None if self.lower is None else to_text(self.lower)
        return {"lower": lower, "closed": self.closed, "upper": to_text(self.upper), "nulls": self.nulls}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Window:
        """Read what :meth:`to_json` wrote."""
        lower = None if data["lower"] is None else from_text(data["lower"])
        return cls(lower, bool(data["closed"]), from_text(data["upper"]), bool(data["nulls"]))

    def __str__(self) -> str:
        lower = "the beginning" if self.lower is None else to_text(self.lower)
        return f"{'from' if self.closed or self.lower is None else 'after'} {lower} to {to_text(self.upper)}"
