"""What Airflow shows beside a DAG, the trigger forms, and the task ``check`` in the DAG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from activation.dags import Pipeline, build_dag, load
from activation.dags.build import KINDS
from activation.dags.document import MOST
from activation.spec import load_folder

ROOT = Path(__file__).resolve().parents[2]
FILE = """description: All customers.
schedule: {cron: "0 4 * * *", timezone: Asia/Seoul}
source: {type: duckdb, connection: warehouse, table: crm.users}
destination: {type: braze, connection: braze, data: attributes}
errors: {retries: 5, retry_delay: 30s, timeout: 2h, stop_after: 4, max_rows: 1000000}
task: {pool: braze}
alerts: {email: [crm@example.com]}
"""


def shown(folder: Path) -> str:
    return load(folder)["users"].doc_md or ""


def test_the_plan_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(FILE)
    text = shown(tmp_path)
    assert text.startswith("**All customers.**\n\nCarries the rows of `crm.users` (duckdb, connection `warehouse`)")
    for line in (
        "* Runs at `0 4 * * * Asia/Seoul`.",
        "* A try that fails is repeated 5 times, 30s apart. A window of more than 1,000,000 rows is not sent.",
        "* A try ends after 2h. After 4 failed runs in a row the DAG is paused.",
        "* It waits for 1 of the pool `braze`.",
        "* crm@example.com is told of failures.",
        "* What it remembers lies in the folder `users` of `[activation] state_folder`, and in the asset's state.",
    ):
        assert line in text.splitlines()


def test_the_file_is_shown_and_what_lies_under_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.yaml").write_text(FILE)
    (tmp_path / "users.prod.yaml").write_text("errors: {retries: 9}\n")
    (tmp_path / "_defaults.yaml").write_text("owner: growth\n")
    monkeypatch.setenv("AIRFLOW__ACTIVATION__ENV", "prod")
    text = shown(tmp_path)
    assert f"### `users.yaml`\n\n~~~~yaml\n{FILE}~~~~" in text
    assert "### `users.prod.yaml`\n\n~~~~yaml\nerrors: {retries: 9}\n~~~~" in text
    assert text.endswith("\nUnder it lie `_defaults.yaml`.")
    assert "owner: growth" not in text
    assert "repeated 9 times" in text


def test_a_secret_in_a_file_and_a_fence_in_it_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(FILE + "# password: hunter22\n# ~~~~\n# postgres://me:hunter33@host/db\n")
    text = shown(tmp_path)
    assert "hunter" not in text
    assert text.count("~~~~") == 2


def test_a_long_file_is_cut_at_a_line(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(FILE + "# a comment\n" * 2_000)
    text = shown(tmp_path)
    assert len(text) < MOST + 2_000
    assert "more characters" in text.splitlines()[-2]


def test_a_pipeline_made_in_python_has_a_plan_and_no_file() -> None:
    source, to = {"type": "duckdb", "connection": "w", "table": "crm.t"}, {"type": "braze", "connection": "b", "data": "events"}
    text = build_dag(Pipeline(id="p", source=source, destination=to)).doc_md or ""
    assert "* Runs when somebody starts it." in text.splitlines()
    assert "* Nobody is told of failures." in text.splitlines()
    assert "~~~~" not in text


@pytest.fixture(scope="module")
def examples() -> dict[str, DAG]:
    found = load_folder(ROOT / "dags" / "pipelines")
    assert not found.broken
    return {name: build_dag(pipeline, found.texts[name]) for name, pipeline in found.pipelines.items()}


def test_every_example_has_its_file_and_survives_serialization(examples: dict[str, DAG]) -> None:
    assert len(examples) >= 6
    for name, dag in examples.items():
        known: Any = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        assert f"### `{name}.yaml`" in known.doc_md
        assert {*known.params} == {*KINDS[type(load_folder(ROOT / "dags" / "pipelines").pipelines[name].destination)].form}


@pytest.mark.parametrize("kind", KINDS.values(), ids=[kind.__name__ for kind in KINDS])
def test_the_defaults_of_a_form_keep_to_their_own_schemas(kind: Any) -> None:
    for field in kind.form.values():
        field.resolve()
        assert field.schema["title"]
        assert field.description
    assert "dry_run" in kind.form


def test_two_dags_do_not_share_the_answers_to_their_forms(examples: dict[str, DAG]) -> None:
    first, second = examples["ads_to_kakao"], examples["ads_to_kakao_daily"]
    first.params["mode"] = "preview"
    assert second.params["mode"] == "run"


def test_a_check_comes_first_and_only_if_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(
        FILE.replace("pool: braze", "pool: braze, check: true").replace("Seoul}", "Seoul, delay: 5m}")
    )
    dag = load(tmp_path)["users"]
    assert {task.task_id: task.upstream_task_ids for task in dag.tasks} == {
        "delay": set(),
        "check": {"delay"},
        "import": {"check"},
    }
    (tmp_path / "users.yaml").write_text(FILE)
    assert load(tmp_path)["users"].task_ids == ["import"]
