"""One real Airflow for all end-to-end tests: a DuckDB and a PostgreSQL warehouse, a Braze contract server, several pipelines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.airflow import LocalAirflow
from sandbox.airflow import Settings as AirflowSettings
from sandbox.airflow.api import AirflowApi
from sandbox.airflow.settings import free_ports
from sandbox.braze import ApiKey, BrazeSandbox, Rate, Settings
from sandbox.braze.testing import assert_contract
from tests.support import postgres

ROOT = Path(__file__).resolve().parents[2]
GOOD_KEY, READ_KEY, WRONG_KEY = "key-canary-4f1d9c2e7ab3", "key-reader-0b7d11c9e5f2", "key-wrong-77aa31be90c4"
PG_PASSWORD = postgres.PASSWORD
ROWS = 60_000
IN_FLIGHT = 16

PIPELINES: dict[str, dict[str, str]] = {
    "killed": {
        "source": "{type: duckdb, connection: warehouse, query: SELECT * FROM marketing.users}",
        "delivery": f"{{in_flight: {IN_FLIGHT}}}",
    },
    "stopped": {
        "source": "{type: duckdb, connection: warehouse, table: marketing.people}",
        "delivery": f"{{in_flight: {IN_FLIGHT}}}",
    },
    "modes": {"source": "{type: postgres, connection: pg, table: marketing.people}"},
    "from_postgres": {"source": "{type: postgres, connection: pg, table: marketing.users}"},
    "wrong_key": {"destination": "{type: braze, connection: braze_wrong_key, data: attributes}"},
    "no_permission": {"destination": "{type: braze, connection: braze_reader, data: attributes}"},
    "wrong_host": {"destination": "{type: braze, connection: braze_nowhere, data: attributes}"},
    "not_braze": {"destination": "{type: braze, connection: braze_elsewhere, data: attributes}"},
    "no_connection": {"destination": "{type: braze, connection: nobody, data: attributes}"},
    "missing_table": {"source": "{type: duckdb, connection: warehouse, table: marketing.nobody}"},
    "missing_column": {"cursor": "{column: CHANGED_AT}"},
    "no_right": {"source": "{type: postgres, connection: pg_limited, table: marketing.users}"},
    "unreadable": {"source": "{type: duckdb, connection: warehouse, tabel: marketing.users}"},
}


@dataclass
class World:
    """What the tests work with."""

    folder: Path
    airflow: LocalAirflow
    api: AirflowApi
    braze: BrazeSandbox
    database: Path

    def trigger(self, pipeline: str, **conf: Any) -> str:
        """Start a run.

        :param conf: what the trigger form would say.
        """
        self.api.unpause(pipeline)
        return self.api.trigger(pipeline, conf)

    def forget(self) -> None:
        """Empty the server, once every request until now was as the contract wants it."""
        assert_contract(self.braze)
        self.braze.reset()

    def finish(self, pipeline: str, run_id: str) -> str:
        """Wait for a run."""
        return self.api.wait_for_run(pipeline, run_id, timeout=180)

    def watermark(self, pipeline: str) -> Any:
        """The asset state's watermark; ``None`` if there is none."""
        return self.api.asset_states(f"activation/{pipeline}").get("watermark")

    def log(self, pipeline: str, run_id: str, attempt: int = 1) -> str:
        """The task's log of one try."""
        return self.api.task_log(pipeline, run_id, "import", attempt)


def pipeline_file(**blocks: str) -> str:
    """The text of a pipeline file."""
    usual = {
        "schedule": "null",
        "source": "{type: duckdb, connection: warehouse, table: marketing.users}",
        "destination": "{type: braze, connection: braze, data: attributes}",
        "errors": "{retries: 2, retry_delay: 0s}",
    }
    return "".join(f"{name}: {text}\n" for name, text in {**usual, **blocks}.items())


def _warehouses(database: Path, server: postgres.Postgres) -> None:
    rows = """SELECT 'user-' || lpad(CAST(n AS VARCHAR), 6, '0'), '{"name": "김' || n || '", "n": ' || n || '}',
               TIMESTAMP '2026-01-01 00:00:00' + n * INTERVAL '1 millisecond'"""
    columns = "(EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR, UPDATED_AT TIMESTAMP)"
    with duckdb.connect(str(database)) as warehouse:
        warehouse.execute("CREATE SCHEMA marketing")
        warehouse.execute(f"CREATE TABLE marketing.users {columns}")
        warehouse.execute(f"INSERT INTO marketing.users {rows} FROM range({ROWS}) AS r(n)")
        warehouse.execute("CREATE VIEW marketing.people AS FROM marketing.users")
    server.execute("CREATE SCHEMA marketing")
    server.execute(f"CREATE TABLE marketing.users {columns}")
    server.execute(f"INSERT INTO marketing.users {rows} FROM generate_series(0, 4999) AS r(n)")
    server.execute("CREATE VIEW marketing.people AS SELECT * FROM marketing.users")
    server.execute(f"GRANT USAGE ON SCHEMA marketing TO {postgres.LIMITED}")


def _connections(braze: BrazeSandbox, port: int, database: Path, server: postgres.Postgres) -> dict[str, str]:
    def to_braze(host: str, key: str) -> str:
        return json.dumps({"conn_type": "braze", "host": host, "password": key})

    return {
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(database)}),
        "AIRFLOW_CONN_PG": server.airflow(),
        "AIRFLOW_CONN_PG_LIMITED": server.airflow(postgres.LIMITED, PG_PASSWORD),
        "AIRFLOW_CONN_BRAZE": to_braze(braze.url, GOOD_KEY),
        "AIRFLOW_CONN_BRAZE_WRONG_KEY": to_braze(braze.url, WRONG_KEY),
        "AIRFLOW_CONN_BRAZE_READER": to_braze(braze.url, READ_KEY),
        "AIRFLOW_CONN_BRAZE_NOWHERE": to_braze("https://rest.nowhere.invalid", GOOD_KEY),
        "AIRFLOW_CONN_BRAZE_ELSEWHERE": to_braze(f"http://127.0.0.1:{port}", GOOD_KEY),
    }


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Airflow with all pipelines; ``not_braze`` takes Airflow's own address for Braze's."""
    folder = tmp_path_factory.mktemp("e2e")
    database, dags = folder / "warehouse.duckdb", folder / "dags"
    (dags / "pipelines").mkdir(parents=True)
    shutil.copy(ROOT / "dags" / "activation.py", dags)
    for name, blocks in PIPELINES.items():
        (dags / "pipelines" / f"{name}.yaml").write_text(pipeline_file(**blocks), encoding="utf-8")
    keys = (ApiKey(GOOD_KEY), ApiKey(READ_KEY, frozenset({"users.export.ids"})))
    port = free_ports(1)[0]
    with postgres.running() as server, BrazeSandbox(Settings(rate=Rate(enabled=False)), keys=keys) as braze:
        _warehouses(database, server)
        environment = _connections(braze, port, database, server)
        environment["AIRFLOW__ACTIVATION__STATE_FOLDER"] = f"file://{folder / 'state'}"
        with LocalAirflow(folder / "airflow", dags, env=environment, settings=AirflowSettings(port=port)) as airflow:
            api = airflow.api()
            api.wait_for_dag("killed")
            yield World(folder, airflow, api, braze, database)


@pytest.fixture(autouse=True)
def keeps_to_the_contract(world: World) -> Iterator[None]:
    """Every request of a test must have been as the contract wants it."""
    yield
    assert_contract(world.braze)
