"""A pipeline inside somebody else's DAG, run by Airflow itself: tasks, state, links, assets and OpenLineage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.braze import BrazeSandbox
from sandbox.braze.testing import kept_to

pytestmark = pytest.mark.airflow
ROOT = Path(__file__).resolve().parents[2]
DAG_FILE = """
from airflow.sdk import DAG, task

from activation.dags import ActivationTaskGroup

with DAG("nightly", schedule=None, params={"rows": 2, "schema": "crm"}) as dag:
    extract = task(lambda: 1, task_id="extract")()
    group = ActivationTaskGroup("users", mode="full", limit="{{ params.rows }}")
    extract >> group >> task(lambda: 2, task_id="report")()
"""
FILE = """source: {type: duckdb, connection: warehouse, table: "{{ params.schema }}.users"}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
errors: {retries: 0}
task: {check: true}
"""


@dataclass
class Ran:
    """What came of one run.

    :ivar events: what OpenLineage was told.
    """

    known: dict[str, Any]
    events: list[dict[str, Any]]
    sent: int

    def completed(self, task: str) -> dict[str, Any]:
        """What OpenLineage was told when a task had ended."""
        (found,) = (one for one in self.events if one["eventType"] == "COMPLETE" and one["job"]["name"] == f"nightly.{task}")
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "users.yaml").write_text(FILE)
    (folder / "nightly.py").write_text(DAG_FILE)
    with duckdb.connect(str(folder / "w.duckdb")) as connection:
        connection.execute(
            "CREATE SCHEMA crm; CREATE TABLE crm.users (EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR, UPDATED_AT TIMESTAMP)"
        )
        rows = "'u' || n, '{\"n\": ' || n || '}', TIMESTAMP '2026-07-01' + n * INTERVAL 1 SECOND"
        connection.execute(f"INSERT INTO crm.users SELECT {rows} FROM range(5) AS r(n)")
    with kept_to(BrazeSandbox(), allow={"empty"}) as braze:  # the check asks with nothing in it
        lines = folder / "lineage.jsonl"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "empty"),
            "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-tests-" + "x" * 50,
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{folder}/state",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(lines), "append": True}),
            "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(folder / "w.duckdb")}),
            "AIRFLOW_CONN_BRAZE": json.dumps({"conn_type": "braze", "host": braze.url, "password": braze.key}),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}",
        }
        (folder / "empty").mkdir()
        command = [sys.executable, "-m", "tests.dags.foreign", str(folder)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
        told = [json.loads(line) for line in lines.read_text().splitlines()]
        yield Ran(json.loads((folder / "known.json").read_text()), told, len(braze.users()))


def test_the_tasks_of_the_pipeline_stand_between_the_others_and_run(ran: Ran) -> None:
    assert ran.known["state"] == "success"
    assert {name: task["state"] for name, task in ran.known["tasks"].items()} == dict.fromkeys(
        ("extract", "users.check", "users.import", "report"), "success"
    )


def test_the_run_does_what_the_groups_arguments_say(ran: Ran) -> None:
    (report,) = ran.known["tasks"]["users.import"]["values"]
    assert (report["pipeline"], report["rows"]["sent"], ran.sent) == ("users", 2, 2)


def test_the_check_tells_what_it_saw(ran: Ran) -> None:
    (found,) = ran.known["tasks"]["users.check"]["values"]
    assert [(one["check"], one["verdict"]) for one in found] == [("source", "ok"), ("table", "ok"), ("connection", "ok")]


def test_openlineage_is_told_tables_destination_and_rows(ran: Ran) -> None:
    told = ran.completed("users.import")
    (read,), (written,) = told["inputs"], told["outputs"]
    assert (read["namespace"], read["name"]) == ("duckdb://warehouse", "crm.users")
    assert read["inputFacets"]["inputStatistics"]["rowCount"] == 2
    assert written["namespace"].startswith("braze://127.0.0.1:")
    assert written["name"] == "attributes"
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert written["outputFacets"]["outputStatistics"]["size"] > 0


def test_other_dags_can_wait_for_what_the_run_has_written(ran: Ran) -> None:
    names = [name for name, _ in ran.known["events"]]
    assert names == ["activation/users", "braze/braze/attributes"]


def test_a_server_without_a_console_has_no_link(ran: Ran) -> None:
    assert ran.known["tasks"]["users.import"]["links"] == {"Destination": "", "Rejects": ""}
