"""``ActivationTaskGroup``: a pipeline's tasks in somebody else's DAG, as they are when the DAG file is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.definitions._internal.contextmanager import DagContext
from airflow.serialization.serialized_objects import DagSerialization

from activation.dags import ActivationTaskGroup, Pipeline, build_dag
from activation.errors import ConfigurationError
from activation.spec import PipelineFileError

BLOCKS: dict[str, Any] = {
    "id": "users",
    "description": "All customers.",
    "source": {"type": "duckdb", "connection": "warehouse", "table": "crm.users"},
    "destination": {"type": "braze", "connection": "braze", "data": "attributes"},
}
USERS = Pipeline(**BLOCKS)
HELD = (
    "errors: {retries: 7, retry_delay: 5s, timeout: 2h}\n"
    "task: {pool: braze, pool_slots: 2, check: true}\n"
    "alerts: {email: [crm@example.com]}\n"
)


@pytest.fixture
def dag() -> Iterator[DAG]:
    with DAG("nightly", schedule="@daily", default_args={"owner": "them", "retries": 1}) as made:
        yield made
    assert DagContext.get_current() is None


def upstream(dag: DAG) -> dict[str, set[str]]:
    return {task.task_id: task.upstream_task_ids for task in dag.tasks}


def test_the_group_stands_between_other_tasks(dag: DAG) -> None:
    from airflow.providers.standard.operators.empty import EmptyOperator

    before, behind = EmptyOperator(task_id="extract"), EmptyOperator(task_id="report")
    before >> ActivationTaskGroup(Pipeline(**BLOCKS, task={"check": True})) >> behind  # type: ignore[operator]
    assert upstream(dag) == {
        "extract": set(),
        "users.check": {"extract"},
        "users.import": {"users.check"},
        "report": {"users.import"},
    }
    assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).task_group.children["users"].tooltip == "All customers."


def test_it_has_the_tasks_of_the_pipelines_own_dag_without_a_form(dag: DAG) -> None:
    ActivationTaskGroup(USERS)
    theirs, ours = dag.get_task("users.import"), build_dag(USERS).get_task("import")
    for name in ("pipeline_id", "source", "destination", "cursor", "columns", "delivery", "max_rows", "outlets", "inlets"):
        assert getattr(theirs, name) == getattr(ours, name), name
    assert theirs.order == {
        "mode": "incremental", "limit": None, "dry_run": False, "reset_to": None, "replay_run": None, "replay_code": None
    }  # fmt: skip
    assert not dag.params


def test_a_pipeline_is_named_by_its_id_or_its_path(dag: DAG, tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    text = "source: {type: duckdb, connection: w, table: crm.t}\ndestination: {type: braze, connection: b, data: events}\n"
    (tmp_path / "pipelines" / "events.yaml").write_text(text + HELD)
    (tmp_path / "other.yaml").write_text(text + HELD)
    file = tmp_path / "dag_file.py"
    file.write_text("ActivationTaskGroup('events')\nActivationTaskGroup('other.yaml', 'again', limit='{{ ds_nodash }}')\n")
    exec(compile(file.read_text(), str(file), "exec"), {"ActivationTaskGroup": ActivationTaskGroup})  # noqa: S102
    assert {*upstream(dag)} == {"events.check", "events.import", "again.check", "again.import"}
    assert dag.get_task("again.import").order["limit"] == "{{ ds_nodash }}"
    with pytest.raises(ConfigurationError, match=r"The folder .*/pipelines has no pipeline evens\. Fix: Correct the id"):
        exec(compile("ActivationTaskGroup('evens')", str(file), "exec"), {"ActivationTaskGroup": ActivationTaskGroup})  # noqa: S102
    (tmp_path / "other.yaml").write_text(text.replace("table:", "tabel:"))
    with pytest.raises(PipelineFileError, match="'tabel' is not a key of source"):
        ActivationTaskGroup(tmp_path / "other.yaml", "third")


def test_retries_pool_time_out_and_alerts_are_the_pipelines(dag: DAG) -> None:
    more = {
        "errors": {"retries": 7, "retry_delay": "5s", "timeout": "2h"},
        "task": {"pool": "braze", "pool_slots": 2, "check": True},
    }
    ActivationTaskGroup(Pipeline(**BLOCKS, **more, owner="growth", alerts={"email": ["crm@example.com"]}))
    for task in dag.tasks:
        assert (task.owner, task.retries, task.retry_delay) == ("growth", 7, timedelta(seconds=5))
        assert (task.pool, task.pool_slots, task.execution_timeout) == ("braze", 2, timedelta(hours=2))
        assert task.on_failure_callback
    assert not dag.get_task("users.check").on_success_callback
    assert dag.get_task("users.import").on_success_callback


def test_a_watermark_has_one_writer_at_a_time_whatever_the_dag_allows(dag: DAG) -> None:
    ActivationTaskGroup(USERS)
    assert dag.max_active_runs != 1
    assert dag.get_task("users.import").max_active_tis_per_dag == 1
    assert build_dag(USERS).get_task("import").max_active_tis_per_dag is None  # it has one run at a time


def test_partitions_want_a_dag_with_one_run_at_a_time() -> None:
    split = Pipeline(**BLOCKS, task={"partitions": 3, "check": True})
    with DAG("nightly", schedule=None), pytest.raises(ConfigurationError, match="Fix: Give the DAG max_active_runs=1"):
        ActivationTaskGroup(split)
    with DAG("nightly", schedule=None, max_active_runs=1) as dag:
        ActivationTaskGroup(split)
    assert upstream(dag) == {
        "users.check": set(),
        "users.import": {"users.check"},
        "users.publish": {"users.check", "users.import"},
    }


@pytest.mark.parametrize(
    ("destination", "arguments", "order"),
    [
        (
            {"type": "kinesis", "connection": "k", "stream": "s", "audiences": ["vip"]},
            {"mode": "full"},
            ("order", "mode", "full"),
        ),
        (
            {"type": "kakao_moment", "ad_account_id": 1, "mode": "edit", "file_name": "VIP"},
            {"dry_run": True},
            ("order", "dry_run", True),
        ),
    ],
    ids=["kinesis", "kakao_moment"],
)
def test_every_kind_takes_the_fields_of_its_form(
    dag: DAG, destination: dict[str, Any], arguments: dict[str, Any], order: tuple[str, str, Any]
) -> None:
    ActivationTaskGroup(Pipeline(id="p", source=BLOCKS["source"], destination=destination), **arguments)
    (task,) = dag.tasks
    assert getattr(task, order[0])[order[1]] == order[2]


def test_an_export_takes_an_interval(dag: DAG) -> None:
    to = {"type": "s3", "connection": "partner", "data": "event", "path": "s3://bucket/crm"}
    pipeline = Pipeline(id="p", source=BLOCKS["source"], destination=to, schedule="@daily")
    ActivationTaskGroup(pipeline, interval_start="{{ ds }}T00:00:00Z", interval_end="{{ macros.ds_add(ds, 1) }}T00:00:00Z")
    task = dag.get_task("p.export")
    assert (task.interval_start, task.order) == ("{{ ds }}T00:00:00Z", {"mode": "run", "dry_run": False})


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"mode": "ful"}, "The group of the pipeline users has mode = 'ful': 'ful' is not one of ['incremental', 'full', "),
        ({"limit": 0}, "The group of the pipeline users has limit = 0: 0 is less than the minimum of 1."),
        (
            {"interval_start": "x"},
            "The group of the pipeline users has no argument interval_start. Fix: Choose from mode, limit, ",
        ),
    ],
)
def test_a_wrong_argument_is_told_when_the_dag_file_is_read(dag: DAG, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        ActivationTaskGroup(USERS, **arguments)
    assert str(error.value).startswith(text)
