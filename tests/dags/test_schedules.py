"""The ``schedule`` block in Airflow's terms, as its scheduler reads them back."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from activation.dags.build import build_dag
from activation.spec import Pipeline
from tests.dags.test_kakao import times

IMPORT = {
    "id": "users",
    "source": {"type": "duckdb", "connection": "w", "table": "crm.users"},
    "destination": {"type": "braze", "connection": "b", "data": "attributes"},
}
SUMMER = datetime(2026, 7, 18, 12, tzinfo=timezone.utc)


def made(schedule: Any) -> DAG:
    return build_dag(Pipeline.model_validate({**IMPORT, "schedule": schedule}))


def timetable(schedule: Any) -> tuple[str, dict[str, Any]]:
    written = DagSerialization.to_dict(made(schedule))["dag"]["timetable"]
    return written["__type"].rpartition(".")[2], written["__var"]


def names(condition: dict[str, Any]) -> list[str]:
    return [one.get("name") or one["uri"] for one in condition["objects"]]


def test_once_is_one_run_at_once_or_from_a_start_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timetable("once")[0] == "OnceTimetable"
    dag = made({"cron": "once", "start": "2026-08-01T09:00", "timezone": "Asia/Seoul"})
    assert times(dag, 1, SUMMER, monkeypatch) == [datetime(2026, 8, 1, 0, tzinfo=timezone.utc)]


@pytest.mark.parametrize(("wait_for", "kind"), [("all", "asset_all"), ("any", "asset_any")])
def test_assets_are_references_by_name_or_uri(wait_for: str, kind: str) -> None:
    kind_of_timetable, written = timetable(
        {"after": ["clients"], "assets": ["crm/customers", "s3://lake/crm"], "wait_for": wait_for}
    )
    condition = written["asset_condition"]
    assert (kind_of_timetable, condition["__type"]) == ("AssetTriggeredTimetable", kind)
    assert names(condition) == ["activation/clients", "crm/customers", "s3://lake/crm"]
    assert [one["__type"] for one in condition["objects"]] == ["asset_ref"] * 3


@pytest.mark.parametrize("others", [{"after": ["clients"]}, {"assets": ["crm/customers"]}])
def test_a_clock_and_assets_together_are_either(others: dict[str, Any]) -> None:
    kind, written = timetable({"cron": "30 4 * * mon-fri", "timezone": "Asia/Seoul", "delay": "10m", **others})
    assert kind == "AssetOrTimeSchedule"
    assert names(written["asset_condition"]) == ["activation/clients" if "after" in others else "crm/customers"]
    clock = written["timetable"]["__var"]
    assert (clock["expression"], clock["timezone"]) == ("30 4 * * mon-fri", "Asia/Seoul")


def test_the_clock_of_both_begins_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = times(made({"cron": "@daily", "after": ["clients"]}), 2, SUMMER, monkeypatch)
    assert [run.astimezone(timezone.utc).isoformat() for run in runs] == [
        "2026-07-18T00:00:00+00:00",
        "2026-07-19T00:00:00+00:00",
    ]


def test_start_and_end_are_days_or_instants_of_the_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    dag = made({"cron": "0 9 * * *", "timezone": "Asia/Seoul", "start": "2026-08-01", "end": "2026-08-03"})
    assert dag.start_date == datetime(2026, 7, 31, 15, tzinfo=timezone.utc)
    assert dag.end_date == datetime(2026, 8, 3, 14, 59, 59, tzinfo=timezone.utc)
    runs = times(dag, 3, SUMMER, monkeypatch)
    assert [run.astimezone(timezone.utc).isoformat() for run in runs] == [
        "2026-08-01T00:00:00+00:00",
        "2026-08-02T00:00:00+00:00",
        "2026-08-03T00:00:00+00:00",
    ]
    with pytest.raises(AssertionError):
        times(dag, 4, SUMMER, monkeypatch)
    utc = made({"cron": "@hourly", "start": "2026-08-01T09:00:00+09:00", "end": "2026-08-01T12:30:00Z"})
    assert utc.start_date == datetime(2026, 8, 1, tzinfo=timezone.utc)
    assert utc.end_date == datetime(2026, 8, 1, 12, 30, tzinfo=timezone.utc)
