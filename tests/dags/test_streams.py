"""The DAG of a stream of profiles, asked of Airflow's own objects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetAny
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables import simple as timetables

from activation.dags import build_dag
from activation.operators.kinesis_stream import KinesisProfileStreamOperator
from activation.operators.orders import Order
from activation.spec import Pipeline, load_file

FILE = """schedule: {schedule}
source: {{type: duckdb, connection: warehouse, table: crm.profiles}}
cursor: {{settle: 2s}}
columns: {{fields: {{person.name.firstName: FIRST_NAME, tier: {{column: TIER, as: text}}}}}}
destination:
  type: kinesis
  connection: "{{{{ var.value.aws }}}}"
  stream: profiles
  audiences: [a1, a2]
delivery: {{in_flight: 4}}
errors: {{max_rows: 1000}}
"""
IMPORT = {
    "id": "users",
    "source": {"type": "duckdb", "connection": "w", "table": "a.users"},
    "destination": {"type": "braze", "connection": "b", "data": "attributes"},
}


def made(folder: Path, schedule: str = "continuous") -> DAG:
    (folder / "profiles.yaml").write_text(FILE.format(schedule=schedule))
    return build_dag(load_file(folder / "profiles.yaml"))


def task_of(dag: DAG) -> KinesisProfileStreamOperator:
    task = dag.get_task("stream")
    assert isinstance(task, KinesisProfileStreamOperator)
    return task


def test_continuous_runs_follow_each_other_back_to_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = DagSerialization.from_dict(DagSerialization.to_dict(made(tmp_path)))
    assert (dag.timetable.summary, dag.max_active_runs, dag.catchup) == ("@continuous", 1, False)
    now, last, runs = datetime(2026, 7, 19, 9, tzinfo=timezone.utc), None, []
    for _ in range(3):
        monkeypatch.setattr(timetables.timezone, "utcnow", lambda now=now: now)
        last = dag.next_dagrun_info(last_automated_run_info=last)
        assert last is not None
        runs.append(last)
        now += timedelta(seconds=40)
    assert [
        run.run_after <= datetime(2026, 7, 19, 9, tzinfo=timezone.utc) + n * timedelta(seconds=40) for n, run in enumerate(runs)
    ]
    assert runs[1].data_interval.start == runs[0].data_interval.end
    assert runs[2].data_interval == (runs[1].data_interval.end, datetime(2026, 7, 19, 9, 1, 20, tzinfo=timezone.utc))


@pytest.mark.parametrize(
    ("schedule", "condition"),
    [
        ("{after: [users_import]}", {"all": ["users_import"]}),
        ("{after: [users_import, audiences]}", {"all": ["users_import", "audiences"]}),
        ("{after: [users_import, audiences], wait_for: any}", {"any": ["users_import", "audiences"]}),
    ],
)
def test_runs_begin_behind_other_pipelines(tmp_path: Path, schedule: str, condition: dict[str, list[str]]) -> None:
    ((how, ids),) = condition.items()
    written = DagSerialization.to_dict(made(tmp_path, schedule))["dag"]["timetable"]
    assert "AssetTriggeredTimetable" in written["__type"]
    found = written["__var"]["asset_condition"]
    assert found["__type"] == f"asset_{how}"
    assert [one["name"] for one in found["objects"]] == [f"activation/{pipeline_id}" for pipeline_id in ids]


def test_the_asset_that_is_waited_for_is_the_one_that_an_import_updates(tmp_path: Path) -> None:
    schedule = made(tmp_path, "{after: [users, clients], wait_for: any}").schedule
    assert isinstance(schedule, AssetAny)
    outlet = build_dag(Pipeline.model_validate(IMPORT)).get_task("import").outlets[0]
    assert schedule.objects[0] == Asset.ref(name="activation/users")
    assert isinstance(outlet, Asset)
    assert (outlet.name, outlet.uri, outlet.group) == ("activation/users", "x-activation://pipeline/users", "activation")


def test_an_import_can_run_behind_another_pipeline() -> None:
    dag = build_dag(Pipeline.model_validate({**IMPORT, "schedule": {"after": ["crm"]}}))
    assert [asset.name for asset in dag.schedule] == ["activation/crm"]


def test_the_task_has_the_blocks_of_the_file(tmp_path: Path) -> None:
    dag = made(tmp_path)
    task = task_of(dag)
    assert (task.pipeline_id, task.cursor, task.delivery, task.max_rows) == ("profiles", {"settle": "2s"}, {"in_flight": 4}, 1000)
    assert task.columns == {
        "fields": {"person.name.firstName": {"column": "FIRST_NAME"}, "tier": {"column": "TIER", "as": "text"}}
    }
    file = load_file(tmp_path / "profiles.yaml")
    assert task.pipeline().destination == file.destination
    assert (task.pipeline().columns, task.pipeline().cursor) == (file.columns, file.cursor)
    assert task.outlets[0].name == "activation/profiles"
    assert not task.on_success_callback


def test_the_trigger_form_gives_orders(tmp_path: Path) -> None:
    dag = made(tmp_path, "null")
    assert {name: param.value for name, param in dag.params.items()} == {
        "mode": "incremental", "limit": None, "dry_run": False, "reset_to": None
    }  # fmt: skip
    assert dag.params.get_param("mode").schema["enum"] == ["incremental", "full", "preview", "reset", "check"]
    context: Any = {
        "params": {"mode": "reset", "limit": None, "dry_run": False, "reset_to": "2026-07-19T09:07:23Z"},
        "var": {"value": {"aws": "k"}},
    }
    task = task_of(dag)
    task.render_template_fields(context)
    assert Order.parse(task.order) == Order("reset", reset_to=1_784_452_043_000_000_000)
    assert task.pipeline().destination.connection == "k"


def test_the_document_says_what_goes_where(tmp_path: Path) -> None:
    text = made(tmp_path).doc_md or ""
    assert "profile of `crm.profiles` (duckdb, connection `warehouse`)" in text
    assert "data stream `profiles`" in text
    assert "2 mapped audiences, 2 attributes; attributes count by `content`" in text


def test_the_dag_survives_airflows_serialization(tmp_path: Path) -> None:
    assert DagSerialization.to_dict(made(tmp_path))["dag"]["dag_id"] == "profiles"
