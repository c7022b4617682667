"""The boundary rules, on the documented scenarios a to f of contracts: braze 1.3 and on what the rules are told to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from activation.cursor.boundary import Boundary, Future, Rule
from activation.cursor.progress import Tail
from activation.cursor.timestamps import from_text, to_text
from activation.cursor.watermark import Watermark

DAY = 86_400_000_000_000


def at(text: str) -> int:
    return from_text(f"2026-{text}Z" if "T" in text else f"2026-{text}T00:00:00Z")


@dataclass
class Table:
    """A table of timestamps and the pipeline that reads it; ``run`` gives the timestamps that a run sends."""

    boundary: Boundary = field(default_factory=Boundary)
    rows: list[int | None] = field(default_factory=list)
    watermark: Watermark = field(default_factory=Watermark)
    now: int = at("12-31")

    def add(self, *stamps: str | None) -> Table:
        self.rows += [None if stamp is None else at(stamp) for stamp in stamps]
        return self

    def run(self) -> list[str]:
        known = [row for row in self.rows if row is not None]
        nulls = len(self.rows) - len(known)
        same = sum(row == self.watermark.at for row in known)
        window = self.boundary.open(self.watermark, now=self.now, at=same, nulls=nulls, latest=max(known, default=None))
        read = [
            row
            for row in known
            if row <= window.upper and (window.lower is None or row > window.lower or (window.closed and row == window.lower))
        ]
        top = max(read, default=None)
        tail = Tail(top, sum(row == top for row in read), nulls if window.nulls else 0)
        self.watermark = self.boundary.close(self.watermark, window, tail, nulls=nulls, run="r")
        return [to_text(row)[5:-1] for row in sorted(read)]


def stamps(texts: Sequence[str]) -> list[str]:
    return [text if "T" in text else f"{text}T00:00:00" for text in texts]


def test_f05_scenario_a_the_first_run_takes_everything() -> None:
    table = Table().add("07-17", "07-18", "07-19T09:07:23")
    assert table.run() == stamps(["07-17", "07-18", "07-19T09:07:23"])
    assert str(table.watermark) == "2026-07-19T09:07:23Z"


def test_f05_scenario_b_a_row_stamped_before_the_watermark_is_not_sent() -> None:
    table = Table().add("07-17", "07-18", "07-19T09:07:23")
    table.run()
    before = table.watermark
    assert table.add("07-16").run() == []
    assert table.watermark == before


def test_f05_scenario_c_only_the_newer_row_is_sent() -> None:
    table = Table().add("07-17", "07-18", "07-19T09:07:23")
    table.run()
    table.add("07-16").run()
    assert table.add("07-21").run() == stamps(["07-21"])
    assert str(table.watermark) == "2026-07-21T00:00:00Z"


def test_f05_scenario_d_the_next_days_five_rows_are_exactly_what_is_sent() -> None:
    table = Table().add(*["07-19"] * 5)
    assert len(table.run()) == 5
    assert table.add(*["07-20"] * 5).run() == stamps(["07-20"] * 5)


def test_f05_scenario_e_a_sixth_row_at_the_watermark_brings_all_six_back() -> None:
    table = Table().add(*["07-19"] * 5)
    table.run()
    assert table.add("07-19").run() == stamps(["07-19"] * 6)
    assert table.run() == []


def test_f09_scenario_f_a_future_row_is_sent_and_hides_what_is_stamped_earlier_if_asked_for() -> None:
    table = Table(Boundary(future=Future.SEND), now=at("07-19")).add("07-18", "11-11")
    assert table.run() == stamps(["07-18", "11-11"])
    assert table.add("07-19").run() == []


def test_f09_scenario_f_by_default_a_future_row_waits_and_hides_nothing() -> None:
    table = Table(now=at("07-19")).add("07-18", "11-11")
    assert table.run() == stamps(["07-18"])
    assert table.add("07-19").run() == stamps(["07-19"])
    table.now = at("11-12")
    assert table.run() == stamps(["11-11"])


@pytest.mark.parametrize(
    ("rule", "sent"),
    [(Rule.COUNT, []), (Rule.EXCLUSIVE, []), (Rule.INCLUSIVE, ["07-19"] * 2), (Rule.DEDUP, ["07-19"] * 2)],
)
def test_an_unchanged_table_read_again(rule: Rule, sent: list[str]) -> None:
    table = Table(Boundary(rule)).add("07-18", "07-19", "07-19")
    table.run()
    assert table.run() == stamps(sent)


@pytest.mark.parametrize("rule", list(Rule))
def test_f06_a_row_that_arrives_at_the_watermark_is_lost_only_by_the_exclusive_rule(rule: Rule) -> None:
    table = Table(Boundary(rule)).add("07-19")
    table.run()
    assert (len(table.add("07-19").run()) == 2) is (rule is not Rule.EXCLUSIVE)


@pytest.mark.parametrize("rule", list(Rule))
def test_f10_lookback_reads_late_rows(rule: Rule) -> None:
    table = Table(Boundary(rule, lookback=2 * DAY)).add("07-10", "07-19")
    table.run()
    sent = table.add("07-18").run()
    assert "07-18T00:00:00" in sent
    assert "07-10T00:00:00" not in sent
    assert str(table.watermark) == "2026-07-19T00:00:00Z"


def test_f10_settle_time_leaves_the_newest_rows_to_the_next_run() -> None:
    table = Table(Boundary(settle=DAY), now=at("07-20")).add("07-18", "07-19", "07-19T00:00:01")
    assert table.run() == stamps(["07-18", "07-19"])
    table.now += DAY
    assert table.run() == ["07-19T00:00:01"]


def test_the_watermark_never_moves_backwards() -> None:
    table = Table(Boundary(lookback=5 * DAY)).add("07-15", "07-19")
    table.run()
    table.rows = [at("07-15")]
    table.run()
    assert str(table.watermark) == "2026-07-19T00:00:00Z"


def test_f07_rows_without_a_timestamp_are_read_once_and_again_when_there_are_more() -> None:
    table = Table().add("07-19", None, None)
    table.run()
    assert table.watermark.nulls == 2
    window = table.boundary.open(table.watermark, now=table.now, at=1, nulls=2, latest=None)
    assert not window.nulls
    assert table.boundary.open(table.watermark, now=table.now, at=1, nulls=3, latest=None).nulls


def test_an_empty_table_leaves_no_watermark() -> None:
    table = Table()
    assert table.run() == []
    assert table.watermark.at is None
