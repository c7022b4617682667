"""The task ``check``: what is wrong with source or destination is told early, by name, and all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from activation.dags import Pipeline, build_dag
from activation.errors import TransientError
from activation.operators.checking import PipelineCheckOperator
from tests.support.task import task_instance

from .world import World

USERS_TABLE = "EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR"
pytestmark = pytest.mark.allows("empty")  # the check asks Braze with nothing in the request


def task_of(world: World, **source: str) -> PipelineCheckOperator:
    read = {"type": "duckdb", "connection": "world_duckdb", "table": "crm.source", **source}
    to = {"type": "braze", "connection": "world_braze", "data": "attributes"}
    dag = build_dag(Pipeline(id="p", source=read, destination=to, task={"check": True}, cursor={"settle": "5s"}))
    assert dag.get_task("import").upstream_task_ids == {"check"}
    task = dag.get_task("check")
    assert isinstance(task, PipelineCheckOperator)
    assert not task.outlets  # it brings nothing up to date
    return task


def run(task: PipelineCheckOperator) -> list[dict[str, str]]:
    return task.execute(cast(Context, {"run_id": "r", "ti": task_instance("p", "check")}))


def test_a_good_pipeline_is_found_good(world: World) -> None:
    world.table(USERS_TABLE)
    found = run(task_of(world))
    assert [(one["check"], one["verdict"]) for one in found] == [("source", "ok"), ("table", "ok"), ("connection", "ok")]
    assert "crm.source has 3 columns, UPDATED_AT (TIMESTAMP) among them" in found[1]["text"]
    assert world.braze.users() == []


def test_everything_that_is_wrong_is_told_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sql("CREATE SCHEMA crm; CREATE TABLE crm.source (ID VARCHAR)")
    bad = {"conn_type": "braze", "host": world.braze.url, "password": "key-wrong-0000000"}
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_BRAZE", json.dumps(bad))
    with pytest.raises(AirflowFailException) as error:
        run(task_of(world))
    first, second = str(error.value).splitlines()
    assert first.startswith("table: crm.source has no column UPDATED_AT")
    assert second.startswith("connection: ")
    assert "key-wrong" not in str(error.value)


def test_a_source_that_does_not_open_is_named(world: World) -> None:
    with pytest.raises(AirflowFailException, match="source: There is no Airflow connection 'nobody'"):
        run(task_of(world, connection="nobody"))


def test_what_may_pass_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.table(USERS_TABLE)
    nowhere = {"conn_type": "braze", "host": "http://127.0.0.1:9", "password": "key-0000000000"}
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_BRAZE", json.dumps(nowhere))
    with pytest.raises(TransientError, match="connection: "):
        run(task_of(world))


def test_templates_are_rendered_before_it_looks(world: World, tmp_path: Path) -> None:
    world.table(USERS_TABLE)
    task = task_of(world, table="{{ params.schema }}.source")
    task.render_template_fields({"params": {"schema": "crm"}})  # type: ignore[typeddict-item]
    assert run(task)[1]["verdict"] == "ok"
