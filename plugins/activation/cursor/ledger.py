"""Which rows of a window are settled, while its spans finish in any order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from activation.cursor.progress import Progress, Tail, Totals
from activation.cursor.window import Position


@dataclass(slots=True)
class Span:
    """A stretch of rows that is settled as a whole.

    :ivar end: the place of its last row.
    :ivar tail: what the watermark needs to know of its rows.
    :ivar clean: whether the next row stands at another place. Unknown (``False``) until the next row has been seen.
    :ivar totals: how its rows ended; ``None`` while it is open.
    """

    end: Position
    tail: Tail
    clean: bool = False
    totals: Totals | None = None


class Ledger:
    """Keeps the spans of a window from the first one that is not settled yet.

    :param start: what earlier attempts settled.
    :param lookback: see :meth:`Tail.merge`.
    :param remember: see :meth:`Tail.merge`.
    """

    def __init__(self, start: Progress, *, lookback: int = 0, remember: int = 0) -> None:
        self._keep = {"lookback": lookback, "remember": remember}
        self._base = start
        self._spans: deque[Span] = deque()
        self._held: Span | None = None  # settled spans at the front whose end is not clean (yet), merged into one

    def __len__(self) -> int:
        """Spans from the first open one to the last one."""
        return len(self._spans)

    def add(self, span: Span) -> None:
        """Append the next span in the order of the rows."""
        self._spans.append(span)

    def settle(self, span: Span, totals: Totals) -> None:
        """Record how the rows of a span ended."""
        span.totals = totals
        self._advance()

    def snapshot(self) -> Progress:
        """What is settled at this moment. Rows behind a range's last clean end are left out; a retry reads them again."""
        self._advance()
        totals, tail = self._base.totals, self._base.tail
        ranges = list(self._base.ahead)
        start = self._base.after if self._held is None else None  # None: not at a clean place
        run: list[Span] = []
        for span in self._spans:
            place = span.end if span.clean else None
            if span.totals is None or start is None:
                start, run = place, []
                continue
            run.append(span)
            if span.clean:
                ranges.append((start, span.end))
                for settled in run:
                    totals, tail = self._merge(totals, tail, settled)
                start, run = span.end, []
        return _normal(Progress(self._base.after, tuple(ranges), totals, tail))

    def _merge(self, totals: Totals, tail: Tail, span: Span) -> tuple[Totals, Tail]:
        return totals + (span.totals or Totals()), tail.merge(span.tail, **self._keep)

    def _advance(self) -> None:
        """Move the base over the settled spans at the front, as far as their last clean end."""
        self._move_base()
        while self._spans and self._spans[0].totals is not None:
            span = self._spans.popleft()
            if self._held is not None:
                totals, tail = self._merge(self._held.totals or Totals(), self._held.tail, span)
                span.totals, span.tail = totals, tail
            self._held = span
            self._move_base()

    def _move_base(self) -> None:
        if self._held is not None and self._held.clean:
            totals, tail = self._merge(self._base.totals, self._base.tail, self._held)
            self._base = _normal(Progress(self._held.end, self._base.ahead, totals, tail))
            self._held = None


def _normal(progress: Progress) -> Progress:
    """Join ranges that touch, and let ``after`` swallow those that it has reached."""
    after = progress.after
    joined: list[tuple[Position, Position]] = []
    for start, end in sorted(progress.ahead, key=lambda pair: pair[0].order):
        if after is not None and start.order <= after.order:
            after = max(after, end, key=lambda place: place.order)
        elif joined and start.order <= joined[-1][1].order:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end, key=lambda place: place.order))
        else:
            joined.append((start, end))
    return replace(progress, after=after, ahead=tuple(joined))
