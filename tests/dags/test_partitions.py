"""The tasks of an import in several slices."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from activation.dags import ActivationTaskGroup, build_dag
from activation.dags.pipeline import Pipeline
from activation.errors import ConfigurationError

BLOCKS: dict[str, Any] = {
    "id": "users",
    "source": {"type": "duckdb", "connection": "w", "table": "a.users"},
    "destination": {"type": "braze", "connection": "b", "data": "attributes"},
    "alerts": {"email": ["crm@example.com"], "start": True, "success": True},
}


def pipeline(partitions: int = 4, **task: Any) -> Pipeline:
    return Pipeline(**BLOCKS, task={"partitions": partitions, **task})


def test_a_split_import_is_checked_moved_in_slices_and_published() -> None:
    dag = build_dag(pipeline(pool="braze"))
    check, slices, publish = (dag.get_task(name) for name in ("check", "import", "publish"))
    assert [task.task_id for task in dag.topological_sort()] == ["check", "import", "publish"]
    assert slices.is_mapped
    assert publish.upstream_task_ids == {"check", "import"}
    assert [task.pool for task in (check, slices, publish)] == ["braze"] * 3
    asset = "activation/users"
    assert [asset in [one.name for one in task.outlets] for task in (check, slices, publish)] == [False, False, True]
    assert [asset in [one.name for one in task.inlets] for task in (check, slices)] == [True, True]
    assert "in 4 slices" in (dag.doc_md or "")
    assert "its task `publish`" in (dag.doc_md or "")
    assert DagSerialization.to_dict(dag)["dag"]["dag_id"] == "users"


def test_each_thing_is_told_once_and_failures_of_every_task() -> None:
    dag = build_dag(pipeline())
    told = {name: dag.get_task(name) for name in ("check", "import", "publish")}
    assert [name for name, task in told.items() if task.on_execute_callback] == ["check"]
    assert [name for name, task in told.items() if task.on_success_callback] == ["publish"]
    assert all(task.on_failure_callback for task in told.values())


@pytest.mark.parametrize("task", [{"partitions": 1}, {}])
def test_one_slice_is_an_import_as_ever(task: dict[str, int]) -> None:
    dag = build_dag(Pipeline(**BLOCKS, task=task))
    assert [one.task_id for one in dag.tasks] == ["import"]


def test_the_first_task_is_the_check_that_a_file_may_ask_for() -> None:
    dag = build_dag(pipeline(check=True))
    assert sorted(task.task_id for task in dag.tasks) == ["check", "import", "publish"]


def test_slices_run_at_the_same_time_in_a_group_too() -> None:
    with DAG("nightly", max_active_runs=1) as dag:
        ActivationTaskGroup(pipeline())
    assert sorted(dag.task_ids) == ["users.check", "users.import", "users.publish"]
    limits = [dag.get_task(name).max_active_tis_per_dag for name in sorted(dag.task_ids)]
    assert limits == [1, None, 1]


@pytest.mark.parametrize("kind", ["s3", "kinesis", "kakao_moment"])
def test_only_imports_are_split(kind: str) -> None:
    destinations: dict[str, dict[str, Any]] = {
        "s3": {"path": "s3://bucket/out", "data": "event", "export": {"type": "periodic"}},
        "kinesis": {"stream": "profiles", "audiences": ["vip"]},
        "kakao_moment": {"ad_account_id": 1234, "mode": "register", "file_name": "VIP"},
    }
    to = {"type": kind, "connection": "c", **destinations[kind]}
    with pytest.raises(ConfigurationError, match=r"(?s)task\.partitions means nothing to .* only imports into braze are split"):
        Pipeline(id="users", source=BLOCKS["source"], destination=to, schedule="@daily", task={"partitions": 2})
