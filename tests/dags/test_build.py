from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from activation.dags import build_dag, load
from activation.spec import load_file

ROOT = Path(__file__).resolve().parents[2]


def test_f25_the_sample_pipeline_makes_a_dag_that_runs_one_at_a_time() -> None:
    dag = build_dag(load_file(ROOT / "dags" / "pipelines" / "users_to_braze.yaml"))
    task = dag.get_task("import")
    assert (dag.dag_id, dag.max_active_runs, dag.catchup) == ("users_to_braze", 1, False)
    assert (dag.tags, task.owner) == ({"activation", "braze", "users"}, "growth")
    assert (task.retries, task.retry_delay) == (3, timedelta(seconds=30))
    assert "boundary rule `count`" in (dag.doc_md or "")


def test_every_task_waits_for_the_pool_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(GOOD + "task: {pool: braze, pool_slots: 2, priority: 7, queue: crm, executor: LocalExecutor}\n")
    for task in build_dag(load_file(file)).tasks:
        assert (task.pool, task.pool_slots, task.priority_weight) == ("braze", 2, 7)
        assert (task.queue, task.executor) == ("crm", "LocalExecutor")


def test_a_dag_survives_airflows_serialization() -> None:
    dag = build_dag(load_file(ROOT / "dags" / "pipelines" / "users_to_braze.yaml"))
    assert DagSerialization.to_dict(dag)["dag"]["dag_id"] == "users_to_braze"


GOOD = """source: {type: duckdb, connection: warehouse, table: marketing.users}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good files, a broken one, and a broken one whose name is no id."""
    pipelines = tmp_path / "pipelines"
    pipelines.mkdir()
    for name in ("one", "two"):
        (pipelines / f"{name}.yaml").write_text(GOOD.replace("users", name))
    (pipelines / "bad.yaml").write_text(GOOD.replace("table:", "tabel:"))
    (pipelines / "Bad Name.yaml").write_text(GOOD)
    return pipelines


def test_a_broken_file_takes_no_other_pipeline_with_it(folder: Path) -> None:
    dags = load(folder)
    assert {dag.dag_id for dag in dags.values()} == {"one", "two", "bad", "broken.bad", "broken.Bad_Name"}


def test_what_stands_for_a_broken_pipeline_keeps_its_id_and_its_asset(folder: Path) -> None:
    stub = load(folder)["bad"]
    assert [asset.name for asset in stub.get_task("import").outlets] == ["activation/bad"]
    assert "'tabel' is not a key of source." in (stub.doc_md or "")


def test_the_import_error_stands_under_the_pipeline_files_own_name(folder: Path) -> None:
    carrier = load(folder)["bad (broken)"]
    carrier.fileloc = str(folder.parent / "activation.py")
    carrier.relative_fileloc = "activation.py"
    assert carrier.relative_fileloc == "pipelines/bad.yaml"
    with pytest.raises(Exception, match=r"bad\.yaml:1:47: 'tabel' is not a key of source") as error:
        DagSerialization.to_dict(carrier)
    assert type(error.value).__name__ == "SerializationError"
    assert "Failed to serialize" not in str(error.value)


def test_a_task_process_reads_only_its_own_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "one")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "import")
    (folder / "two.yaml").chmod(0)
    (folder / "bad.yaml").unlink()
    assert list(load(folder)) == ["one"]
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "nobody")
    assert load(folder) == {}


def test_a_relative_folder_lies_beside_the_dag_file(folder: Path) -> None:
    (folder.parent / "activation.py").write_text("from activation.dags import load\nglobals().update(load('pipelines'))\n")
    names: dict[str, object] = {}
    exec(compile((folder.parent / "activation.py").read_text(), str(folder.parent / "activation.py"), "exec"), names)  # noqa: S102
    assert {"one", "two"} <= set(names)
