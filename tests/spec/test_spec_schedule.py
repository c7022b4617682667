"""The ``schedule`` block: what goes together, how often an import may run, and how people say it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from activation.spec import Pipeline
from activation.spec.cron import PRESETS, Cron, shortest_pause, skips_a_month
from activation.spec.moments import Moment, instant

SOURCE = {"type": "duckdb", "connection": "w", "table": "crm.users"}
BRAZE = {"type": "braze", "connection": "b", "data": "attributes"}
KINESIS = {"type": "kinesis", "connection": "k", "stream": "profiles", "audiences": ["vip"]}
S3 = {"type": "s3", "connection": "p", "data": "event", "path": "s3://bucket/crm"}
EXPORTS_ONCE = {**S3, "export": {"type": "one_time", "from_date": "2026-07-01", "to_date": "2026-07-02"}}


def pipeline(schedule: Any, destination: dict[str, Any] = BRAZE) -> Pipeline:
    return Pipeline.model_validate({"id": "users", "source": SOURCE, "schedule": schedule, "destination": destination})


def told(schedule: Any, destination: dict[str, Any] = BRAZE) -> tuple[str, str]:
    """The place and the problem."""
    with pytest.raises(ValidationError) as raised:
        pipeline(schedule, destination)
    ((place, problem),) = {(error["loc"][-1], error["msg"]) for error in raised.value.errors()}
    return str(place), problem


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        ("once", "once"),
        ({"cron": "once", "start": "2026-07-01"}, "once from 2026-07-01"),
        ({"cron": "@hourly", "after": ["a"], "assets": ["crm/b"]}, "@hourly or after a and asset crm/b"),
        ({"after": ["a"], "assets": ["s3://lake/b"], "wait_for": "any"}, "after a or asset s3://lake/b"),
        ({"assets": ["crm/b"]}, "after asset crm/b"),
        (
            {"cron": "0 9 * * *", "timezone": "Asia/Seoul", "delay": "15m", "start": "2026-07-01", "end": "2026-12-31T18:00"},
            "0 9 * * * Asia/Seoul + 15m from 2026-07-01 until 2026-12-31T18:00",
        ),
    ],
)
def test_a_schedule_in_words(schedule: Any, text: str) -> None:
    made = pipeline(schedule)
    assert made.schedule == text
    assert Pipeline.model_validate(made.model_dump(mode="json")) == made


@pytest.mark.parametrize(
    ("schedule", "place", "problem"),
    [
        ({"start": "2026-01-01"}, "schedule", "names no time, no pipeline and no asset"),
        ({"cron": "once", "after": ["a"]}, "cron", "is once, which does not go with after"),
        ({"cron": "once", "end": "2026-01-01"}, "end", "goes with the times of a clock, not with once"),
        ({"cron": "once", "timezone": "Asia/Seoul"}, "timezone", "goes with the times of a clock, not with once"),
        ({"cron": "once", "delay": "1m"}, "delay", "goes with the times of a clock, not with once"),
        ({"after": ["a"], "start": "2026-01-01"}, "start", "goes with the times of a clock, not with after"),
        ({"assets": ["a"], "delay": "1m"}, "delay", "goes with the times of a clock, not with assets"),
        ({"cron": "@daily", "after": ["a"], "end": "2026-01-01"}, "end", "goes with the times of a clock, not with after"),
        ({"cron": "@daily", "start": "2026-01-02", "end": "2026-01-01"}, "end", "is before start"),
        ({"cron": "@daily", "start": "soon"}, "start", "is not a day or an instant"),
        ({"cron": "@daily", "start": "2026-02-30"}, "start", "is not a day or an instant"),
        ({"assets": ["a", "a"]}, "assets", "names one of them twice"),
        ({"assets": ["activation/users"]}, "0", "is the asset of a pipeline"),
        ({"assets": ["x-activation://pipeline/users"]}, "0", "is the asset of a pipeline"),
        ({"assets": [" a"]}, "0", "is not the name or URI of an asset"),
        ({"assets": ["a" * 1501]}, "0", "is not the name or URI of an asset"),
        ({"assets": ["{{ ds }}"]}, "0", "does not take Jinja"),
    ],
)
def test_what_does_not_go_together(schedule: Any, place: str, problem: str) -> None:
    assert told(schedule) == (place, problem)


@pytest.mark.parametrize(
    ("schedule", "place", "problem"),
    [
        ("once", "cron", "does not go with a periodic export, because an export is named by"),
        ({"cron": "@daily", "assets": ["a"]}, "assets", "does not go with a periodic export, because an export is named by"),
        ({"cron": "@daily", "start": "2026-07-01T09:00"}, "start", "is not where an export has its start"),
        ({"cron": "@daily", "end": "2026-07-01"}, "end", "is not where an export has its end"),
    ],
)
def test_an_export_has_its_days_in_its_own_block(schedule: Any, place: str, problem: str) -> None:
    found, text = told(schedule, S3)
    assert (found, text[: len(problem)]) == (place, problem)


def test_a_one_time_export_has_no_schedule_at_all() -> None:
    assert told("once", EXPORTS_ONCE)[1] == "exports once, but the pipeline has a schedule"


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("* * * * *", "has times 1 minute apart, but an import begins every 5 minutes at most"),
        ("*/4 * * * *", "has times 4 minutes apart, but an import begins every 5 minutes at most"),
        ("*/7 * * * *", "has times 4 minutes apart, but an import begins every 5 minutes at most"),
        ("0,58 * * * *", "has times 2 minutes apart, but an import begins every 5 minutes at most"),
        ("0,57 0,23 * * *", "has times 3 minutes apart, but an import begins every 5 minutes at most"),
        ("0 0 31 * *", "leaves a month out, but an import runs at least monthly"),
        ("0 0 29,30 * *", "leaves a month out, but an import runs at least monthly"),
        ("0 0 1 */3 *", "leaves a month out, but an import runs at least monthly"),
        ("0 0 * 1-11 mon", "leaves a month out, but an import runs at least monthly"),
    ],
)
def test_f25_an_import_runs_every_five_minutes_to_monthly(cron: str, problem: str) -> None:
    assert told(cron) == ("cron", problem)
    assert told({"cron": cron, "after": ["other"]}) == ("cron", problem)
    assert pipeline(cron, KINESIS).schedule == cron


@pytest.mark.parametrize(
    "schedule",
    [*PRESETS, "*/5 * * * *", "0 0 28 * *", "0 0 l * *", "0 0 31 * mon", "*/10 9-17 * * mon-fri", "once", None],
)
def test_f25_what_an_import_may(schedule: str | None) -> None:
    assert pipeline(schedule).schedule == schedule


_MINUTE = st.sampled_from(["*", "0", "*/5", "*/7", "0,58", "3-9/3", "59"])
_HOUR = st.sampled_from(["*", "0", "23", "0,23", "9-17/2"])
_DAY = st.sampled_from(["*", "1", "28", "29", "31", "l", "1,15", "30,31"])
_MONTH = st.sampled_from(["*", "1", "1-11", "*/2", "jan-dec"])
_WEEKDAY = st.sampled_from(["*", "mon", "*/2", "1-5"])


@settings(max_examples=60, deadline=None)
@given(st.tuples(_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY).map(" ".join))
def test_the_limits_agree_with_the_times_that_airflow_finds(cron: str) -> None:
    try:
        TypeAdapter(Cron).validate_python(cron)
    except ValidationError:
        return
    every_day = " ".join([*cron.split()[:2], "* * *"])
    assert shortest_pause(cron) == min(_pauses(every_day, timedelta(days=3))) // timedelta(minutes=1)
    months = {(time.year, time.month) for time in _times(" ".join(["0 0", *cron.split()[2:]]), timedelta(days=365))}
    assert skips_a_month(cron) == (len(months) < 12)


def _times(cron: str, span: timedelta) -> list[datetime]:
    begin = datetime(2025, 12, 31, 23, 59, tzinfo=timezone.utc)
    walk, found = croniter(cron, begin), []
    while (time := walk.get_next(datetime)) <= begin + span:
        found.append(time)
    return found


def _pauses(cron: str, span: timedelta) -> list[timedelta]:
    times = _times(cron, span)
    return [after - before for before, after in pairwise(times)]


@pytest.mark.parametrize(
    ("text", "last", "expected"),
    [
        ("2026-07-19", False, "2026-07-18T15:00:00+00:00"),
        ("2026-07-19", True, "2026-07-19T14:59:59+00:00"),
        ("2026-07-19 09:00", False, "2026-07-19T00:00:00+00:00"),
        ("2026-07-19T09:00:30", True, "2026-07-19T00:00:30+00:00"),
        ("2026-07-19T09:00Z", True, "2026-07-19T09:00:00+00:00"),
        ("2026-07-19T09:00:00-04:00", False, "2026-07-19T13:00:00+00:00"),
    ],
)
def test_an_instant(text: str, last: bool, expected: str) -> None:
    assert TypeAdapter(Moment).validate_python(text) == text
    assert instant(text, "Asia/Seoul", last=last).astimezone(timezone.utc).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-7-1", "26-07-01", "2026-07-19T9:00", "2026-07-19T25:00", "2026-07-19T09", "9999-01-01"]
)
def test_no_instant(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(text)
