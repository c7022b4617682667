"""The boundary rules: from a watermark to the next window, and from a finished window to the next watermark.

Contracts: braze 1.3. The warehouse is asked for W's row count, so that rows that arrive late *at* W are not lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from activation.cursor.progress import Tail
from activation.cursor.watermark import Watermark
from activation.cursor.window import Window


class Rule(str, Enum):
    """How the rows that equal the watermark are treated."""

    COUNT = "count"
    """Read them again, all of them, if there are more than last time (Braze's rule of 2026)."""
    EXCLUSIVE = "exclusive"
    """Never read them again."""
    INCLUSIVE = "inclusive"
    """Read them again every time."""
    DEDUP = "dedup"
    """Read them every time and skip those that were sent already."""


class Future(str, Enum):
    """What happens to rows that are stamped later than the warehouse's clock."""

    HOLD = "hold"
    """They wait until the clock has reached them, so they cannot carry the watermark away."""
    SEND = "send"
    """They are sent and carry the watermark with them, as Braze Cloud Data Ingestion does."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The settings of a pipeline's ``cursor`` block that decide about windows.

    :ivar lookback: nanoseconds before the watermark that are read again for late rows.
    :ivar settle: nanoseconds that the window's end stays behind the warehouse's clock.
    :ivar remember: most row hashes that the ``dedup`` rule keeps.
    """

    rule: Rule = Rule.COUNT
    lookback: int = 0
    settle: int = 0
    future: Future = Future.HOLD
    remember: int = 10_000

    def open(self, watermark: Watermark, *, now: int, at: int, nulls: int, latest: int | None) -> Window:
        """Decide what the next run reads.

        :param now: the warehouse's clock, nanoseconds since the epoch.
        :param at: how many rows carry the watermark's value now.
        :param nulls: how many rows have no cursor value now.
        :param latest: the greatest cursor value in the table.
        """
        upper = now - self.settle
        if self.future is Future.SEND and latest is not None:
            upper = max(upper, latest)
        rejected_before = watermark.nulls
        if watermark.at is None:
            return Window(None, True, upper, nulls > rejected_before)
        more = at > watermark.rows
        closed = {
            Rule.COUNT: more or self.lookback > 0,
            Rule.EXCLUSIVE: False,
            Rule.INCLUSIVE: True,
            Rule.DEDUP: True,
        }[self.rule]
        return Window(watermark.at - self.lookback, closed, max(upper, watermark.at), nulls > rejected_before)

    def close(self, before: Watermark, window: Window, tail: Tail, *, nulls: int, run: str) -> Watermark:
        """Say where the pipeline stands after every row of the window was sent, rejected or skipped.

        :param nulls: how many rows had no cursor value when the window was opened.
        :param run: the run that writes the watermark.
        """
        nulls = tail.nulls if window.nulls else nulls
        if tail.at is None or (before.at is not None and tail.at < before.at):
            return Watermark(before.at, before.rows, nulls, before.seen, run)
        seen: dict[str, int] = {}
        if self.rule is Rule.DEDUP:
            for instant, digest in tail.recent:
                if instant >= tail.at - self.lookback:
                    seen[digest] = seen.get(digest, 0) + 1
        return Watermark(tail.at, tail.rows, nulls, seen, run)
