"""Slices of a window, each with a ledger of its own: their tails united give the watermark that the whole window would give."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from activation.cursor.boundary import Boundary, Rule
from activation.cursor.ledger import Ledger, Span
from activation.cursor.progress import Progress, Tail, Totals
from activation.cursor.watermark import Watermark
from activation.cursor.window import Position, Window

Row = tuple[int | None, int, int]
"""Cursor value, slice, and the number that its hash is made of."""

rows_of = st.lists(st.tuples(st.none() | st.integers(0, 9), st.integers(0, 3), st.integers(0, 5)), max_size=40)
boundaries = st.builds(Boundary, st.sampled_from(Rule), st.integers(0, 4), remember=st.integers(1, 6))
watermarks = st.builds(Watermark, st.none() | st.integers(0, 9), st.integers(0, 3), st.integers(0, 3))


def moved(rows: list[Row], boundary: Boundary, size: int) -> Progress:
    """What is known in the end of rows that were moved in spans of a size."""
    ledger = Ledger(Progress(), lookback=boundary.lookback, remember=boundary.remember)
    ordered = sorted(rows, key=lambda row: (row[0] is not None, row[0] or 0, row[2]))
    for first in range(0, len(ordered), size):
        part = ordered[first : first + size]
        known = [at for at, *_ in part if at is not None]
        recent = tuple((at, f"h{number}") for at, _, number in part if at is not None) if boundary.rule is Rule.DEDUP else ()
        tail = Tail(max(known, default=None), known.count(max(known)) if known else 0, len(part) - len(known), recent)
        span = Span(Position(part[-1][0], (str(first),)), tail, clean=True)
        ledger.add(span)
        ledger.settle(span, Totals(len(part), len(part)))
    return ledger.snapshot()


@given(rows_of, boundaries, watermarks, st.integers(1, 7), st.integers(1, 7), st.permutations(range(4)))
def test_the_tails_of_slices_give_the_watermark_of_the_whole(
    rows: list[Row], boundary: Boundary, before: Watermark, size: int, other: int, order: list[int]
) -> None:
    whole = moved(rows, boundary, size)
    parts = [moved([row for row in rows if row[1] == index], boundary, other) for index in order]
    tail, totals = Tail(), Totals()
    for part in parts:
        told = Tail.from_json(json.loads(json.dumps(part.tail.to_json())))
        tail = tail.merge(told, lookback=boundary.lookback, remember=boundary.remember)
        totals += part.totals
    window = Window(None, True, 9, nulls=True)
    assert totals == whole.totals
    assert boundary.close(before, window, tail, nulls=0, run="r") == boundary.close(before, window, whole.tail, nulls=0, run="r")
