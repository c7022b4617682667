"""Which runs Airflow's scheduler makes for an export: asked of its own objects, with a clock that is set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow.models import import_all_models
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables import interval as timetables
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from activation.dags import build_dag
from activation.destinations.s3.status import Facts, Status, is_over, status_of
from activation.spec import load_file

FILE = """schedule: "{schedule}"
source: {{type: duckdb, connection: warehouse, table: crm.events}}
destination: {{type: s3, connection: partner, data: event, path: s3://partner/crm, export: {{{export}}}}}
"""
SEOUL, NEW_YORK = "Asia/Seoul", "America/New_York"
SPANS = [
    pytest.param(SEOUL, datetime(2026, 7, 13), id="Seoul"),
    pytest.param(NEW_YORK, datetime(2026, 3, 5), id="clocks go forward on the 8th of March"),
    pytest.param(NEW_YORK, datetime(2026, 10, 29), id="clocks go back on the 1st of November"),
]
Cycle = tuple[str, timedelta, int]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CYCLES = [("@daily", DAY, 7), ("@hourly", HOUR, 168)]
"""Schedule, cycle, and how many of them a test goes through."""


class Scheduler:
    """What Airflow's scheduler does with a DAG, as its own serialized objects say."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, export: str, schedule: str = "@daily") -> None:
        (folder / "events.yaml").write_text(FILE.format(schedule=schedule, export=export))
        self.pipeline = load_file(folder / "events.yaml")
        self.dag = DagSerialization.from_dict(DagSerialization.to_dict(build_dag(self.pipeline)))
        self.runs: list[tuple[datetime, datetime]] = []
        self._last: Any = None
        self._patch = patch

    def at(self, now: datetime) -> None:
        """Make the runs that are due; it is not called while the DAG is paused."""
        self._patch.setattr(timetables, "utcnow", lambda: now.astimezone(timezone.utc))
        while (info := self.dag.next_dagrun_info(last_automated_run_info=self._last)) is not None and info.run_after <= now:
            self.runs.append((info.data_interval.start, info.data_interval.end))
            self._last = info


def clock(first: datetime, step: timedelta, count: int, zone: str) -> Iterator[datetime]:
    """Five minutes past the end of each cycle. Hours pass evenly; days begin when the zone's clocks show midnight."""
    start = first.replace(tzinfo=ZoneInfo(zone))
    for number in range(1, count + 1):
        if step == DAY:
            yield start + number * DAY + timedelta(minutes=5)
        else:
            yield start.astimezone(timezone.utc) + number * step + timedelta(minutes=5)


@pytest.mark.parametrize(("zone", "first"), SPANS)
@pytest.mark.parametrize("cycle", CYCLES, ids=["daily", "hourly"])
@pytest.mark.parametrize("catch_up", [True, False], ids=["catch up", "skip"])
def test_s_t2_after_a_pause_what_was_missed_is_caught_up_once_or_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, first: datetime, cycle: Cycle, catch_up: bool
) -> None:
    schedule, step, count = cycle
    export = f"timezone: {zone}, start: '{first:%Y-%m-%d}', catch_up: {str(catch_up).lower()}"
    scheduler = Scheduler(tmp_path, monkeypatch, export, schedule)
    missed = range(count * 2 // 3, count * 2 // 3 + 3)
    for number, now in enumerate(clock(first, step, count, zone)):
        if number not in missed[:2]:  # it is resumed when the third cycle is just over
            scheduler.at(now)
    starts = [start for start, _ in scheduler.runs]
    gaps = [(end, start) for (_, end), (start, _) in pairwise(scheduler.runs) if end != start]
    assert starts[0] == first.replace(tzinfo=ZoneInfo(zone))
    assert starts == sorted(set(starts))
    if catch_up:
        assert (len(starts), gaps) == (count, [])
    else:
        assert (len(starts), gaps) == (count - 2, [(scheduler.runs[missed[0] - 1][1], scheduler.runs[missed[0]][0])])
        assert scheduler.runs[missed[0]][1] == max(now for now in clock(first, step, missed[-1] + 1, zone)) - timedelta(minutes=5)
    for start, end in scheduler.runs:
        local = [instant.astimezone(ZoneInfo(zone)) for instant in (start, end)]
        assert step == HOUR or [one.time().isoformat() for one in local] == ["00:00:00"] * 2
        assert step == DAY or end - start == HOUR


@pytest.mark.parametrize(("zone", "first"), SPANS)
@pytest.mark.parametrize("cycle", CYCLES, ids=["daily", "hourly"])
def test_s_l7_behind_the_end_date_there_are_no_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, first: datetime, cycle: Cycle
) -> None:
    schedule, step, count = cycle
    last = first + 3 * DAY
    export = f"timezone: {zone}, start: '{first:%Y-%m-%d}', end: '{last:%Y-%m-%d}', catch_up: true"
    scheduler = Scheduler(tmp_path, monkeypatch, export, schedule)
    for now in clock(first, step, count, zone):
        scheduler.at(now)
    end = (last + DAY).replace(tzinfo=ZoneInfo(zone))
    assert (scheduler.runs[0][0], scheduler.runs[-1][1]) == (first.replace(tzinfo=ZoneInfo(zone)), end)
    assert all(one[1] == other[0] for one, other in pairwise(scheduler.runs))
    standing = [
        status_of(Facts("periodic", over=is_over(f"{last:%Y-%m-%d}", zone, now)))
        for now in (end.astimezone(timezone.utc) - timedelta(seconds=1), end)
    ]
    assert standing == [Status.ACTIVE, Status.ENDED]


def test_an_export_without_a_start_begins_with_the_last_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = Scheduler(tmp_path, monkeypatch, "timezone: Asia/Seoul")
    scheduler.at(datetime(2026, 7, 19, 12, tzinfo=ZoneInfo(SEOUL)))
    assert scheduler.runs == [tuple(datetime(2026, 7, day, tzinfo=ZoneInfo(SEOUL)) for day in (18, 19))]


def test_a_one_time_export_runs_once(tmp_path: Path) -> None:
    text = FILE.format(schedule="", export="type: one_time, from_date: '2026-07-01', to_date: '2026-07-02'")
    (tmp_path / "once.yaml").write_text(text.replace('schedule: ""\n', ""))
    dag = DagSerialization.from_dict(DagSerialization.to_dict(build_dag(load_file(tmp_path / "once.yaml"))))
    info = dag.next_dagrun_info(last_automated_run_info=None)
    assert info is not None
    assert dag.next_dagrun_info(last_automated_run_info=info) is None


def test_s_l6_a_pause_can_be_resumed_but_what_was_taken_away_cannot() -> None:
    engine = create_engine("sqlite://")
    import_all_models()
    DagModel.metadata.create_all(engine)
    switches = {"active": (False, False), "paused": (True, False), "inactive": (False, True), "inactive and paused": (True, True)}
    with Session(engine) as session:
        session.add(DagBundleModel(name="dags"))
        for name, (paused, stale) in switches.items():
            due = datetime(2026, 7, 19, tzinfo=timezone.utc)
            session.add(
                DagModel(
                    dag_id=name, bundle_name="dags", is_paused=paused, is_stale=stale, next_dagrun_create_after=due,
                    has_import_errors=False, exceeds_max_non_backfill=False,
                )
            )  # fmt: skip
        session.flush()

        def due_now() -> list[str]:
            return sorted(dag.dag_id for dag in DagModel.dags_needing_dagruns(session)[0])

        assert due_now() == ["active"]
        for dag in session.query(DagModel):
            dag.is_paused = False  # every one of them is resumed
        session.flush()
        assert due_now() == ["active", "paused"]
