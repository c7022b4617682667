"""The numbers of the fixture agree, as those of a real server do: pictures and tests show nothing that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui_browser.fixture import fixture

FIXTURE = fixture()
DETAILS = list(FIXTURE["details"].values())
ROWS = ("sent", "rejected", "skipped")


def _runs(detail: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from detail["runs"]
    if detail["last"] is not None:
        yield detail["last"]


@pytest.mark.parametrize("detail", DETAILS, ids=lambda detail: detail["pipeline"])
def test_what_was_read_was_sent_rejected_or_skipped(detail: dict[str, Any]) -> None:
    for run in _runs(detail):
        if run["read"] is None:
            assert [run[name] for name in ROWS] == [None] * 3
        else:
            assert run["read"] == sum(run[name] for name in ROWS), run
    for run in detail["runs"]:
        rejected = sum(one["count"] for one in detail["rejects"] if one["run"] == run["run_id"])
        assert rejected == (run["rejected"] or 0), run["run_id"]


@pytest.mark.parametrize("detail", DETAILS, ids=lambda detail: detail["pipeline"])
def test_a_day_holds_its_runs(detail: dict[str, Any]) -> None:
    names = ("read", "sent", "rejected")
    assert len(detail["week"]) == 7
    for day in detail["week"]:
        assert day["failed"] <= day["runs"]
        assert day["sent"] + day["rejected"] <= day["read"]
        assert day["runs"] or not day["read"]
        of_day = [run for run in _runs({**detail, "runs": []}) if run["started"].startswith(day["day"])]
        listed = [run for run in detail["runs"] if run["started"].startswith(day["day"])]
        for runs in (of_day, listed):
            assert len(runs) <= day["runs"]
            assert sum(run["state"] == "failed" for run in runs) <= day["failed"]
            assert all(sum(run[name] or 0 for run in runs) <= day[name] for name in names)
        if len(listed) == day["runs"]:
            assert [sum(run[name] or 0 for run in listed) for name in names] == [day[name] for name in names]


def test_a_pipeline_is_the_same_in_the_list_and_alone() -> None:
    for row in FIXTURE["list"]["pipelines"]:
        detail = FIXTURE["details"][row["dag_id"]]
        assert {name: detail[name] for name in row} == row
        if detail["runs"]:
            assert detail["runs"][0]["run_id"] == row["last"]["run"]
            assert detail["watermarks"][0]["watermark"] == row["watermark"]
