"""The report of a run: the proof that nothing was lost, and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from activation.cursor.progress import Totals
from activation.cursor.watermark import Watermark
from activation.cursor.window import Window
from activation.delivery.engine import Traffic
from activation.errors import FatalError

JUDGE_FROM = 1_000
"""Rows after which the share of rejects is judged."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run moved. ``read = sent + rejected + skipped`` holds, or there is no report.

    :ivar before: the watermark that the run started from.
    :ivar after: the watermark that it leaves.
    :ivar nulls: rows of the table without a cursor value, whether this run or an earlier one rejected them.
    :ivar seconds: wall-clock seconds of the last attempt.
    :ivar rejects: the folder of the rejects; empty if there are none.
    :ivar more: what only some kinds of runs have to tell, as plain JSON.
    """

    pipeline: str
    run: str
    window: Window
    before: Watermark
    after: Watermark
    totals: Totals
    traffic: Traffic
    nulls: int
    seconds: float
    rejects: str
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: for XCom, the journal and the page."""
        totals, traffic = self.totals, self.traffic
        return {
            "pipeline": self.pipeline,
            "run": self.run,
            "status": "partial" if totals.rejected else "success",
            "window": self.window.to_json(),
            "watermark": {"before": str(self.before), "after": str(self.after)},
            "rows": {"read": totals.read, "sent": totals.sent, "rejected": totals.rejected, "skipped": totals.skipped},
            "reasons": dict(sorted(totals.reasons.items())),
            "null_cursor_rows": self.nulls,
            "requests": {"sent": traffic.requests, "retried": traffic.retries, "rate_limited": traffic.limited},
            "bytes": traffic.bytes,
            "seconds": round(self.seconds, 3),
            "rejects": self.rejects,
            **self.more,
        }


def check(totals: Totals, read: int) -> None:
    """Check that every row that was read has ended in exactly one way.

    :param read: rows that the reader gave out, counted on the source's side, over all attempts.
    :raises FatalError: if the sums differ; the watermark then stays where it is.
    """
    ended = totals.sent + totals.rejected + totals.skipped
    if not read == totals.read == ended or sum(totals.reasons.values()) != totals.rejected:
        raise FatalError(
            f"The books do not balance: {read} rows were read, {totals.read} were settled: {totals.sent} sent + "
            f"{totals.rejected} rejected + {totals.skipped} skipped = {ended}. The watermark stays where it is."
        )


def judge(totals: Totals, most: float) -> None:
    """Check that not too many rows were rejected, once there are :data:`JUDGE_FROM`.

    :param most: the greatest share of rejects that is allowed, 0 to 1.
    :raises FatalError: if there are more.
    """
    if totals.read >= JUDGE_FROM and totals.rejected > most * totals.read:
        raise FatalError(
            f"{totals.rejected:,} of {totals.read:,} rows were rejected ({by_reason(totals.reasons)}), which is more than "
            f"errors.max_reject_share = {most} allows. The watermark stays where it is."
        )


def share(part: int, whole: int) -> str:
    """A share for people: ``42 %``."""
    return f"{100 * part // whole} %" if whole else "100 %"


def by_reason(reasons: Mapping[str, int]) -> str:
    """Counts by reason for people, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} × {code}" for code, count in ordered)
