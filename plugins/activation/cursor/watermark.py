"""The watermark: how far a pipeline has come, and what it saw at that place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from activation.cursor.timestamps import from_text, to_text


@dataclass(frozen=True, slots=True)
class Watermark:
    """The state of a pipeline between two runs; kept as one JSON value because the store knows no transactions.

    :ivar at: the greatest cursor value that was read (W of contracts: braze 1.3), nanoseconds since the epoch.
    :ivar rows: how many rows were seen at ``at`` (N of the count rule).
    :ivar nulls: how many rows without a cursor value have been rejected and kept.
    :ivar seen: hashes of the rows at and near ``at``, with how often each was seen; only the ``dedup`` rule keeps them.
    :ivar run: the run that wrote it; empty when a person typed it.
    """

    at: int | None = None
    rows: int = 0
    nulls: int = 0
    seen: Mapping[str, int] = field(default_factory=dict)
    run: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON form that :meth:`from_json` reads back."""
        at = None if self.at is None else to_text(self.at)
        data: dict[str, Any] = {"updated_at": at, "rows": self.rows, "nulls": self.nulls, "run": self.run}
        return data | {"seen": dict(self.seen)} if self.seen else data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Watermark:
        """Read what :meth:`to_json` wrote, or what a person typed: ``{"updated_at": "2026-07-19T09:07:23Z"}`` is enough.

        :raises ValueError: if the value is not a watermark; the text says what one looks like.
        """
        unknown = set(data) - {"updated_at", "rows", "nulls", "seen", "run"} if isinstance(data, Mapping) else {"?"}
        if unknown or "updated_at" not in data:
            raise ValueError(f'a watermark looks like {{"updated_at": "2026-07-19T09:07:23.123456Z"}}, not like {data!r}')
        at = None if data["updated_at"] is None else from_text(str(data["updated_at"]))
        seen = {str(key): int(count) for key, count in (data.get("seen") or {}).items()}
        return cls(at, int(data.get("rows") or 0), int(data.get("nulls") or 0), seen, str(data.get("run") or ""))

    def __str__(self) -> str:
        return "none" if self.at is None else to_text(self.at)
