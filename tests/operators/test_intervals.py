"""The spans of an export where clocks change and months differ: every span before one is one that an earlier run exported."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import instance

from activation.operators.intervals import Interval, interval_of
from activation.spec.s3 import S3Export

NEW_YORK = "America/New_York"
NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)


def scheduled(cron: str, zone: str, before: str, count: int) -> list[tuple[datetime, datetime]]:
    """The last intervals that Airflow makes for a schedule before an instant, the oldest first."""
    timetable, found = CronDataIntervalTimetable(cron, zone), []
    at = instance(datetime.fromisoformat(before).replace(tzinfo=ZoneInfo(zone)))
    for _ in range(count):
        interval = timetable.infer_manual_data_interval(run_after=at)
        found.append((interval.start, interval.end))
        at = interval.start
    return found[::-1]


@pytest.mark.parametrize(
    ("cron", "zone", "before", "lookback"),
    [
        ("@hourly", "Asia/Seoul", "2026-07-19T03:00", timedelta(hours=5)),
        ("@hourly", NEW_YORK, "2026-03-08T05:00", timedelta(hours=5)),
        ("@hourly", NEW_YORK, "2026-11-01T05:00", timedelta(hours=5)),
        ("0 */6 * * *", NEW_YORK, "2026-03-08T18:00", timedelta(hours=30)),
        ("@daily", "Asia/Seoul", "2026-07-19", timedelta(days=3)),
        ("@daily", NEW_YORK, "2026-03-11", timedelta(days=5)),
        ("@daily", NEW_YORK, "2026-11-04", timedelta(days=5)),
        ("@weekly", NEW_YORK, "2026-03-15", timedelta(days=10)),
        ("@monthly", NEW_YORK, "2026-04-01", timedelta(days=40)),
        ("@monthly", "Asia/Seoul", "2026-03-01", timedelta(hours=1)),
    ],
)
def test_a_lookback_names_the_spans_that_earlier_runs_exported(cron: str, zone: str, before: str, lookback: timedelta) -> None:
    spans = scheduled(cron, zone, before, 7)
    start, end = (instant.astimezone(timezone.utc) for instant in spans[-1])  # as Airflow gives them
    run = SimpleNamespace(data_interval_start=start, data_interval_end=end)
    found = interval_of(S3Export(timezone=zone, compat="none"), "event", {}, run, NOW).before(lookback)
    assert [(one.start.timestamp(), one.end.timestamp()) for one in found] == [
        (first.timestamp(), last.timestamp()) for first, last in spans[-len(found) :]
    ]
    assert found[0].start.timestamp() <= start.timestamp() - lookback.total_seconds() < found[1].start.timestamp()
    assert all(one.window.upper + 1 == other.window.lower for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("start", "end", "hourly"),
    [
        ("2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00", False),
        ("2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", False),
        ("2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00", True),
        ("2026-03-08T01:00-05:00", "2026-03-08T03:00-04:00", True),
        ("2026-07-19T00:00-04:00", "2026-07-19T00:00-04:00", False),
    ],
    ids=["23 hours", "25 hours", "the hour that comes twice", "before the hour that is left out", "snapshot"],
)
def test_a_day_is_a_day_however_many_hours_it_has(start: str, end: str, hourly: bool) -> None:
    assert Interval(datetime.fromisoformat(start), datetime.fromisoformat(end), ZoneInfo(NEW_YORK)).hourly is hourly


def test_a_snapshot_has_nothing_before_it() -> None:
    found = interval_of(S3Export(type="one_time"), "user_profile", {}, None, NOW)
    assert found.before(timedelta(days=3)) == (found,)
