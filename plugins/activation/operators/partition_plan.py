"""What the tasks of a split import tell each other as XCom: the first opens the window, the slices report, the last sums up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation.cursor.progress import Tail, Totals
from activation.cursor.watermark import Watermark
from activation.delivery.engine import Traffic
from activation.errors import FatalError
from activation.operators.memory import Opened

PARTITION, TAIL = "partition", "tail"
"""What the report of a slice has beside what all reports have."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first task has decided for all.

    :ivar opened: the window.
    :ivar held: the asset state that the run began with; ``None`` if there was none.
    :ivar started: when the run began, ISO 8601; it names the record of the run.
    :ivar of: how many slices there are.
    :ivar slicing: how they are told apart; see :meth:`activation.warehouses.base.Warehouse.slicing`.
    :ivar rows: how many rows the window had; without any no slice is run.
    """

    opened: Opened
    held: Watermark | None
    started: str
    of: int
    slicing: str
    rows: int

    def to_json(self) -> dict[str, Any]:
        """The JSON form that :meth:`from_json` reads back."""
        return {
            "opened": self.opened.to_json(),
            "held": None if self.held is None else self.held.to_json(),
            "started": self.started,
            "of": self.of,
            "slicing": self.slicing,
            "rows": self.rows,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Opening:
        """Read what :meth:`to_json` wrote."""
        held = None if data["held"] is None else Watermark.from_json(data["held"])
        return cls(Opened.from_json(data["opened"]), held, data["started"], data["of"], data["slicing"], data["rows"])

    def slices(self) -> list[dict[str, int]]:
        """What each slice is told."""
        return [{"index": index, "of": self.of} for index in range(self.of)] if self.rows else []


@dataclass(frozen=True, slots=True)
class Sum:
    """What all slices have done together.

    :ivar seconds: those of the slowest one.
    :ivar rejects: the folder of the rejects; empty if there are none.
    :ivar each: rows by their end and seconds, slice by slice.
    """

    totals: Totals
    traffic: Traffic
    tail: Tail
    seconds: float
    rejects: str
    each: tuple[dict[str, Any], ...]


def added(opening: Opening, run: str, reports: Sequence[Mapping[str, Any]], *, lookback: int, remember: int) -> Sum:
    """Add the reports of the slices up.

    :param run: the run's id.
    :param reports: in the order of the slices.
    :param lookback: see :meth:`Tail.merge`.
    :param remember: see :meth:`Tail.merge`.
    :raises FatalError: if one is missing, or belongs to another window.
    """
    told = [{"run": run, "window": opening.opened.window.to_json(), PARTITION: one} for one in opening.slices()]
    if [{name: (report or {}).get(name) for name in ("run", "window", PARTITION)} for report in reports] != told:
        raise FatalError(
            f"The reports of {len(reports)} slices are there, and they are not those of the {len(told)} of this window. The "
            "watermark stays where it is. Clear the task check together with the tasks behind it, or let the next run begin anew."
        )
    totals, tail, traffic = Totals(), Tail(), Traffic()
    for report in reports:
        rows, requests = report["rows"], report["requests"]
        totals += Totals(rows["read"], rows["sent"], rows["rejected"], rows["skipped"], report["reasons"])
        tail = tail.merge(Tail.from_json(report[TAIL]), lookback=lookback, remember=remember)
        traffic.requests += requests["sent"]
        traffic.retries += requests["retried"]
        traffic.limited += requests["rate_limited"]
        traffic.bytes += report["bytes"]
    each = tuple({**report["rows"], "seconds": report["seconds"]} for report in reports)
    seconds = max((report["seconds"] for report in reports), default=0.0)
    return Sum(totals, traffic, tail, seconds, next((one["rejects"] for one in reports if one["rejects"]), ""), each)
