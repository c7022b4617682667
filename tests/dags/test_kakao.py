"""The DAG of customer files, and when DAGs of all kinds run, asked of Airflow's own objects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables import interval, trigger

from activation.dags import build_dag
from activation.operators.kakao_customer_file import KakaoCustomerFileOperator
from activation.spec import Pipeline, load_file

FILE = """schedule: {schedule}
source: {{type: duckdb, connection: warehouse, table: crm.push_ids}}
destination:
  type: kakao_moment
  connection: kakao
  ad_account_id: 12345
  mode: register
  file_name: "VIP {{{{ ds }}}}"
  ids: {{column: GAID, case: lower}}
  file: {{limit: 100MB}}
errors: {{max_rows: 1000, max_reject_share: 0.1, stop_after: 4}}
"""
ZONED = '{cron: "0 4 * * mon-fri", timezone: Asia/Seoul}'
KINDS: list[dict[str, Any]] = [
    {"type": "braze", "connection": "b", "data": "attributes"},
    {"type": "s3", "connection": "p", "data": "event", "path": "s3://bucket/crm"},
    {"type": "kinesis", "connection": "k", "stream": "profiles", "audiences": ["a1"]},
    {"type": "kakao_moment", "ad_account_id": 1, "mode": "edit", "file_name": "VIP"},
]
EACH_KIND = pytest.mark.parametrize("destination", KINDS, ids=[str(one["type"]) for one in KINDS])
SUMMER = datetime(2026, 7, 17, tzinfo=timezone.utc)
"""A Friday."""


def made(folder: Path, schedule: str = "null") -> DAG:
    (folder / "vip.yaml").write_text(FILE.format(schedule=schedule))
    return build_dag(load_file(folder / "vip.yaml"))


def task_of(dag: DAG) -> KakaoCustomerFileOperator:
    task = dag.get_task("upload")
    assert isinstance(task, KakaoCustomerFileOperator)
    return task


def times(dag: DAG, count: int, now: datetime, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """When Airflow's scheduler would begin the next runs."""
    known = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    last, found = None, []
    for module in (trigger, interval):
        monkeypatch.setattr(module, "utcnow", lambda: now)
    for _ in range(count):
        last = known.next_dagrun_info(last_automated_run_info=last)
        assert last is not None
        found.append(last.run_after)
        now = last.run_after
    return found


def kind(destination: dict[str, Any], **more: Any) -> DAG:
    blocks = {"id": "p", "source": {"type": "duckdb", "connection": "w", "table": "crm.t"}, "destination": destination}
    return build_dag(Pipeline.model_validate({**blocks, **more}))


def test_feature_schedule_presets_and_cron_with_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert times(made(tmp_path, "'@daily'"), 2, SUMMER + timedelta(hours=1), monkeypatch)[1].isoformat() == (
        "2026-07-18T00:00:00+00:00"
    )
    runs = times(made(tmp_path, '"30 4 * * Mon-Fri"'), 2, SUMMER + timedelta(hours=5), monkeypatch)
    assert [run.isoformat() for run in runs] == ["2026-07-17T04:30:00+00:00", "2026-07-20T04:30:00+00:00"]
    assert made(tmp_path).schedule is None


def test_feature_schedule_time_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = times(made(tmp_path, ZONED), 2, SUMMER, monkeypatch)
    assert [run.astimezone(timezone.utc).isoformat() for run in runs] == [
        "2026-07-16T19:00:00+00:00",  # Friday, four o'clock in Seoul
        "2026-07-19T19:00:00+00:00",
    ]


def test_a_time_zone_with_summer_time_keeps_the_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = made(tmp_path, "{cron: '@daily', timezone: Europe/Berlin}")
    runs = times(dag, 3, datetime(2026, 10, 25, 12, tzinfo=timezone.utc), monkeypatch)
    assert [run.astimezone(timezone.utc).hour for run in runs] == [22, 23, 23]


@EACH_KIND
@pytest.mark.parametrize(("run_type", "waits"), [("scheduled", 900), ("manual", 0)])
def test_feature_schedule_delayed_start(destination: dict[str, Any], run_type: str, waits: int) -> None:
    dag = kind(destination, schedule={"cron": "@hourly", "delay": "15m"})
    first = dag.get_task("delay")
    (work,) = (task for task in dag.tasks if task is not first)
    assert (work.upstream_task_ids, first.upstream_task_ids) == ({"delay"}, set())
    run: Any = SimpleNamespace(run_type=run_type, run_after=SUMMER)
    from airflow.sdk.execution_time import macros

    first.render_template_fields({"dag_run": run, "macros": macros})  # type: ignore[typeddict-item]
    assert datetime.fromisoformat(first.target_time) == SUMMER + timedelta(seconds=waits)  # type: ignore[attr-defined]
    assert first.execution_timeout is None
    DagSerialization.to_dict(dag)


def test_without_a_delay_there_is_no_further_task(tmp_path: Path) -> None:
    assert [task.task_id for task in made(tmp_path, ZONED).tasks] == ["upload"]


def test_a_delay_leaves_the_interval_of_an_export_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    dag = kind(KINDS[1], schedule={"cron": "@hourly", "delay": "15m"})
    assert times(dag, 2, SUMMER, monkeypatch)[1].isoformat() == "2026-07-17T01:00:00+00:00"


@EACH_KIND
def test_feature_a_pipeline_that_keeps_failing_is_switched_off(destination: dict[str, Any]) -> None:
    schedule = "@hourly"
    assert kind(destination, schedule=schedule, errors={"stop_after": 3}).max_consecutive_failed_dag_runs == 3
    assert kind(destination, schedule=schedule).max_consecutive_failed_dag_runs == 0  # Airflow's own setting


def test_the_task_has_the_blocks_of_the_file(tmp_path: Path) -> None:
    dag = made(tmp_path)
    task, file = task_of(dag), load_file(tmp_path / "vip.yaml")
    assert (task.pipeline_id, task.max_rows, task.max_reject_share) == ("vip", 1000, 0.1)
    assert task.pipeline().destination == file.destination
    assert task.pipeline().source == file.source
    assert task.outlets[0].name == "activation/vip"
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_the_name_and_the_mode_are_rendered_by_airflow(tmp_path: Path) -> None:
    dag = made(tmp_path)
    task = task_of(dag)
    assert {name: param.value for name, param in dag.params.items()} == {"mode": "run", "dry_run": False}
    assert dag.params.get_param("mode").schema["enum"] == ["run", "preview", "check"]
    task.render_template_fields({"ds": "2026-07-19", "params": {"mode": "preview", "dry_run": False}})  # type: ignore[typeddict-item]
    assert task.destination["file_name"] == "VIP 2026-07-19"
    assert task.order == {"mode": "preview", "dry_run": "False"}


@pytest.mark.parametrize(
    ("more", "texts"),
    [
        (
            {},
            ["Replaces the content of", "`VIP` of the Kakao Moment ad account 1 (connection `kakao_default`)", "`stop`", "ready"],
        ),
        ({"output": {"wait": "none"}}, ["until they are uploaded"]),
        ({"output": {"to": "folder", "path": "s3://c@b/k"}}, ["as CSV files in `s3://c@b/k`", "by hand"]),
    ],
)
def test_the_document_says_what_goes_where(more: dict[str, Any], texts: list[str]) -> None:
    document = kind({**KINDS[3], **more}).doc_md or ""
    assert all(text in document for text in texts)


def test_the_dag_survives_airflows_serialization(tmp_path: Path) -> None:
    assert DagSerialization.to_dict(made(tmp_path, ZONED))["dag"]["dag_id"] == "vip"
