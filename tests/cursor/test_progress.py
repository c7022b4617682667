"""The ledger: whatever the order in which spans finish, a snapshot names exactly rows that are settled."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from activation.cursor.ledger import Ledger, Span
from activation.cursor.progress import Progress, Tail, Totals
from activation.cursor.window import Position


@dataclass
class Cut:
    """Rows, given by their cursor values, cut into spans."""

    places: list[Position]
    spans: list[Span]
    rows: list[range]


def cut(stamps: list[int | None], size: int) -> Cut:
    places = [Position(stamp, ("",)) for stamp in sorted(stamps, key=lambda stamp: (stamp is not None, stamp or 0))]
    rows = [range(first, min(first + size, len(places))) for first in range(0, len(places), size)]
    spans = []
    for part in rows:
        known = [places[row].at for row in part if places[row].at is not None]
        top = max(known, default=None)  # type: ignore[type-var]
        tail = Tail(top, known.count(top) if known else 0, len(part) - len(known))
        clean = part[-1] + 1 == len(places) or places[part[-1] + 1] != places[part[-1]]
        spans.append(Span(places[part[-1]], tail, clean))
    return Cut(places, spans, rows)


def covered(progress: Progress, place: Position) -> bool:
    if progress.after is not None and place.order <= progress.after.order:
        return True
    return any(start.order < place.order <= end.order for start, end in progress.ahead)


stamps_of = st.lists(st.one_of(st.none(), st.integers(0, 12)), min_size=1, max_size=40)


@given(stamps_of, st.integers(1, 7), st.data())
def test_a_snapshot_covers_only_settled_rows_and_counts_what_it_covers(
    stamps: list[int | None], size: int, data: st.DataObject
) -> None:
    made = cut(stamps, size)
    ledger = Ledger(Progress())
    for span in made.spans:
        ledger.add(span)
    order = data.draw(st.permutations(range(len(made.spans))))
    settled: set[int] = set()
    for number in order:
        part = made.rows[number]
        ledger.settle(made.spans[number], Totals(len(part), len(part)))
        settled.update(part)
        progress = ledger.snapshot()
        inside = [row for row, place in enumerate(made.places) if covered(progress, place)]
        assert set(inside) <= settled
        assert progress.totals.read == progress.totals.sent == len(inside)
        assert Progress.from_json(json.loads(json.dumps(progress.to_json()))) == progress
    assert ledger.snapshot().totals.read == len(stamps)
    assert len(ledger) == 0


@given(stamps_of, st.integers(1, 7), st.integers(1, 7), st.data())
def test_a_resumed_window_settles_every_row_exactly_once(
    stamps: list[int | None], size: int, other_size: int, data: st.DataObject
) -> None:
    made = cut(stamps, size)
    first = Ledger(Progress())
    for span in made.spans:
        first.add(span)
    for number in data.draw(st.lists(st.sampled_from(range(len(made.spans))), unique=True)):
        first.settle(made.spans[number], Totals(len(made.rows[number]), len(made.rows[number])))
    left = first.snapshot()
    rest = [place.at for place in made.places if not covered(left, place)]
    second = Ledger(left)
    again = cut(rest, other_size) if rest else Cut([], [], [])
    for span in again.spans:
        second.add(span)
    for number in data.draw(st.permutations(range(len(again.spans)))):
        second.settle(again.spans[number], Totals(len(again.rows[number]), len(again.rows[number])))
    done = second.snapshot()
    known = [stamp for stamp in stamps if stamp is not None]
    assert done.totals.read == len(stamps)
    assert done.tail.at == max(known, default=None)
    assert done.tail.rows == (known.count(max(known)) if known else 0)
    assert done.tail.nulls == len(stamps) - len(known)
    assert all(covered(done, place) for place in made.places)


def test_rows_that_share_a_place_are_settled_together() -> None:
    made = cut([5, 5, 5, 5], 2)
    ledger = Ledger(Progress())
    for span in made.spans:
        ledger.add(span)
    ledger.settle(made.spans[0], Totals(2, 2))
    assert ledger.snapshot() == Progress()
    ledger.settle(made.spans[1], Totals(2, 2))
    assert ledger.snapshot().totals.read == 4


def test_the_state_stays_small_however_many_spans_are_settled_ahead() -> None:
    made = cut(list(range(100)), 2)
    ledger = Ledger(Progress())
    for span in made.spans:
        ledger.add(span)
    for span in made.spans[1:]:
        ledger.settle(span, Totals(2, 2))
    assert len(ledger.snapshot().ahead) == 1


def test_a_tail_remembers_the_latest_rows_within_bounds() -> None:
    early = Tail(10, 1, 0, ((9, "a"), (10, "b")))
    late = Tail(20, 2, 1, ((19, "c"), (20, "d"), (20, "e")))
    assert early.merge(late, lookback=1, remember=10) == Tail(20, 2, 1, ((19, "c"), (20, "d"), (20, "e")))
    assert late.merge(early, lookback=10, remember=2) == Tail(20, 2, 1, ((20, "d"), (20, "e")))
    assert early.merge(Tail(nulls=3)).nulls == 3
