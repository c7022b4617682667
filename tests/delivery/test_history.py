"""The journal read backwards: the last days, and behind them as far as the last run that went well."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from activation.delivery.inactive import Inactive, read_mark, write_mark
from activation.delivery.journal import OLDER, Journal

NOW = datetime(2026, 7, 19, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def note(folder: Path, run: str, ago: timedelta, status: str) -> None:
    at = (NOW - ago).isoformat(timespec="milliseconds")
    Journal(folder).note(run, at, status, ended=at)


def runs(folder: Path, since: datetime = NOW - 7 * DAY) -> list[str]:
    return [record["run"] for record in Journal(folder).since(since)]


def test_it_stops_behind_the_days_that_are_asked_for(tmp_path: Path) -> None:
    for run, days, status in (
        ("a", 9, "success"),
        ("b", 8, "success"),
        ("c", 7, "error"),
        ("d", 1, "success"),
        ("e", 0, "error"),
    ):
        note(tmp_path, run, days * DAY, status)
    assert runs(tmp_path) == ["e", "d", "c"]


@pytest.mark.parametrize("good", ["success", "partial"])
def test_it_goes_back_to_the_last_run_that_went_well(tmp_path: Path, good: str) -> None:
    for run, days, status in (("a", 30, good), ("b", 20, good), ("c", 9, "error"), ("d", 1, "config_error")):
        note(tmp_path, run, days * DAY, status)
    assert runs(tmp_path) == ["d", "c", "b"]


def test_it_does_not_go_back_for_ever(tmp_path: Path) -> None:
    for number in range(OLDER + 5):
        note(tmp_path, f"r{number}", 9 * DAY + number * timedelta(hours=1), "error")
    assert len(runs(tmp_path)) == OLDER
    assert runs(tmp_path / "nothing") == []


def test_what_is_no_record_is_left_out(tmp_path: Path) -> None:
    note(tmp_path, "good", DAY, "success")
    texts = ("{", "[]", '{"ended": "yesterday"}', '{"ended": "2026-07-18T12:00:00"}', '{"ended": 5}')
    for number, text in enumerate(texts):
        (tmp_path / "runs" / f"2026-07-19T11-00-0{number}.000-00-00_r{number}.json").write_text(text)
    assert runs(tmp_path) == ["good"]


def test_the_first_mark_of_an_inactive_pipeline_stays(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    assert read_mark(folder) is None
    first = Inactive("2026-07-19T12:00:00+00:00", "minji", "계약 종료")
    assert write_mark(folder, first) == first
    assert write_mark(folder, Inactive("2026-07-20T12:00:00+00:00")) == first == read_mark(folder)
    assert str(first) == "made inactive on 2026-07-19 by minji (계약 종료)"


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"at": 5}', '{"at": "yesterday"}', "{}"])
def test_a_mark_that_cannot_be_read_is_a_mark(tmp_path: Path, text: str) -> None:
    (tmp_path / "inactive.json").write_text(text)
    assert read_mark(tmp_path) == Inactive("")
    assert write_mark(tmp_path, Inactive("2026-07-19T12:00:00+00:00")) == Inactive("")
    assert str(Inactive("")) == "made inactive"
